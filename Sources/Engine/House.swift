#if canImport(Glibc)
    import Glibc
#endif

/// A directory of ledgers, one for each client of an agency.
///
/// They share nothing: each has files, keys, a sequence and a tree of its own, so that one can be moved,
/// restored or erased alone. Each is opened when it is needed and closed when that is done, so a house
/// may hold more of them than a process may have open files.
package struct House: Sendable {
    package let directory: String

    package init(at directory: String) { self.directory = directory }

    /// Where the ledgers are, by name.
    ///
    /// One whose `ledger` file was lost is among them, and says so when it is opened.
    ///
    /// - Throws: `WorkplaceError.file` where the directory cannot be read.
    package func ledgers() throws -> [(name: String, path: String)] {
        guard let stream = opendir(directory) else {
            throw WorkplaceError.file(directory, errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { ($0, directory + "/" + $0) }.filter { _, path in
            ["ledger", "log", "keys"].contains { access(path + "/" + $0, F_OK) == 0 }
        }
    }
}
