import Foundation
import Synchronization

/// One measured process: what it said on standard output, and the most memory it took.
struct ChildProcess {
    var output: [UInt8] = []
    var status: Int32 = 0
    var seconds = 0.0
    /// The peak of its resident set as the kernel kept it (`ru_maxrss`), mapped pages of LMDB's files
    /// included, which the kernel takes back whenever it needs them.
    var residentMegabytes = 0.0
    /// The peak of the memory of its own (`RssAnon`), looked up 50 times a second.
    var ownMegabytes = 0.0

    /// Runs a program to its end; its standard error is ours.
    init(_ path: String, _ arguments: [String]) throws {
        var pipes: [Int32] = [0, 0]
        guard pipe(&pipes) == 0 else { throw Failure.system(errno) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        posix_spawn_file_actions_adddup2(&actions, pipes[1], 1)
        posix_spawn_file_actions_addclose(&actions, pipes[0])
        posix_spawn_file_actions_addclose(&actions, pipes[1])
        defer { posix_spawn_file_actions_destroy(&actions) }
        var words: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let began = ContinuousClock.now
        let code = posix_spawn(&process, path, &actions, nil, &words, environ)
        close(pipes[1])
        guard code == 0 else { throw Failure.system(code) }
        let watch = MemoryWatch(process)
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(pipes[0], &buffer, buffer.count)
            guard count > 0 else { break }
            output += buffer[..<count]
        }
        close(pipes[0])
        var usage = rusage()
        while wait4(process, &status, 0, &usage) < 0, errno == EINTR {}
        ownMegabytes = watch.stop()
        residentMegabytes = Double(usage.ru_maxrss) / 1_024
        seconds = (ContinuousClock.now - began) / .seconds(1)
    }

    enum Failure: Error, CustomStringConvertible {
        case system(Int32)
        case part(String, Int32)
        case plainLoop(code: Int64)
        case wrongResult(String)

        var description: String {
            switch self {
            case .system(let code): String(cString: strerror(code))
            case .wrongResult(let what): "\(what) is not what was put in, so nothing is measured"
            case .part(let name, let status): "the part \(name) ended with status \(status)"
            case .plainLoop(let code): "the plain loop on liblmdb ended with \(code)"
            }
        }
    }
}

/// Keeps the most memory of its own that a process was seen to have.
private final class MemoryWatch: Sendable {
    private let most = Mutex(0.0)
    private let isOver = Atomic(false)

    init(_ process: pid_t) {
        Thread { [self] in
            while !isOver.load(ordering: .relaxed) {
                let now = Self.own(process)
                most.withLock { $0 = max($0, now) }
                usleep(20_000)
            }
        }.start()
    }

    func stop() -> Double {
        isOver.store(true, ordering: .relaxed)
        return most.withLock { $0 }
    }

    private static func own(_ process: pid_t) -> Double {
        let status = try? String(contentsOfFile: "/proc/\(process)/status", encoding: .utf8)
        let line = (status ?? "").split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
        let kilobytes = line?.split(whereSeparator: \.isWhitespace).compactMap { Double($0) }.first
        return (kilobytes ?? 0) / 1_024
    }
}
