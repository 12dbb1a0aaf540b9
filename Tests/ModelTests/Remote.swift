import Ledger
import Model

/// One remote object, as far as one field goes: what it holds and who made it so.
struct Remote {
    enum Author: Hashable {
        case origin
        case person(Int)
        case command(CommandID)
    }

    /// How it treats what it is told, beyond what its codec foresees.
    enum Quirk { case none, rewrites, ignores, refuses }

    let spelling: Spelling
    var value: Value
    var author = Author.origin
    /// True time of the last change of content.
    var changedAt: Int64 = 0
    /// Its clock minus the true one.
    var clock: Int64 = 0
    /// Grows with every change, as `updated_at` does.
    var row = 0
    /// The last command whose id its trigger stored.
    var writtenBy: CommandID?
    var quirk = Quirk.none
    /// Whether the answer to a write shows what was stored.
    var tells = true
    /// What our writes added to its count.
    var ourEffect: Int64 = 0
    /// The row that each of our commands left.
    var ran: Set<CommandID> = []

    init(spelling: Spelling, value: Value) {
        self.spelling = spelling
        self.value = value
    }

    var content: Value { spelling.codec.content(of: value) }

    /// A person types; what is kept passes the same rules as anything that comes in.
    mutating func type(_ content: Value, edit: Int, at time: Int64) {
        set(spelling.codec.stored(spelling.codec.spelling(of: content)), .person(edit), time)
    }

    mutating func set(_ new: Value, _ author: Author, _ time: Int64) {
        let changes = spelling.codec.content(of: new) != content
        value = new
        row += 1
        guard changes else { return }
        self.author = author
        changedAt = time
    }

    /// What a request to write would leave here.
    func result(of write: WriteNeed.Write) -> Value {
        switch write.form {
        case .absolute:
            let stored = spelling.codec.stored(write.spelling)
            guard quirk == .rewrites, case .text(let text) = stored, !text.isEmpty else {
                return stored
            }
            return .text(text.hasSuffix(".") ? text : text + ".")
        case .delta:
            return .number(String(content.integer + write.spelling.integer))
        case .elements:
            let after = Branch.changing(content.elements, by: write.spelling.elements)
            return spelling.codec.stored(.set(of: after))
        }
    }
}

/// What a look found, at the moment the remote answered it.
struct Capture {
    /// Counts the moments at which remotes answered.
    var serial: Int
    var value: Value
    var author: Remote.Author
    var changedAt: Int64
    var stamp: Int64
    var row: Int
    var writtenBy: CommandID?
}

/// A read on its way.
struct Look {
    var replica: Int
    var lookedAfter: UInt64
    /// True time and step at which its request left.
    var leftAt: Int64
    var step: Int
    var capture: Capture?
}

/// One try of a command on its way.
struct Call {
    enum Answer {
        case stored(Value, row: Int)
        case refused
        case conflict
    }

    var command: CommandID
    var answer: Answer?
    var isLostOnTheWay = false
    var isAnswerLost = false
}

/// A command of the engine and what it knows of its fate.
struct Command {
    enum State { case queued, sent, uncertain, givenUp, confirmed, refused, superseded, parked }

    var id: CommandID
    var replica: Int
    var record: Int
    var write: WriteNeed.Write
    var version: UInt64
    var base: EventID
    var before: Value
    var row: Int
    var state = State.queued
    var attempts = 0
    /// The sequence at which it became uncertain: looks that left before say nothing of it.
    var uncertainSince: UInt64 = 0
    /// A look that left after all its tries came to rest did not show it.
    var isSeenNotRun = false
    /// The moment at which it last landed; what the laws know.
    var landedAt = 0
    /// The step from which on no try of it can be on its way any more.
    var restsSince = 0

    var isOpen: Bool {
        state == .queued || state == .sent || state == .uncertain || state == .parked
    }
}
