import Connectors
import Ledger
import Model

/// An event for people and for programs.
struct EventWords {
    let logged: LoggedEvent
    private let subject: String
    private let summary: String

    init(_ logged: LoggedEvent, _ names: Names) throws {
        self.logged = logged
        subject = try names.subject(of: logged)
        summary = syncledger.summary(logged.event)
    }

    /// One line: number, moment, what happened, to whom.
    var line: String {
        let words = [subject, summary].filter { !$0.isEmpty }.joined(separator: ": ")
        return "\(logged.sequence)  \(text(logged.recordedAt))  \(logged.event.name)"
            + (words.isEmpty ? "" : "  \(words)")
    }

    /// Where it belongs and why it is there.
    var details: [String] {
        let entry = logged.entry
        return [
            "  id         \(logged.id)", "  stream     \(entry.stream.kind) \(entry.stream.id)",
            "  by         \(entry.actor.kind)",
            "  run        \(entry.run.map { "\($0)" } ?? "–")",
            "  caused by  \(entry.causation.map { "\($0)" } ?? "–")",
        ]
    }

    var json: JSON { .object(members) }

    var members: [JSON.Member] {
        let entry = logged.entry
        return [
            .init("sequence", .number("\(logged.sequence)")),
            .init("id", .string("\(logged.id)")), .init("type", .string(logged.event.name)),
            .init("recordedAt", .string("\(logged.recordedAt)")),
            .init("subject", .string(subject)), .init("summary", .string(summary)),
            .init(
                "stream",
                .object([
                    .init("kind", .string("\(entry.stream.kind)")),
                    .init("id", .string("\(entry.stream.id)")),
                ])),
            .init("by", .string("\(entry.actor.kind)")),
            .init("run", entry.run.map { .string("\($0)") } ?? .null),
            .init("causedBy", entry.causation.map { .string("\($0)") } ?? .null),
        ]
    }
}

private func summary(_ event: Event) -> String {
    switch event {
    case .connectionConfigured(let event):
        event.url.isEmpty ? "files" : "\(event.system.name) \(event.url)"
    case .policyChanged(let event): event.entity
    case .mappingChanged(let event): event.entity
    case .rulesAdopted(let event): event.entity
    case .observed(let event):
        "by \(event.road.name): "
            + event.attributes.map { "\($0.name)=\(text($0.value))" }.joined(separator: ", ")
    case .gone(let event): event.proof == .merged ? "merged into another one" : "\(event.proof)"
    case .converted(let event):
        event.converted ? "converted into a contact" : "no longer converted"
    case .linked(let event): event.reason.name
    case .decided(let event):
        event.fields.map { field in
            "\(field.field) \(field.kind.name) (\(field.law))"
                + (field.outcome.map { " → \(text($0.value))" } ?? "")
        }.joined(separator: "; ")
    case .settled(let event):
        "\(event.field.field) → \(text(event.field.outcome))"
    case .overtaken(let event): event.attributes.joined(separator: ", ")
    case .commandIssued(let event):
        "\(event.operation.name) "
            + event.changes.map { "\($0.attribute)=\(text($0.write))" }
            .joined(separator: ", ")
    case .commandRefused(let event): event.reason
    case .commandUncertain(let event): event.reason
    case .commandSuperseded(let event): event.reason
    case .commandParked(let event): event.reason
    case .runStarted(let event): event.verb
    case .runFinished(let event):
        event.counts.filter { $0.value > 0 }.map { "\($0.name) \($0.value)" }
            .joined(separator: ", ")
    default: ""
    }
}
