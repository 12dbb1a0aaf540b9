import Foundation

/// A temporary directory that is removed with the last reference to it.
final class Scratch: Sendable {
    let path: String
    private let isOurs: Bool

    init() throws {
        let root = FileManager.default.temporaryDirectory
        path = root.appendingPathComponent("ledger-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: false)
        isOurs = true
    }

    /// One that another process made and will remove.
    init(existing path: String) {
        self.path = path
        isOurs = false
    }

    deinit {
        if isOurs { try? FileManager.default.removeItem(atPath: path) }
    }

    /// A path in it.
    func callAsFunction(_ name: String) -> String { path + "/" + name }
}
