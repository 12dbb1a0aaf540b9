/// How long and how much one exchange may take.
package struct HTTPLimits: Sendable, Equatable {
    /// From leaving the queue to a connection that is ready for the request, TLS included.
    package var connectTimeout: Duration

    /// From `start` to the last byte of the response, waiting for a free connection included.
    package var totalTimeout: Duration

    /// A transfer slower than one byte a second for this long is given up.
    ///
    /// Whole seconds. Waiting for the first byte of an answer counts: this is also how long a
    /// server may think.
    package var stallTimeout: Duration

    /// Bytes of the body after decompression.
    package var maximumBodySize: Int

    /// Bytes of all header lines together, those of interim responses and trailers included.
    package var maximumHeaderSize: Int

    /// Number of header lines, counted in the same way.
    package var maximumHeaderCount: Int

    package init(
        connectTimeout: Duration = .seconds(10),
        totalTimeout: Duration = .seconds(120),
        stallTimeout: Duration = .seconds(60),
        maximumBodySize: Int = 32 << 20,
        maximumHeaderSize: Int = 64 << 10,
        maximumHeaderCount: Int = 200
    ) {
        self.connectTimeout = connectTimeout
        self.totalTimeout = totalTimeout
        self.stallTimeout = stallTimeout
        self.maximumBodySize = maximumBodySize
        self.maximumHeaderSize = maximumHeaderSize
        self.maximumHeaderCount = maximumHeaderCount
    }
}
