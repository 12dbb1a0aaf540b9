import Synchronization

#if canImport(Glibc)
    import Glibc
#endif

/// Standard output, and the first reason why it could not be written.
///
/// What a verb did is done when it tells of it, so a failure ends the process and not the verb.
enum Output {
    private static let firstFailure = Mutex<Int32?>(nil)

    /// The system's number of what went wrong; nil too where the reader, a pager, has seen enough.
    static var failure: Int32? {
        firstFailure.withLock { $0 == EPIPE ? nil : $0 }
    }

    /// Writes lines; blocks until the reader has taken them.
    static func put(_ lines: [String]) {
        let bytes = Array(lines.map { $0 + "\n" }.joined().utf8)
        firstFailure.withLock { failure in
            if failure == nil { failure = write(bytes, to: 1) }
        }
    }

    /// Writes a sentence on standard error, where nobody is left to tell if that fails.
    static func complain(_ sentence: String) {
        _ = write(Array((sentence + "\n").utf8), to: 2)
    }

    private static func write(_ bytes: [UInt8], to file: Int32) -> Int32? {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
            if count > 0 {
                rest = rest.dropFirst(count)
            } else if errno != EINTR {
                return errno
            }
        }
        return nil
    }
}
