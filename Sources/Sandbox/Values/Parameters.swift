/// The parameters of a query or form, in order, decoded, and nested as PHP nests `a[b][]=c`.
struct Parameters {
    let pairs: [(name: String, value: String)]

    init(_ encoded: String) {
        pairs = encoded.split(separator: "&").map { pair in
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            return (
                parts[0].percentDecoded(plusIsSpace: true),
                parts.count > 1 ? parts[1].percentDecoded(plusIsSpace: true) : ""
            )
        }
    }

    /// The last value of that plain name.
    subscript(name: String) -> String? { pairs.last { $0.name == name }?.value }

    /// All parameters as one JSON object; lists keep their order and become objects keyed by
    /// position, as PHP's arrays do, unless their keys run from 0.
    var nested: SandboxJSON {
        var root = Node()
        for (name, value) in pairs {
            root.insert(Self.path(of: name)[...], value)
        }
        return .object(root.members.map { .init($0.name, $0.node.json) })
    }

    private static func path(of name: String) -> [String] {
        guard let bracket = name.firstIndex(of: "["), name.last == "]" else { return [name] }
        var path = [String(name[..<bracket])]
        path += name[bracket...].dropFirst().dropLast()
            .split(separator: "][", omittingEmptySubsequences: false).map(String.init)
        return path
    }

    private struct Node {
        var text: String?
        var members: [(name: String, node: Node)] = []

        mutating func insert(_ path: ArraySlice<String>, _ value: String) {
            guard let first = path.first else {
                text = value
                return
            }
            let name = first.isEmpty ? String(members.count) : first
            if let index = members.firstIndex(where: { $0.name == name }) {
                members[index].node.insert(path.dropFirst(), value)
            } else {
                var node = Node()
                node.insert(path.dropFirst(), value)
                members.append((name, node))
            }
        }

        var json: SandboxJSON {
            if members.isEmpty { return .string(text ?? "") }
            let isList = members.enumerated().allSatisfy { $0.element.name == String($0.offset) }
            return isList
                ? .array(members.map(\.node.json))
                : .object(members.map { .init($0.name, $0.node.json) })
        }
    }
}

extension SandboxRequest {
    var parameters: Parameters { Parameters(query) }
}

/// Random numbers that depend on a seed alone (SplitMix64).
package struct SandboxRandom: RandomNumberGenerator, Sendable, Hashable {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// So many characters of lower-case hexadecimal.
    package mutating func hex(_ count: Int) -> String {
        var out = ""
        while out.count < count {
            let digits = String(next(), radix: 16)
            out += String(repeating: "0", count: 16 - digits.count) + digits
        }
        return String(out.prefix(count))
    }

    /// So many letters and digits, as a token uses them.
    package mutating func token(_ count: Int) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
        return String((0..<count).map { _ in alphabet[Int(next() % UInt64(alphabet.count))] })
    }

    /// A version 4 UUID in lower case.
    package mutating func uuid() -> String {
        var digits = Array(hex(32))
        digits[12] = "4"
        digits[16] = Array("89ab")[Int(next() % 4)]
        return [0..<8, 8..<12, 12..<16, 16..<20, 20..<32].map { String(digits[$0]) }
            .joined(separator: "-")
    }
}
