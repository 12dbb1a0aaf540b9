import Foundation
import Synchronization
import Testing

@testable import LMDB

/// A temporary directory that is removed with the last reference to it.
final class Scratch: Sendable {
    let path: String

    init(in root: String = FileManager.default.temporaryDirectory.path) {
        path = "\(root)/lmdb-tests-\(UUID().uuidString)"
        guard mkdir(path, 0o700) == 0 else { fatalError("no temporary directory at \(path)") }
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A path in it.
    func callAsFunction(_ name: String) -> String { "\(path)/\(name)" }

    /// Opens the environment `env` in it, with the table `t`.
    func open(_ configure: (inout Options) -> Void = { _ in }) throws -> (Environment, Table) {
        try LMDBTests.open(at: self("env"), configure)
    }
}

/// Opens an environment with the table `t`; for child processes, which have only the path.
func open(
    at path: String, _ configure: (inout Options) -> Void = { _ in }
) throws -> (Environment, Table) {
    var options = Options()
    options.mapSize = 1 << 30
    configure(&options)
    let environment = try Environment(at: path, tables: ["t"], options: options)
    return (environment, environment.table("t"))
}

extension Environment {
    /// Stores one pair in a transaction of its own.
    func store(_ table: Table, _ key: UInt64, _ value: [UInt8]) throws {
        try write { try $0.put(table, key: BigEndianKey(key), value: value) }
    }

    /// Copies every pair of a table.
    func everything(_ table: Table) throws -> [[[UInt8]]] {
        var pairs: [[[UInt8]]] = []
        try read { txn in
            try txn.scan(table) { key, value in
                pairs.append([key.copy(), value.copy()])
                return .next
            }
        }
        return pairs
    }
}

/// Expects a body to throw an `LMDBError` of one code, and returns it.
@discardableResult
func expectCode(
    _ code: LMDBError.Code, sourceLocation: SourceLocation = #_sourceLocation,
    _ body: () throws -> Void
) throws -> LMDBError {
    do {
        try body()
    } catch let error as LMDBError {
        #expect(error.code == code, sourceLocation: sourceLocation)
        return error
    }
    Issue.record("nothing was thrown", sourceLocation: sourceLocation)
    throw Refusal()
}

/// Runs a program and tells whether it succeeded.
func run(_ program: String, _ arguments: String...) -> Bool {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    process.standardError = FileHandle.nullDevice
    guard (try? process.run()) != nil else { return false }
    process.waitUntilExit()
    return process.terminationStatus == 0
}

/// How a process ends that broke a precondition.
#if arch(x86_64)
    let trap = ExitTest.Condition.signal(SIGILL)
#else
    let trap = ExitTest.Condition.signal(SIGTRAP)
#endif

/// Whether this was built with a sanitizer.
let isSanitized = dlsym(nil, "__tsan_init") != nil || dlsym(nil, "__asan_init") != nil

/// Something that threads of a test wait for and say.
final class Signal: Sendable {
    private let monitor = Monitor(false)

    func give() { monitor.update { $0 = true } }

    /// Blocks until it was given; `false` if that takes longer than a test should.
    @discardableResult
    func await(for patience: Duration = .seconds(20)) -> Bool {
        monitor.wait(until: .now + patience) { $0 ? true : nil } ?? false
    }

    var isGiven: Bool { monitor.look { $0 } }
}

/// A thread of the operating system that a test starts and joins.
final class Parallel: Sendable {
    private let ended = Signal()
    private let failure = Mutex<(any Error)?>(nil)

    init(_ body: @escaping @Sendable () throws -> Void) {
        Thread.detachNewThread { [self] in
            do { try body() } catch { failure.withLock { $0 = error } }
            ended.give()
        }
    }

    /// Blocks until it ended, and throws what it threw.
    func join() throws {
        guard ended.await() else { throw Stuck() }
        if let error = failure.withLock({ $0 }) { throw error }
    }

    struct Stuck: Error {}
}

/// A failure of the caller's own, to see it come through.
struct Refusal: Error, Equatable {}

/// Numbers from a seed, so that a failing world can be named.
struct SeededNumbers: RandomNumberGenerator {
    private var state: UInt64

    init(seed: Int) { state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
