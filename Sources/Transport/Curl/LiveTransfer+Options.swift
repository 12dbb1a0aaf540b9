internal import CCurl

extension LiveTransfer {
    /// What holds for every request of a client.
    func setOptions(_ configuration: HTTPClient.Configuration) {
        setSafety()
        setTrust(configuration)
        setProxy(configuration.proxy)
        setTimes(configuration)
        set(CURLOPT_USERAGENT, configuration.userAgent)
        // What libcurl is built with besides (br, zstd) is not needed, and would be more to trust.
        set(CURLOPT_ACCEPT_ENCODING, "gzip")
        set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
    }

    private func setSafety() {
        set(CURLOPT_NOSIGNAL, 1)
        set(CURLOPT_PROTOCOLS_STR, "http,https")
        set(CURLOPT_REDIR_PROTOCOLS_STR, "https")
        set(CURLOPT_FOLLOWLOCATION, 0)
        set(CURLOPT_NETRC, Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_HTTP09_ALLOWED, 0)
        set(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1)
        set(CURLOPT_TCP_KEEPALIVE, 1)
        // Ending a transfer must not wait for a name server: the resolving thread is left alone.
        set(CURLOPT_QUICK_EXIT, 1)
    }

    /// Both checks are on for every request, and nothing in this package turns them off.
    private func setTrust(_ configuration: HTTPClient.Configuration) {
        set(CURLOPT_SSL_VERIFYPEER, 1)
        set(CURLOPT_SSL_VERIFYHOST, 2)
        set(CURLOPT_SSLVERSION, Int(CURL_SSLVERSION_TLSv1_2))
        if let file = configuration.authorityFile {
            set(CURLOPT_CAINFO, file)
        }
    }

    private func setProxy(_ proxy: HTTPClient.Proxy) {
        // Clear text to loopback is allowed because it stays on the machine: no proxy for it.
        let staysHere = transfer.checked.target.isLoopback
        switch proxy {
        case .fromEnvironment where !staysHere: break
        case .none, .fromEnvironment: set(CURLOPT_PROXY, "")
        }
    }

    /// The total timeout is not among them: the loop keeps it, since libcurl's own would not count
    /// the wait for a free connection.
    private func setTimes(_ configuration: HTTPClient.Configuration) {
        let limits = transfer.limits
        set(CURLOPT_CONNECTTIMEOUT_MS, Int(limits.connectTimeout.milliseconds))
        set(CURLOPT_LOW_SPEED_LIMIT, 1)
        set(CURLOPT_LOW_SPEED_TIME, max(1, Int(limits.stallTimeout.milliseconds / 1000)))
        // libcurl looks whether a kept connection is still open before it reuses it, but a server
        // can close it just then, and a write would be left uncertain. A fresh connection is
        // cheaper than settling that, so a write wants one that was in use a moment ago.
        let isRead = [.get, .head].contains(transfer.checked.request.method)
        let lifetime =
            isRead ? configuration.idleLifetimeForReads : configuration.idleLifetimeForWrites
        set(CURLOPT_MAXAGE_CONN, max(1, Int(lifetime.milliseconds / 1000)))
    }

    // MARK: The request

    func setRequest() {
        let request = transfer.checked.request
        set(CURLOPT_URL, transfer.checked.target.url)
        setMethod(request)
        // Without a value libcurl drops a field; with a semicolon it writes it empty.
        for field in request.headers.fields {
            let isEmpty = field.value.utf8.allSatisfy { $0 == 0x20 || $0 == 0x09 }
            add(headerLine: isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        // libcurl's own additions for bodies: a wait for a 100, and a form's content type.
        add(headerLine: "Expect:")
        if request.headers["Content-Type"] == nil { add(headerLine: "Content-Type:") }
        useHeaderLines()
    }

    private func setMethod(_ request: HTTPRequest) {
        let needsLength = [.post, .put, .patch].contains(request.method)
        if !request.body.isEmpty || needsLength {
            setBody(request.body)
        } else if request.method == .head {
            set(CURLOPT_NOBODY, 1)
            return
        } else {
            set(CURLOPT_HTTPGET, 1)
        }
        set(CURLOPT_CUSTOMREQUEST, request.method.rawValue)
    }

    /// libcurl copies the body, so nothing of ours needs to keep its place in memory.
    private func setBody(_ body: [UInt8]) {
        check(unsafe shim_curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, body.count))
        // An empty array may have no address, which would mean a body still to be read.
        guard !body.isEmpty else {
            check(unsafe shim_curl_set_copied_body(easy, ""))
            return
        }
        check(unsafe shim_curl_set_copied_body(easy, body))
    }

    private func set(_ option: CURLoption, _ value: Int) {
        check(unsafe shim_curl_set_long(easy, option, value))
    }

    private func set(_ option: CURLoption, _ value: String) {
        check(unsafe shim_curl_set_string(easy, option, value))
    }
}

extension Duration {
    /// Rounded up, at least one: zero would mean no limit to libcurl.
    var milliseconds: Int64 {
        let (seconds, attoseconds) = components
        guard seconds < Int64(Int32.max) / 1000 else { return Int64(Int32.max) }
        return max(1, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
