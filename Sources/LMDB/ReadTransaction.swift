/// A snapshot of an environment, lent by `Environment.read`.
///
/// While it is open no page it can see is reused, so it is refused further use beyond an age.
package struct ReadTransaction: ~Copyable, Reading {
    package let access: Access
    private let environment: Environment
    private let reader: IdleReader
    private let ticket: Gate.Ticket

    init(_ reader: IdleReader, in environment: Environment, ticket: Gate.Ticket) {
        self.access = unsafe Access(
            transaction: reader.transaction, environment: environment, isWriting: false,
            expiry: ticket.since + environment.options.readerAgeLimit)
        self.environment = environment
        self.reader = reader
        self.ticket = ticket
    }

    deinit {
        environment.end(reader, ticket)
    }

    /// Ends it here rather than with its scope.
    consuming func finish() {}

    /// How long it has been open.
    package var age: Duration { ticket.since.elapsed }
}
