internal import CCurl
internal import Glibc

/// A transfer on the wire: owns its easy handle and gathers what libcurl's callbacks bring.
///
/// Lives on the transport thread only. It must be out of the multi handle before it goes away.
@safe
final class LiveTransfer {
    let transfer: Transfer
    let easy: UnsafeMutableRawPointer

    private var headerLines: UnsafeMutablePointer<curl_slist>?
    private let errorText: UnsafeMutablePointer<CChar>
    private var head: ResponseHead
    private var body: [UInt8] = []
    private var cause = FailureReason.Cause.none

    /// How often libcurl stood before writing the request.
    ///
    /// This is what ``HTTPFailure/reachedRemote`` rests on. libcurl calls back when a connection is
    /// ready, handshakes done, and has written nothing of the request yet: as long as this is zero,
    /// the request provably did not run.
    ///
    /// It also keeps the transport from ever sending twice. Where a kept connection dies before a
    /// byte of the response, libcurl takes it for an idle connection that the server had closed
    /// and silently sends the request again, up to five times, POST or not: the server may well
    /// have read and run the first one. (`CURLOPT_FORBID_RETRY_ON_REUSE` is for this, from 8.16
    /// on.) The second time is refused here, and already the opening of a new socket for it.
    private var attempts = 0

    init(_ transfer: Transfer, configuration: HTTPClient.Configuration) {
        guard let easy = unsafe curl_easy_init() else {
            fatalError("Out of memory in curl_easy_init.")
        }
        self.transfer = transfer
        self.head = ResponseHead(limits: transfer.limits)
        unsafe self.easy = easy
        unsafe self.errorText = .allocate(capacity: Int(CURL_ERROR_SIZE))
        unsafe self.errorText.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        setOptions(configuration)
        setRequest()
        setCallbacks()
    }

    deinit {
        unsafe curl_easy_cleanup(easy)
        unsafe curl_slist_free_all(headerLines)
        unsafe errorText.deallocate()
    }

    /// The transfer that a handle in libcurl's hands belongs to.
    static func id(of easy: UnsafeMutableRawPointer) -> Transfer.ID {
        var context: UnsafeMutableRawPointer?
        let code = unsafe shim_curl_get_pointer(easy, CURLINFO_PRIVATE, &context)
        precondition(code == CURLE_OK, "A handle without its transfer.")
        return unsafe owner(context).transfer.id
    }

    func add(headerLine: String) {
        guard let lines = unsafe curl_slist_append(headerLines, headerLine) else {
            fatalError("Out of memory in curl_slist_append.")
        }
        unsafe headerLines = lines
    }

    func useHeaderLines() {
        let code = unsafe shim_curl_set_list(easy, CURLOPT_HTTPHEADER, headerLines)
        precondition(code == CURLE_OK, "libcurl refused the header lines.")
    }

    // MARK: Ends

    /// What a transfer that libcurl has ended comes to.
    func result(_ code: CURLcode) -> HTTPResult {
        guard code == CURLE_OK else { return .failure(failure(code)) }
        // libcurl is content with a connection that ends within the head.
        guard head.isComplete else { return .failure(failure(CURLE_PARTIAL_FILE)) }
        guard let status = head.status, status >= 200 else {
            return .failure(failure(CURLE_WEIRD_SERVER_REPLY))
        }
        return .response(
            HTTPResponse(status: status, headers: head.headers, body: body, timings: timings()))
    }

    /// What a transfer that we end comes to.
    func failure(_ kind: HTTPFailure.Kind) -> HTTPFailure {
        transfer.failure(kind, wasSent: attempts > 0, status: head.status)
    }

    private func failure(_ code: CURLcode) -> HTTPFailure {
        let reason = FailureReason(code: code, cause: cause, wasSent: attempts > 0)
        let kind = reason.kind
        let detail = Redactor.redact(unsafe String(cString: errorText))
        return HTTPFailure(
            kind: kind, reachedRemote: reason.reach, status: head.status,
            message: kind.message(
                about: transfer.checked.target.origin, limits: transfer.limits,
                detail: detail.isEmpty ? "libcurl error \(code.rawValue)" : detail))
    }

    private func timings() -> HTTPTimings {
        var connections = 0
        _ = unsafe shim_curl_get_long(easy, CURLINFO_NUM_CONNECTS, &connections)
        return HTTPTimings(
            nameResolved: time(CURLINFO_NAMELOOKUP_TIME_T),
            connected: time(CURLINFO_CONNECT_TIME_T),
            secured: time(CURLINFO_APPCONNECT_TIME_T),
            firstByte: time(CURLINFO_STARTTRANSFER_TIME_T),
            total: time(CURLINFO_TOTAL_TIME_T),
            reusedConnection: connections == 0)
    }

    private func time(_ info: CURLINFO) -> Duration {
        var microseconds: curl_off_t = 0
        _ = unsafe shim_curl_get_size(easy, info, &microseconds)
        return .microseconds(microseconds)
    }
}

// MARK: Callbacks

extension LiveTransfer {
    private static func owner(_ context: UnsafeMutableRawPointer?) -> LiveTransfer {
        guard let context = unsafe context else { fatalError("A callback without its transfer.") }
        return unsafe Unmanaged<LiveTransfer>.fromOpaque(context).takeUnretainedValue()
    }

    /// The handle keeps an unowned pointer to this object, which outlives it: see `deinit`.
    private func setCallbacks() {
        let context = unsafe Unmanaged.passUnretained(self).toOpaque()
        for option in [
            CURLOPT_PRIVATE, CURLOPT_HEADERDATA, CURLOPT_WRITEDATA, CURLOPT_PREREQDATA,
            CURLOPT_OPENSOCKETDATA,
        ] {
            check(unsafe shim_curl_set_pointer(easy, option, context))
        }
        check(unsafe shim_curl_set_pointer(easy, CURLOPT_ERRORBUFFER, errorText))
        check(
            unsafe shim_curl_set_write_callback(easy, CURLOPT_HEADERFUNCTION) {
                bytes, size, count, context in
                let line = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe LiveTransfer.owner(context).takeHeaderLine(Array(line))
            })
        check(
            unsafe shim_curl_set_write_callback(easy, CURLOPT_WRITEFUNCTION) {
                bytes, size, count, context in
                let part = unsafe UnsafeRawBufferPointer(start: bytes, count: size * count)
                return unsafe LiveTransfer.owner(context).takeBody(part)
            })
        check(
            unsafe shim_curl_set_before_request_callback(easy) { context, _, _, _, _ in
                unsafe LiveTransfer.owner(context).isFirstAttempt()
                    ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT
            })
        check(
            unsafe shim_curl_set_open_socket_callback(easy) { context, _, address in
                guard let address = unsafe address,
                    unsafe LiveTransfer.owner(context).mayOpenSocket()
                else { return shim_curl_no_socket() }
                // Not to be inherited by child processes.
                let type = unsafe address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
                return unsafe socket(address.pointee.family, type, address.pointee.protocol)
            })
    }

    private func takeHeaderLine(_ line: [UInt8]) -> Int {
        switch head.take(line) {
        case .accepted: return line.count
        case .tooLarge: cause = .headersTooLarge
        case .malformed: cause = .malformedHead
        }
        return 0
    }

    /// Bytes arrive decompressed here, so that a small message cannot grow without limit.
    private func takeBody(_ part: UnsafeRawBufferPointer) -> Int {
        guard part.count <= transfer.limits.maximumBodySize - body.count else {
            cause = .bodyTooLarge
            body = []
            return 0
        }
        unsafe body.append(contentsOf: part)
        return part.count
    }

    private func isFirstAttempt() -> Bool {
        attempts += 1
        guard attempts > 1 else { return true }
        cause = .secondAttempt
        return false
    }

    private func mayOpenSocket() -> Bool {
        guard attempts > 0 else { return true }
        cause = .secondAttempt
        return false
    }

    /// An option fails only for a mistake of ours or for lack of memory.
    func check(_ code: CURLcode) {
        precondition(code == CURLE_OK, "curl_easy_setopt failed with code \(code.rawValue).")
    }
}
