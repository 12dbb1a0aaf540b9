import Foundation

/// One of the built programs, run as a person runs it: a process with arguments and an exit code.
struct Program: Sendable {
    let path: String

    static let syncledger = Program("syncledger")
    static let lab = Program("syncledger-lab")
    static let shell = Program(path: "/bin/sh")

    private init(path: String) { self.path = path }

    /// The programs stand beside the test bundle.
    private init(_ name: String) {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"))
        let bins = [
            own.map { URL(fileURLWithPath: $0).deletingLastPathComponent().path },
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("../../.build/debug").standardized.path,
        ].compactMap { $0 }
        path =
            bins.map { $0 + "/" + name }
            .first { FileManager.default.isExecutableFile(atPath: $0) } ?? name
    }

    /// What a process left.
    struct Result: Sendable {
        /// Its exit code; negative is the signal that ended it.
        var code: Int32
        var output: String
        var error: String

        /// What stands on standard output, read as JSON.
        func json() throws -> Any {
            try JSONSerialization.jsonObject(
                with: Data(output.utf8), options: [.fragmentsAllowed])
        }

        /// A member of the JSON object on standard output.
        func number(_ name: String) throws -> Int? {
            ((try json() as? [String: Any])?[name] as? NSNumber)?.intValue
        }
    }

    /// Runs the program to its end.
    ///
    /// Blocks the calling thread.
    func run(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws -> Result {
        try start(arguments, environment: environment, input: input).wait()
    }

    /// Starts the program and returns at once.
    func start(
        _ arguments: [String], environment: [String: String] = [:], input: String? = nil
    ) throws -> RunningProgram {
        try RunningProgram(path, arguments, environment: environment, input: input)
    }
}

/// A process on its way, its output in files so that it never waits for us.
struct RunningProgram {
    let pid: pid_t
    private let files: String

    fileprivate init(
        _ path: String, _ arguments: [String], environment: [String: String], input: String?
    ) throws {
        files = NSTemporaryDirectory() + "syncledger-run-\(UUID().uuidString)"
        try Data((input ?? "").utf8).write(to: URL(fileURLWithPath: files + ".in"))
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let made = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, files + ".in", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, files + ".out", made, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, files + ".err", made, 0o600)
        var inherited = ProcessInfo.processInfo.environment
        for (name, value) in environment { inherited[name] = value }
        let words = ([path] + arguments).map { strdup($0) } + [nil]
        let settings = inherited.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + settings { free(text) } }
        var started: pid_t = 0
        let code = posix_spawn(&started, path, &actions, nil, words, settings)
        guard code == 0 else { throw POSIXError(POSIXErrorCode(rawValue: code) ?? .EINVAL) }
        pid = started
    }

    /// Whether it is still on its way; an ended one is not taken leave of yet.
    var isRunning: Bool {
        var info = siginfo_t()
        guard waitid(P_PID, id_t(pid), &info, WEXITED | WNOHANG | WNOWAIT) == 0 else {
            return false
        }
        return info._sifields._sigchld.si_pid == 0
    }

    /// Waits for its end; blocks the calling thread.
    func wait() throws -> Program.Result {
        var status: Int32 = 0
        while waitpid(pid, &status, 0) < 0 {
            guard errno == EINTR else { throw POSIXError(.ECHILD) }
        }
        let signal = status & 0x7F
        let code = signal == 0 ? (status >> 8) & 0xFF : -signal
        defer {
            for end in [".in", ".out", ".err"] { unlink(files + end) }
        }
        func read(_ end: String) throws -> String {
            String(decoding: try Data(contentsOf: URL(fileURLWithPath: files + end)), as: UTF8.self)
        }
        return Program.Result(code: code, output: try read(".out"), error: try read(".err"))
    }
}

/// A directory of a test's own, in memory where the machine has that; removed at the end.
final class Scratch: Sendable {
    let path: String

    init() throws {
        let memory = "/dev/shm"
        let root =
            FileManager.default.isWritableFile(atPath: memory)
            ? memory + "/" : NSTemporaryDirectory()
        path = root + "syncledger-cli-\(UUID().uuidString)"
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns where it is.
    func write(_ text: String, to name: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: self(name)))
        return self(name)
    }
}

/// A thread for each job, so that what blocks keeps nobody else waiting.
///
/// The task stays the test's own: what it records is the test's.
final class OwnThread: TaskExecutor {
    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedTaskExecutor()
        let thread = Thread { job.runSynchronously(on: executor) }
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Runs what blocks on a thread that nobody else waits for.
    static func run<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
        try await withTaskExecutorPreference(OwnThread()) { try body() }
    }
}
