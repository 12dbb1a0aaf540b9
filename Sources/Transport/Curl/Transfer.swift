/// One accepted request on its way to its one result.
struct Transfer: Sendable {
    typealias ID = UInt64

    let id: ID
    let checked: CheckedRequest
    let limits: HTTPLimits
    let deadline: ContinuousClock.Instant
    let completion: @Sendable (HTTPResult) -> Void

    /// A failure that the transport found by itself, without libcurl.
    func failure(_ kind: HTTPFailure.Kind, wasSent: Bool, status: Int? = nil) -> HTTPFailure {
        HTTPFailure(
            kind: kind, reachedRemote: wasSent ? .maybe : .no, status: status,
            message: kind.message(about: checked.target.origin, limits: limits, detail: ""))
    }
}
