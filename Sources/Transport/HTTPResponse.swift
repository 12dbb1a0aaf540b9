/// A whole response: status, head and decoded body, all heard.
///
/// A refusal of the remote (4xx, 5xx) is a response like any other, and so is a redirect: it is
/// never followed.
package struct HTTPResponse: Sendable, Equatable {
    package var status: Int

    /// As received.
    ///
    /// `Content-Encoding` and `Content-Length` speak of the bytes on the wire.
    package var headers: HTTPHeaders

    /// Decompressed.
    ///
    /// Empty for HEAD, 204 and 304. An answer without a length ends with its connection, as HTTP/1.0
    /// does: cut short it looks whole, and only what is in it can tell.
    package var body: [UInt8]

    package var timings: HTTPTimings

    package init(
        status: Int,
        headers: HTTPHeaders = [:],
        body: [UInt8] = [],
        timings: HTTPTimings = HTTPTimings()
    ) {
        self.status = status
        self.headers = headers
        self.body = body
        self.timings = timings
    }
}

/// Where the time of an exchange went, each measured from its start on the wire.
package struct HTTPTimings: Sendable, Equatable {
    package var nameResolved: Duration
    package var connected: Duration
    package var secured: Duration
    package var firstByte: Duration
    package var total: Duration

    /// Whether the request went over a connection kept from an earlier one.
    package var reusedConnection: Bool

    package init(
        nameResolved: Duration = .zero,
        connected: Duration = .zero,
        secured: Duration = .zero,
        firstByte: Duration = .zero,
        total: Duration = .zero,
        reusedConnection: Bool = false
    ) {
        self.nameResolved = nameResolved
        self.connected = connected
        self.secured = secured
        self.firstByte = firstByte
        self.total = total
        self.reusedConnection = reusedConnection
    }
}
