package import Ledger
package import Model
package import Transport

/// One remote object as a look showed it.
package struct RemoteObject: Sendable, Equatable {
    package var id: String
    /// What it is: `contact`, `account`, `deal`.
    package var entity = "contact"
    /// Which of its entity's further kinds it is; empty for the ordinary one.
    package var furtherKind = ""
    /// What became of an object whose kind can be converted; `nil` where that was not told.
    package var conversion: Conversion?
    /// By the remote's own names, spelt as it spelt them; only attributes that were told.
    package var attributes: [(name: String, value: Value)]
    /// Its modification stamp as written, and as a moment.
    package var stamp: String
    package var modified: Timestamp?
    /// When it was made, as the remote wrote it, where it hands out ids that may come again.
    package var born = ""
    /// Attributes that a write asked for and that are not known to be stored: they are left out of
    /// `attributes`, and only another look tells what the object holds.
    package var unsettled: Set<String>
    /// It was looked up after a write that was not heard: what differs from what was sent may be
    /// anybody's edit since.
    package var isFoundLater = false
    /// A create was answered with an object that was there before.
    package var wasThere = false

    package enum Conversion: Sendable, Equatable {
        case none
        /// It lives on as another object, whose id the remote may tell.
        case converted(into: String?)
    }

    /// What kind of object it is.
    package var kind: String { furtherKind.isEmpty ? entity : furtherKind }

    package init(
        id: String, attributes: [(name: String, value: Value)], stamp: String,
        modified: Timestamp?, unsettled: Set<String> = []
    ) {
        self.id = id
        self.attributes = attributes
        self.stamp = stamp
        self.modified = modified
        self.unsettled = unsettled
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.id == right.id && left.stamp == right.stamp && left.unsettled == right.unsettled
            && left.attributes.elementsEqual(right.attributes) { $0 == $1 }
    }

    /// Takes back what is said of an attribute.
    mutating func unsettle(_ name: String) {
        attributes.removeAll { $0.name == name }
        unsettled.insert(name)
    }

    /// Whether it was made later than another under the same id, and so is somebody else.
    package func isYounger(than born: String) -> Bool {
        guard let earlier = Timestamp(born), let own = Timestamp(self.born) else { return false }
        return own > earlier
    }

    package subscript(_ name: String) -> Value? { attributes.first { $0.name == name }?.value }
}

/// One row of a change feed: an object's changed attributes, or its end.
package struct FeedChange: Sendable {
    package var object: RemoteObject
    package var isDeletion: Bool
    package var isComplete: Bool
    package var changedAt: Timestamp?
}

/// Where a walk over a system's objects stands.
package struct Walk: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// Every object, by id.
        case sweep
        /// What changed since a moment, by id.
        case changes(since: Timestamp)
        /// What was made since a moment, by id; only where the objects themselves do not tell.
        case added(since: Timestamp)
        /// The unacknowledged rows of the outbox.
        case feed
    }

    package var kind: Kind
    /// The kind of object that is read; a feed tells of everything.
    package var objects: String
    /// The last id read; pages are the ids above it, so edits meanwhile shift nothing.
    package var after: String?

    package init(_ kind: Kind, of objects: String = "contact", after: String? = nil) {
        self.kind = kind
        self.objects = objects
        self.after = after
    }
}

/// One page of a walk.
package struct Page: Sendable {
    package var objects: [RemoteObject] = []
    package var changes: [FeedChange] = []
    /// What to acknowledge once the page is durable.
    package var acknowledge: [String] = []
    /// The walk goes on here; `nil` at the end.
    package var next: Walk?
    /// About how many objects are still to come, where the system tells: for people to look at.
    package var left: Int?
}

/// What a look at one object by id showed.
package enum Looked: Sendable, Equatable {
    case found(RemoteObject)
    /// Another object answers for the id: it was merged away.
    case merged(into: RemoteObject)
    case gone
}

/// An answer that is not what was asked for.
package struct RemoteFailure: Error, Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// The token is not accepted: get another one, once.
        case token
        case refused(Refusal)
        /// Not heard, or not readable.
        case unclear
        /// Provably not run; the same again is harmless.
        case again(afterSeconds: Double)
    }

    package var kind: Kind
    package var status: Int
    /// Our own sentence, without the remote's text.
    package var message: String

    package init(_ kind: Kind, status: Int = 0, _ message: String) {
        self.kind = kind
        self.status = status
        self.message = message
    }
}

/// A request in the connector's words: the session adds address and authorization.
package struct Call: Sendable, Equatable {
    package var method: HTTPMethod
    package var path: String
    package var query: [(String, String)]
    package var headers: HTTPHeaders
    package var body: [UInt8]

    package init(
        _ method: HTTPMethod, _ path: String, query: [(String, String)] = [],
        headers: HTTPHeaders = [:], body: [UInt8] = []
    ) {
        self.method = method
        self.path = path
        self.query = query
        self.headers = headers
        self.body = body
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.method == right.method && left.target == right.target
            && left.headers == right.headers && left.body == right.body
    }

    /// Path and percent-encoded query.
    package var target: String {
        guard !query.isEmpty else { return path }
        return path + "?"
            + query.map { percentEncoded($0.0) + "=" + percentEncoded($0.1) }
            .joined(separator: "&")
    }
}

/// What a command asks for, as the connector needs it.
package struct WriteOrder: Sendable {
    package struct Change: Sendable {
        package var attribute: String
        package var call: Spelling.Call
        package var form: WriteForm
        package var write: Value
        package var leaves: Value
        package init(
            attribute: String, call: Spelling.Call, form: WriteForm, write: Value, leaves: Value
        ) {
            self.attribute = attribute
            self.call = call
            self.form = form
            self.write = write
            self.leaves = leaves
        }
    }

    package var command: CommandID
    package var operation: Operation
    package var replica: ReplicaID
    /// `nil` for a create.
    package var remoteID: String?
    /// What the system last showed, for compare-and-set.
    package var stamp: String
    /// When the object that is meant was made, where the system tells.
    package var born: String
    package var email: String?
    /// The object was not seen in this run: who answers for its id is not known.
    package var needsLook: Bool
    package var changes: [Change]

    package init(
        command: CommandID, operation: Operation, replica: ReplicaID, remoteID: String?,
        stamp: String, born: String = "", email: String?, needsLook: Bool, changes: [Change]
    ) {
        self.born = born
        self.needsLook = needsLook
        self.command = command
        self.operation = operation
        self.replica = replica
        self.remoteID = remoteID
        self.stamp = stamp
        self.email = email
        self.changes = changes
    }
}

/// What became of a write.
package enum WriteOutcome: Sendable {
    /// Heard to have run; `object` is what the answer shows of it, if it shows it.
    case confirmed(remoteID: String?, object: RemoteObject?)
    case failed(RemoteFailure)
}

/// A write as a conversation: the next call, given the last answer.
///
/// A value; it does no I/O and keeps no clock. `next(nil)` begins it.
package protocol Conversation: Sendable {
    mutating func next(_ answer: HTTPResult?) -> ConversationStep
}

package enum ConversationStep: Sendable {
    case call(Call)
    case done(WriteOutcome)
}

/// The objects of one kind at a system: data and pure functions, nothing else.
package protocol Connector: Sendable {
    var system: System { get }
    /// How long a change may be invisible to a walk that should have shown it.
    var overlapSeconds: Double { get }
    /// Whether changes come by a feed once the first sweep is done.
    var hasFeed: Bool { get }
    /// Whether objects show no date of birth though their ids may come again: then only a walk over
    /// what was added tells.
    var hidesBirth: Bool { get }

    /// The call that gets a token; `nil` where the credentials themselves are sent.
    func tokenCall(_ credentials: Credentials) -> Call?
    func token(from answer: HTTPResult) throws(RemoteFailure) -> Token
    /// The headers every call carries.
    func authorization(_ credentials: Credentials, token: String?) -> HTTPHeaders

    func pageCall(_ walk: Walk) -> Call
    func page(from answer: HTTPResult, _ walk: Walk) throws(RemoteFailure) -> Page
    func acknowledgeCall(_ rows: [String], now: Timestamp) -> Call?
    /// Checks that every row was acknowledged; one that was not comes again with the next feed.
    func acknowledged(from answer: HTTPResult, _ rows: [String]) throws(RemoteFailure)

    func lookCall(id: String) -> Call
    func look(from answer: HTTPResult, asked id: String) throws(RemoteFailure) -> Looked
    /// The call that finds what an unheard create may have left; `nil` where nothing can.
    func findCall(_ order: WriteOrder) -> Call?
    func found(from answer: HTTPResult, _ order: WriteOrder) throws(RemoteFailure) -> RemoteObject?

    /// The call that asks which fields its objects have.
    func fieldsCall() -> Call
    func fields(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteField]
    /// The call that asks which stages there are; `nil` where there is no such thing.
    func stagesCall() -> Call?
    func stages(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteStage]

    func write(_ order: WriteOrder) -> any Conversation
    /// The id a create will have, where it is ours to choose.
    func chosenID(_ order: WriteOrder) -> String?
    /// Whether a look shows a write of several calls that ended between them.
    ///
    /// What it shows then is our own doing, nobody's edit: the write is to be begun again.
    func isHalfDone(_ order: WriteOrder, in object: RemoteObject) -> Bool
}

extension Connector {
    package var hidesBirth: Bool { false }

    package func stagesCall() -> Call? { nil }
    package func stages(from answer: HTTPResult) throws(RemoteFailure) -> [RemoteStage] { [] }

    package func acknowledged(
        from answer: HTTPResult, _ rows: [String]
    ) throws(RemoteFailure) {
        let response = try readable(answer)
        guard (200..<300).contains(response.status) else {
            throw RemoteFailure(
                .unclear, status: response.status, "the system answered \(response.status)")
        }
    }

    package func isHalfDone(_ order: WriteOrder, in object: RemoteObject) -> Bool { false }
}

package struct Token: Sendable, Equatable {
    package var text: String
    package var lifetimeSeconds: Double
}

/// What a connection authenticates with.
///
/// Never logged; stored sealed.
package struct Credentials: Sendable, Equatable {
    package var clientID: String
    package var clientSecret: String

    package init(clientID: String = "", clientSecret: String) {
        self.clientID = clientID
        self.clientSecret = clientSecret
    }
}

/// The connector of a system, for the objects of one kind of an entity; the ordinary one, unless
/// another is given.
package func connector(
    for system: System, of entity: EntityMapping = .contact, kind: String? = nil
) -> any Connector {
    switch system {
    case .mautic: MauticConnector(entity)
    case .suitecrm: SuiteCRMConnector(entity, kind: kind)
    case .compass, .unspecified: CompassConnector(entity)
    }
}

/// RFC 3986, section 2.3: all but the unreserved characters.
package func percentEncoded(_ text: String) -> String {
    var output = ""
    for byte in text.utf8 {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "_"), UInt8(ascii: "~"):
            output.unicodeScalars.append(Unicode.Scalar(byte))
        default: output += "%" + hexadecimal(byte).uppercased()
        }
    }
    return output
}

/// What every connector does with an answer first.
package func readable(_ answer: HTTPResult) throws(RemoteFailure) -> HTTPResponse {
    switch answer {
    case .response(let response): return response
    case .failure(let failure):
        if failure.reachedRemote == .no, failure.kind != .clearTextRefused,
            failure.kind != .invalidRequest
        {
            throw RemoteFailure(.again(afterSeconds: 1), failure.message)
        }
        if failure.reachedRemote == .no {
            throw RemoteFailure(.refused(.unreachable), failure.message)
        }
        throw RemoteFailure(.unclear, failure.message)
    }
}
