/// Reads separated values (RFC 4180) record by record, from bytes that come in pieces.
///
/// Commas, semicolons or tabs stand between cells, as the header says; a cell in quotation marks may
/// hold any of them, line breaks too, and two quotation marks for one. Lines end with LF or CRLF. Lines
/// with nothing in them are passed over. One record is in memory at a time.
package struct CSVReader {
    package struct Record: Sendable, Equatable {
        /// The line on which it begins, from 1.
        package var line: Int
        package var cells: [String]
    }

    private let next: () throws -> [UInt8]
    private var buffer: [UInt8] = []
    private var position = 0
    private var isOver = false
    private var line = 1
    private var separator = UInt8(ascii: ",")

    /// What one record may take, so that a quotation mark that is never closed does not fill memory.
    private static var mostBytes: Int { 1 << 20 }
    private static let separators = [",", ";", "\t"].map { UInt8(ascii: $0) }
    private static let quote = UInt8(ascii: "\"")
    private static let (lineFeed, carriageReturn) = (UInt8(ascii: "\n"), UInt8(ascii: "\r"))

    /// A reader of what `next` hands out, piece by piece, until a piece is empty.
    ///
    /// - Throws: `CSVError.unclearSeparator`, and what `next` throws.
    package init(_ next: @escaping () throws -> [UInt8]) throws {
        self.next = next
        separator = try headersSeparator()
    }

    /// The next record; `nil` at the end.
    ///
    /// - Throws: `CSVError` with the line, and what `next` throws.
    package mutating func record() throws -> Record? {
        while try peek() != nil {
            let start = line
            var cells: [String] = []
            var (isQuoted, bytes) = (false, 0)
            while true {
                let quoted = try peek() == Self.quote
                let cell = quoted ? try quotedCell() : try plainCell()
                bytes += cell.count
                guard bytes <= Self.mostBytes else { throw CSVError.tooLong(line: start) }
                guard let text = String(validating: cell, as: UTF8.self) else {
                    throw CSVError.notUTF8(line: start)
                }
                cells.append(text)
                isQuoted = isQuoted || quoted
                guard try peek() == separator else { break }
                position += 1
            }
            try endLine()
            if cells != [""] || isQuoted { return Record(line: start, cells: cells) }
        }
        return nil
    }

    // MARK: - Cells

    private mutating func plainCell() throws -> [UInt8] {
        var cell: [UInt8] = []
        while let byte = try peek(), byte != separator, try !isAtLineEnd() {
            guard byte != Self.quote else { throw CSVError.quoteInside(line: line) }
            cell.append(byte)
            position += 1
            guard cell.count <= Self.mostBytes else { throw CSVError.tooLong(line: line) }
        }
        return cell
    }

    private mutating func quotedCell() throws -> [UInt8] {
        let start = line
        var cell: [UInt8] = []
        position += 1
        while let byte = try peek() {
            position += 1
            if byte == Self.quote {
                guard try peek() == Self.quote else {
                    guard try peek() == nil || peek() == separator || isAtLineEnd() else {
                        throw CSVError.textBehindQuote(line: line)
                    }
                    return cell
                }
                position += 1
            }
            if byte == Self.lineFeed { line += 1 }
            cell.append(byte)
            guard cell.count <= Self.mostBytes else { throw CSVError.openQuote(line: start) }
        }
        throw CSVError.openQuote(line: start)
    }

    private mutating func isAtLineEnd() throws -> Bool {
        let byte = try peek()
        return try byte == Self.lineFeed
            || byte == Self.carriageReturn && [nil, Self.lineFeed].contains(peek(1))
    }

    private mutating func endLine() throws {
        if try peek() == Self.carriageReturn { position += 1 }
        if try peek() == Self.lineFeed { position += 1 }
        line += 1
    }

    // MARK: - Bytes

    /// The byte at the position or behind it; `nil` beyond the end.
    private mutating func peek(_ ahead: Int = 0) throws -> UInt8? {
        while position + ahead >= buffer.count, !isOver {
            buffer.removeFirst(position)
            position = 0
            let piece = try next()
            isOver = piece.isEmpty
            buffer += piece
        }
        return position + ahead < buffer.count ? buffer[position + ahead] : nil
    }

    /// The separator that the header has outside quotation marks; a comma where it has none.
    private mutating func headersSeparator() throws -> UInt8 {
        var found: Set<UInt8> = []
        var isQuoted = false
        var (place, hasBegun) = (0, false)
        while let byte = try peek(place), place <= Self.mostBytes {
            if byte == Self.quote { isQuoted.toggle() }
            if !isQuoted, byte == Self.lineFeed, hasBegun { break }
            if !isQuoted, Self.separators.contains(byte) { found.insert(byte) }
            hasBegun = hasBegun || ![Self.lineFeed, Self.carriageReturn].contains(byte)
            place += 1
        }
        guard found.count <= 1 else { throw CSVError.unclearSeparator }
        return found.first ?? UInt8(ascii: ",")
    }
}

/// Why a file is no table.
package enum CSVError: Error, Equatable, CustomStringConvertible {
    case unclearSeparator
    case openQuote(line: Int)
    case quoteInside(line: Int)
    case textBehindQuote(line: Int)
    case tooLong(line: Int)
    case notUTF8(line: Int)

    package var description: String {
        switch self {
        case .unclearSeparator:
            "the header has more than one of comma, semicolon and tab outside quotation marks: put names that hold one in quotation marks"
        case .openQuote(let line):
            "the quotation mark on line \(line) is not closed: close it, or write two for one"
        case .quoteInside(let line):
            "line \(line) has a quotation mark inside a cell that does not begin with one: put the whole cell in quotation marks, and write two for one"
        case .textBehindQuote(let line):
            "line \(line) has text behind a closing quotation mark: write two for one that belongs to the cell"
        case .tooLong(let line):
            "line \(line) begins a row of more than 1 MiB: look for line ends that are missing"
        case .notUTF8(let line):
            "line \(line) is not UTF-8: export it as UTF-8, or convert it with `iconv -f WINDOWS-1252 -t UTF-8`"
        }
    }
}
