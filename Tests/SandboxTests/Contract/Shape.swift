import Sandbox

/// One place where an answer of the sandbox is not like the recorded one.
struct Difference: Hashable, CustomStringConvertible {
    var recording: String
    var index: Int
    /// The place in the answer: `status`, `header Location`, or a path like `contact.fields`.
    var path: String
    var recorded: String
    var emulated: String

    var description: String {
        "\(recording)#\(index) \(path): recorded \(recorded), emulated \(emulated)"
    }
}

/// Compares two answers: names, types, nesting, order, and values, but for what time and chance
/// decide, which must only look alike.
struct Comparison {
    /// Whether values must be equal, or only their forms.
    var comparesValues: Bool
    /// Names whose values come from time or chance.
    var volatile: Set<String>
    /// Names of objects whose keys are ids, so that any two entries compare.
    var keyed: Set<String>

    private(set) var found: [(path: String, recorded: String, emulated: String)] = []

    init(comparesValues: Bool, volatile: Set<String> = [], keyed: Set<String> = []) {
        self.comparesValues = comparesValues
        self.volatile = volatile
        self.keyed = keyed
    }

    mutating func note(_ path: String, _ recorded: String, _ emulated: String) {
        found.append((path, recorded, emulated))
    }

    mutating func compare(_ a: SandboxJSON, _ b: SandboxJSON, at path: [String] = []) {
        let place = path.joined(separator: ".")
        switch (a, b) {
        case (.object(let left), .object(let right)):
            if let name = path.last, keyed.contains(name) {
                compareKeyed(left, right, at: path)
            } else {
                compareMembers(left, right, at: path)
            }
        case (.array(let left), .array(let right)):
            if left.isEmpty != right.isEmpty {
                // Which entries an object of a list has depends on the world before.
                if !comparesValues, path.count > 2 { return }
                note(place, left.isEmpty ? "[]" : "a list", right.isEmpty ? "[]" : "a list")
            } else if comparesValues {
                if left.count != right.count {
                    note(place, "\(left.count) items", "\(right.count) items")
                }
                for (index, pair) in zip(left, right).enumerated() {
                    compare(pair.0, pair.1, at: path + ["\(index)"])
                }
            } else if let x = left.first, let y = right.first {
                compare(x, y, at: path + ["0"])
            }
        default: compareScalars(a, b, at: path)
        }
    }

    private mutating func compareMembers(
        _ left: [SandboxJSON.Member], _ right: [SandboxJSON.Member], at path: [String]
    ) {
        let place = path.joined(separator: ".")
        let (a, b) = (left.map(\.name), right.map(\.name))
        for name in a where !b.contains(name) { note("\(place).\(name)", "there", "missing") }
        for name in b where !a.contains(name) { note("\(place).\(name)", "missing", "there") }
        let shared = (a.filter(b.contains), b.filter(a.contains))
        if shared.0 != shared.1 {
            note(
                "\(place) order", shared.0.joined(separator: ","),
                shared.1.joined(separator: ","))
        }
        for member in left {
            guard let other = right.first(where: { $0.name == member.name }) else { continue }
            compare(member.value, other.value, at: path + [member.name])
        }
    }

    private mutating func compareKeyed(
        _ left: [SandboxJSON.Member], _ right: [SandboxJSON.Member], at path: [String]
    ) {
        guard let first = left.first, let other = right.first else {
            if left.isEmpty != right.isEmpty {
                note(
                    path.joined(separator: "."), left.isEmpty ? "{}" : "entries",
                    right.isEmpty ? "{}" : "entries")
            }
            return
        }
        let same = right.first { $0.name == first.name }
        compare(first.value, (same ?? other).value, at: path + ["*"])
    }

    private mutating func compareScalars(_ a: SandboxJSON, _ b: SandboxJSON, at path: [String]) {
        let isFree = !comparesValues || path.contains { volatile.contains($0) }
        let (x, y) = isFree ? (Self.form(a), Self.form(b)) : (a.text(), b.text())
        guard x != y else { return }
        // Where values are free, a null may stand for a value that the other world has.
        if !comparesValues, a == .null || b == .null || a == "" || b == "" { return }
        note(path.joined(separator: "."), String(x.prefix(90)), String(y.prefix(90)))
    }

    /// What kind of value this is, down to the spelling of dates and numbers.
    static func form(_ json: SandboxJSON) -> String {
        switch json {
        case .null: return "null"
        case .bool: return "bool"
        case .number(let text): return text.contains(".") ? "decimal" : "number"
        case .array(let items): return items.isEmpty ? "[]" : "array"
        case .object(let members): return members.isEmpty ? "{}" : "object"
        case .string(let text):
            let shape = String(
                text.map { $0.isNumber && $0.isASCII ? "0" : $0 })
            let dates = [
                "0000-00-00T00:00:00+00:00", "0000-00-00 00:00:00", "0000-00-00", "00:00:00",
            ]
            if dates.contains(shape) { return shape }
            if text.isEmpty { return "empty" }
            if Int(text) != nil { return "digits" }
            if text.count == 36, shape.filter({ $0 == "-" }).count == 4 { return "uuid" }
            return "text"
        }
    }
}
