package import Connectors

/// Why a file was not taken in.
package enum IngestError: Error, Equatable, CustomStringConvertible {
    case notJSON(line: Int, JSONError)
    case noID(line: Int)
    case unknownField(line: Int, String, nearest: String?)
    case repeatedName(line: Int, String)
    case badValue(line: Int, String, JSON, holds: String)
    case byteOrderMark
    case notUTF8
    case interrupted(done: Int, of: Int, why: String)
    case notCSV(CSVError)
    case otherWidth(line: Int, cells: Int, columns: Int)
    case unknownColumns([String], nearest: String?)
    case repeatedColumn(String, String)
    case noIDColumn
    case noSuchColumn(String)

    package var description: String {
        switch self {
        case .notJSON(let line, let error):
            "line \(line) is \(error): mend that line and run it again; nothing was taken in"
        case .noID(let line):
            "line \(line) has no \"id\", or a blank one: every line needs one; nothing was taken in"
        case .unknownField(let line, let name, let nearest):
            "line \(line): there is no field \"\(name)\""
                + (nearest.map { ", did you mean \"\($0)\"?" } ?? ":")
                + " `syncledger mapping` lists them; nothing was taken in"
        case .repeatedName(let line, let name):
            "line \(line) says \"\(name)\" twice: leave one of them; nothing was taken in"
        case .badValue(let line, let name, let value, let holds):
            "line \(line): \"\(name)\" cannot be \(Self.words(value)): it holds \(holds), or null; nothing was taken in"
        case .byteOrderMark:
            "the file begins with a byte order mark: save it as UTF-8 without one, or take it out with `tail -c +4`; nothing was taken in"
        case .notUTF8:
            "the file is UTF-16 or binary, and JSON Lines and CSV are UTF-8: convert it with `iconv -f UTF-16 -t UTF-8`; nothing was taken in"
        case .interrupted(let done, let all, let why):
            "\(done) of \(all) lines are in, and then \(why); the same file again goes on from there"
        case .notCSV(let error): "\(error); nothing was taken in"
        case .otherWidth(let line, let cells, let columns):
            "line \(line) has \(cells) cells and the header \(columns) columns: mend that line; nothing was taken in"
        case .unknownColumns(let names, let nearest):
            "no field is called \(names.map { "\"\($0)\"" }.joined(separator: ", "))"
                + (nearest.map { ", did you mean \"\($0)\"?" } ?? ":")
                + " say what a column is with --column 'NAME=FIELD', or leave such columns out with --ignore-columns; nothing was taken in"
        case .repeatedColumn(let one, let other):
            "the columns \"\(one)\" and \"\(other)\" are the same field: leave one of them; nothing was taken in"
        case .noIDColumn:
            "the header has no column \"id\": every row needs one; --column 'NAME=id' says which column it is; nothing was taken in"
        case .noSuchColumn(let name):
            "--column names \"\(name)\", which the header has not: write it as the header does; nothing was taken in"
        }
    }

    private static func words(_ value: JSON) -> String {
        switch value {
        case .object: return "an object"
        case .array: return "such a list"
        default:
            let text = String(decoding: value.bytes, as: UTF8.self)
            return text.count > 40 ? text.prefix(40) + "…" : text
        }
    }
}
