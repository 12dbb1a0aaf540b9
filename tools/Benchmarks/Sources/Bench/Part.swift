/// What is measured in a process of its own.
enum Part: String, CaseIterable {
    case append
    case write
    case scan
    case verify
    case rebuild
    case asOf = "as-of"
    case planning

    func figures(directory: String, events: Int) throws -> Figures {
        let reading = Reading(directory: directory, events: events)
        return switch self {
        case .append: try Appending(root: directory).figures(events: events)
        case .write: try reading.write()
        case .scan: try reading.scan()
        case .verify: try reading.verify()
        case .rebuild: try reading.rebuild()
        case .asOf: try reading.asOf()
        case .planning:
            try Planning(directory: directory, people: min(100_000, events / 10)).figures()
        }
    }
}
