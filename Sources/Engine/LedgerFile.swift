package import Ledger

#if canImport(Glibc)
    import Glibc
#endif

/// The small file that says that a directory is a ledger, and which.
package struct LedgerFile: Sendable {
    package var id: LedgerID
    package var name: String

    /// Reads it.
    ///
    /// - Throws: `WorkplaceError`, which tells a ledger whose file was lost or cut from what is none;
    ///   `LogError.newerFormat`.
    init(directory: String) throws {
        let path = directory + "/ledger"
        let holdsLedger = ["log", "keys"].contains { access(directory + "/" + $0, F_OK) == 0 }
        let damage =
            holdsLedger ? WorkplaceError.damagedFile(path) : WorkplaceError.noLedger(directory)
        let bytes: [UInt8]
        do {
            bytes = try readFile(path)
        } catch WorkplaceError.file(_, ENOENT) {
            throw holdsLedger
                ? WorkplaceError.missingFile(directory) : WorkplaceError.noLedger(directory)
        } catch WorkplaceError.file(_, EACCES) {
            throw WorkplaceError.unreadable(path)
        }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, first.hasPrefix("syncledger "),
            let format = UInt64(first.dropFirst(11))
        else { throw damage }
        guard format == 1 else { throw LogError.newerFormat(format) }
        func value(_ key: String) -> String? {
            lines.first { $0.hasPrefix(key + " ") }.map { String($0.dropFirst(key.count + 1)) }
        }
        guard let id = value("id").flatMap({ LedgerID($0) }) else { throw damage }
        self.id = id
        name = value("name") ?? ""
    }
}

package enum WorkplaceError: Error, Equatable, CustomStringConvertible {
    case exists(String)
    case noLedger(String)
    /// The directory holds a log or keys, but not the file that names them.
    case missingFile(String)
    case damagedFile(String)
    case unreadable(String)
    case unreadableSecrets
    case file(String, Int32)

    package var description: String {
        switch self {
        case .exists(let path): "there is a ledger in \(path) already: choose another directory"
        case .noLedger(let path):
            "there is no ledger in \(path): run `syncledger init`, or name another with --ledger"
        case .missingFile(let path):
            "the file ledger is missing in \(path), which holds a log or keys: restore it from a backup"
        case .damagedFile(let path):
            "the file ledger is cut or damaged: restore it from a backup (\(path))"
        case .unreadable(let path):
            "this user may not read \(path): run chmod u+r on it and u+x on its directory, or run syncledger as their owner"
        case .unreadableSecrets:
            "the stored credentials cannot be opened with this master key: run `syncledger connect` again"
        case .file(let path, let code): "\(path): \(String(cString: strerror(code)))"
        }
    }
}

/// Reads a whole file of text.
package func readText(_ path: String) throws -> String {
    String(decoding: try readFile(path), as: UTF8.self)
}

/// Reads a whole file.
package func readFile(_ path: String) throws -> [UInt8] {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { throw WorkplaceError.file(path, errno) }
    defer { Glibc.close(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65_536)
    while true {
        let count = read(file, &buffer, buffer.count)
        guard count >= 0 else { throw WorkplaceError.file(path, errno) }
        if count == 0 { return bytes }
        bytes += buffer[..<count]
    }
}

func writePrivate(_ text: String, to path: String) throws {
    try writeBytes(Array(text.utf8), to: path)
}

/// Replaces a file whole: written beside with mode 0600, flushed, then renamed into place.
func writeBytes(_ bytes: [UInt8], to path: String) throws {
    let file = open(path + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw WorkplaceError.file(path, errno) }
    let isWritten = write(file, bytes, bytes.count) == bytes.count && fsync(file) == 0
    let code = errno
    Glibc.close(file)
    guard isWritten, rename(path + ".new", path) == 0 else {
        throw WorkplaceError.file(path, isWritten ? errno : code)
    }
}
