import LMDB
import Ledger

#if canImport(Glibc)
    import Glibc
#endif

/// The directory of a ledger's views: its generations, and the small file that names the one in use.
///
/// `views/<n>/` is a generation, `views/serving` names the one that serves, and the one above it is
/// being built, or was when its builder ended; `views/rebuild.note` says how far that is.
/// `views/verify/` is only compared and removed.
struct ViewDirectory: Sendable {
    let path: String
    private let ledger: String

    /// Makes the directory where there is none.
    init(ledger: String) throws {
        self.ledger = ledger
        path = ledger + "/views"
        guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw ViewError.file(path, errno) }
    }

    func path(of generation: Int) -> String { "\(path)/\(generation)" }

    var verifyPath: String { path + "/verify" }

    func holds(_ generation: Int) -> Bool { Environment.exists(at: path(of: generation)) }

    // MARK: - Locks

    /// The lock of the one process that projects, decides and sends.
    func engineLock() throws -> EngineLock { try EngineLock(path: ledger + "/engine.lock") }

    /// The lock of the one that builds a generation: held while it folds, beside the engine.
    ///
    /// - Throws: `ViewError.beingRebuilt` while another holds it.
    func rebuildLock() throws -> EngineLock {
        // Who only looks whether it is held has it for a moment.
        if let lock = try? EngineLock(path: path + "/rebuild.lock") { return lock }
        usleep(2_000)
        do {
            return try EngineLock(path: path + "/rebuild.lock")
        } catch EngineLockError.heldElsewhere(let process) {
            throw ViewError.beingRebuilt(process: process)
        }
    }

    // MARK: - How far a builder is

    private var notePath: String { path + "/rebuild.note" }

    /// Writes down, for other processes, how far the rebuild of this one is.
    ///
    /// Not durably, and not where it cannot be: nothing depends on it.
    func leave(_ note: BuilderNote) {
        let file = open(notePath, O_WRONLY | O_CREAT | O_CLOEXEC, 0o600)
        guard file >= 0 else { return }
        defer { close(file) }
        let bytes = Array(note.text.utf8)
        _ = pwrite(file, bytes, bytes.count, 0)
        _ = ftruncate(file, off_t(bytes.count))
    }

    func removeNote() { unlink(notePath) }

    /// What the process that holds the rebuild lock says of its rebuild; `nil` where none does.
    func note() -> BuilderNote? {
        guard EngineLock.isHeld(path: path + "/rebuild.lock") else { return nil }
        let file = open(notePath, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 128)
        let count = pread(file, &buffer, buffer.count, 0)
        return BuilderNote(String(decoding: buffer.prefix(max(0, count)), as: UTF8.self))
    }

    // MARK: - Which one serves

    func servingName() throws -> ServingName { try ServingName(path + "/serving") }

    /// Writes down, durably and beside, that a generation serves; `serve` then makes it so.
    ///
    /// - Returns: the name as it will stand.
    func prepareToServe(_ generation: Int) throws -> ServingName {
        let path = path + "/serving.new"
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
        guard file >= 0 else { throw ViewError.file(path, errno) }
        defer { close(file) }
        let bytes = Array("\(generation)\n".utf8)
        guard write(file, bytes, bytes.count) == bytes.count, fsync(file) == 0 else {
            throw ViewError.file(path, errno)
        }
        return try ServingName(path)
    }

    /// Puts the prepared name in place, at once for every reader; durable after `makeDurable`.
    func serve() throws {
        let name = path + "/serving"
        guard rename(name + ".new", name) == 0 else { throw ViewError.file(name, errno) }
    }

    /// Blocks until the names in the directory are on the disk.
    func makeDurable() throws {
        let folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { throw ViewError.file(path, errno) }
        defer { close(folder) }
        guard fsync(folder) == 0 else { throw ViewError.file(path, errno) }
    }

    // MARK: - Removing

    /// Removes a generation's files; the disk keeps them for whoever still reads in them.
    func remove(_ generation: Int) throws { try remove(path(of: generation)) }

    /// Removes what a builder that died left below the serving generation.
    func removeLeftovers(below serving: Int) throws {
        var number = serving - 1
        while number > 0, access(path(of: number), F_OK) == 0 {
            try remove(number)
            number -= 1
        }
    }

    func remove(_ path: String) throws {
        for name in ["data.mdb", "lock.mdb"] where unlink("\(path)/\(name)") != 0 {
            guard errno == ENOENT else { throw ViewError.file(path, errno) }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw ViewError.file(path, errno) }
    }
}

/// How far the rebuild of a process is.
struct BuilderNote {
    let process: Int32
    let progress: ViewStore.Progress

    init(process: Int32, progress: ViewStore.Progress) {
        self.process = process
        self.progress = progress
    }

    /// `nil` for what is no note, or one that is just being written.
    init?(_ text: String) {
        let words = text.split(separator: " ")
        guard words.count == 4, let process = Int32(words[0]), let position = UInt64(words[1]),
            let end = UInt64(words[2]), let pace = Double(words[3]), pace.isFinite, pace >= 0
        else { return nil }
        self.process = process
        progress = .init(position: position, end: end, perSecond: pace)
    }

    var text: String {
        "\(process) \(progress.position) \(progress.end) \(progress.perSecond)"
    }
}

/// The small file that names the serving generation, as it was when it was read.
///
/// Such a file is never changed, only replaced by another. Kept open, it tells when that happened, at
/// the price of one system call: then nothing links to it any more.
final class ServingName: Sendable {
    /// The generation it names; the first where there is no such file.
    let number: Int
    private let path: String
    private let descriptor: Int32?

    init(_ path: String) throws {
        self.path = path
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            guard errno == ENOENT else { throw ViewError.file(path, errno) }
            (descriptor, number) = (nil, 1)
            return
        }
        var buffer = [UInt8](repeating: 0, count: 32)
        let count = pread(file, &buffer, buffer.count, 0)
        let digits = buffer.prefix(max(0, count)).prefix { (48...57).contains($0) }
        descriptor = file
        number = Int(String(decoding: digits, as: UTF8.self)) ?? 1
    }

    deinit {
        if let descriptor { close(descriptor) }
    }

    /// Whether another file has taken its place.
    var isReplaced: Bool {
        guard let descriptor else { return access(path, F_OK) == 0 }
        var status = stat()
        return fstat(descriptor, &status) != 0 || status.st_nlink == 0
    }
}
