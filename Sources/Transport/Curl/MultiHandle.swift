internal import CCurl

/// Owns libcurl's multi handle: many transfers, one thread, one pool of connections.
///
/// Only ``wakeUp()`` may be called from any thread, and not after ``close()``; everything else
/// belongs to the thread of ``TransferLoop``.
// Sendable because the pointer never changes and the rule above keeps its uses apart: the mailbox
// wakes up under its lock and stops doing so before the loop closes the handle.
@safe
final class MultiHandle: @unchecked Sendable {
    private let multi: UnsafeMutableRawPointer

    /// libcurl wants its process-wide set-up exactly once, and before anything else.
    private static let isLibraryReady: Bool = shim_curl_global_init() == CURLE_OK

    init(configuration: HTTPClient.Configuration) {
        precondition(Self.isLibraryReady, "libcurl could not be initialised.")
        guard let multi = unsafe curl_multi_init() else {
            fatalError("Out of memory in curl_multi_init.")
        }
        unsafe self.multi = multi
        set(CURLMOPT_MAX_HOST_CONNECTIONS, configuration.maximumConnectionsPerHost)
        set(CURLMOPT_MAX_TOTAL_CONNECTIONS, configuration.maximumConnections)
        set(CURLMOPT_MAXCONNECTS, configuration.maximumConnections)
    }

    /// Ends a running or the next `poll`.
    ///
    /// The corresponding C function is `curl_multi_wakeup`.
    func wakeUp() {
        Self.check(unsafe curl_multi_wakeup(multi), "curl_multi_wakeup")
    }

    /// The corresponding C function is `curl_multi_add_handle`.
    func add(_ live: LiveTransfer) {
        Self.check(unsafe curl_multi_add_handle(multi, live.easy), "curl_multi_add_handle")
    }

    /// Takes a transfer out, finished or not, which closes the connection of an unfinished one.
    ///
    /// The corresponding C function is `curl_multi_remove_handle`.
    func remove(_ live: LiveTransfer) {
        Self.check(unsafe curl_multi_remove_handle(multi, live.easy), "curl_multi_remove_handle")
    }

    /// Does what can be done now, callbacks included.
    ///
    /// The corresponding C function is `curl_multi_perform`.
    func perform() {
        var running: Int32 = 0
        Self.check(unsafe curl_multi_perform(multi, &running), "curl_multi_perform")
    }

    /// Blocks until a socket is ready, a timer of libcurl is due, a wake-up came or the time is up.
    ///
    /// The corresponding C function is `curl_multi_poll`.
    func poll(milliseconds: Int32) {
        let code = unsafe curl_multi_poll(multi, nil, 0, milliseconds, nil)
        Self.check(code, "curl_multi_poll")
    }

    /// The next transfer that has ended, with libcurl's verdict on it.
    ///
    /// The corresponding C function is `curl_multi_info_read`.
    func nextEnded() -> (id: Transfer.ID, code: CURLcode)? {
        var waiting: Int32 = 0
        while let message = unsafe curl_multi_info_read(multi, &waiting) {
            guard unsafe message.pointee.msg == CURLMSG_DONE,
                let easy = unsafe message.pointee.easy_handle
            else { continue }
            let code = unsafe message.pointee.data.result
            return unsafe (LiveTransfer.id(of: easy), code)
        }
        return nil
    }

    /// Closes every connection and frees the handle.
    ///
    /// The corresponding C function is `curl_multi_cleanup`.
    func close() {
        Self.check(unsafe curl_multi_cleanup(multi), "curl_multi_cleanup")
    }

    private func set(_ option: CURLMoption, _ value: Int) {
        Self.check(unsafe shim_curl_multi_set_long(multi, option, value), "curl_multi_setopt")
    }

    /// A multi call fails for a mistake of ours or for lack of memory, never for what a remote does.
    private static func check(_ code: CURLMcode, _ function: String) {
        precondition(code == CURLM_OK, "\(function) failed with code \(code.rawValue).")
    }
}
