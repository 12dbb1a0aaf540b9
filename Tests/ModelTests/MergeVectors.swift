import Foundation
import Ledger
import Model

/// One file of `Schemas/merge`; the README there explains every word.
struct VectorFile: Decodable {
    var rule: String
    var vectors: [Vector]
}

struct Vector: Decodable {
    var name: String
    var law: String?
    var prefer: [String]?
    var enforce: Bool?
    var skewMicroseconds: Int64?
    var skewUnmeasured: Bool?
    var relink: String?
    var readdress: String?
    var merged: Merged?
    var spell: Spell?
    var state: State?
    var look: Look?
    var confirm: Confirmation?
    var settle: Plain?
    var expect: Expectation

    struct State: Decodable {
        var outcome: OutcomeText?
        var branches: [BranchText]
        var contest: ContestText?
        var consentGiven: Bool?
        var lastWriter: String?
    }

    struct OutcomeText: Decodable {
        var value: Plain
        var version: UInt64
        var author: String?
        var evidence: Interval?
        var settledByPerson: Bool?
    }

    struct BranchText: Decodable {
        var replica: String
        var kind: String?
        var form: String?
        var maximumLength: Int?
        var seen: Told?
        var accounted: Told?
        var evidence: Interval?
        var accepted: Accepted?
        var pending: [Pending]?
        var mayWrite: Bool?
        var maySpeak: Bool?
        var liftsAnswered: Int?
        var refusedVersion: UInt64?
        var addedByUs: [String]?
        var isUnverified: Bool?
    }

    struct Merged: Decodable { var replica, into: String }
    struct Accepted: Decodable { var version: UInt64, spelling: Plain }
    struct Pending: Decodable { var leaves: Plain, open: Bool }
    struct Interval: Decodable { var earliest: Int64?, latest: Int64? }
    struct ContestText: Decodable { var sides: [Side], freezesOnlyInputs: Bool }
    struct Side: Decodable { var replica: String, content: Plain }
    struct Look: Decodable { var road: String, lookedAfter, lastLook, lastSettled: UInt64 }
    struct Confirmation: Decodable {
        var replica: String, form: String, sent: Plain, stored: Plain?, version: UInt64, told: Bool
    }

    struct Spell: Decodable {
        var system, kind: String, maximumLength: Int?, content: Plain
    }

    struct Expectation: Decodable {
        var accepted: Bool?
        var spelling: Plain?
        var held: Plain?
        var after: [String: BranchAfter]?
        var rulings: [RulingText]?
        var needs: [String: Need]?
        var branch: BranchAfter?
    }

    struct RulingText: Decodable, Equatable {
        var kind: String
        var reason: String
        var outcome: Plain?
        var version: UInt64?
        var inputs: [String: String]
    }

    struct Need: Decodable, Equatable {
        var verdict: String
        var send: Plain?
        var form: String?
    }

    struct BranchAfter: Decodable, Equatable {
        var seen: Plain
        var accounted: Plain
        var liftsAnswered: Int?
        var addedByUs: [String]?

        /// What `expected` tells of a branch, as it is.
        init(_ branch: Branch, like expected: BranchAfter) {
            seen = Plain(branch.seen ?? .null)
            accounted = Plain(branch.accounted ?? .null)
            liftsAnswered = expected.liftsAnswered.map { _ in branch.liftsAnswered }
            addedByUs = expected.addedByUs.map { _ in branch.addedByUs.sorted() }
        }
    }
}

/// A value in JSON: null, text, number, boolean, or an array of texts for a set.
///
/// What JSON has no form for is an object of one member: a number as text, or what a newer writer
/// wrote, in hexadecimal digits.
struct Plain: Decodable, Equatable {
    var value: Value

    init(_ value: Value) { self.value = value }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            value = .null
        } else if let flag = try? container.decode(Bool.self) {
            value = .bool(flag)
        } else if let number = try? container.decode(Int64.self) {
            value = .number(String(number))
        } else if let elements = try? container.decode([String].self) {
            value = .set(of: elements)
        } else if let object = try? container.decode([String: String].self) {
            value = try Self.value(object, decoder)
        } else {
            value = .text(try container.decode(String.self))
        }
    }

    private static func value(_ object: [String: String], _ decoder: any Decoder) throws -> Value {
        switch object.first {
        case ("number", let text)? where object.count == 1: return .number(text)
        case ("unrecognized", let digits)? where object.count == 1:
            let bytes = stride(from: 0, to: digits.count, by: 2).compactMap {
                UInt8(digits.dropFirst($0).prefix(2), radix: 16)
            }
            return .unrecognized(bytes)
        default:
            throw DecodingError.dataCorrupted(
                .init(codingPath: decoder.codingPath, debugDescription: "no form of a value"))
        }
    }
}

/// `{"is": …}`: told, and what; the key's absence means that nothing was told.
struct Told: Decodable { var `is`: Plain? }

extension Vector {
    static let replicas = ["compass", "mautic", "suitecrm", "mautic2"]

    static func id(_ name: String) -> ReplicaID {
        guard let index = replicas.firstIndex(of: name) else {
            preconditionFailure("the words are checked before anything is built")
        }
        return ReplicaID(high: 1, low: UInt64(index + 1))
    }

    static func name(_ id: ReplicaID) -> String { replicas[Int(id.low) - 1] }

    static func system(_ name: String) -> System {
        System(name: name.filter(\.isLetter)) ?? .unspecified
    }

    var merge: Merge {
        let policy = FieldPolicy(
            law: law.flatMap(Law.init) ?? .fieldMerge, prefer: (prefer ?? []).map(Self.system),
            enforce: enforce ?? false)
        return Merge(policy: policy, skew: skewUnmeasured == true ? nil : skewMicroseconds ?? 0)
    }

    var fieldState: FieldState? {
        guard let state else { return nil }
        let outcome = state.outcome.map { text in
            Outcome(
                value: text.value.value, version: text.version, author: text.author.map(Self.id),
                authorSystem: text.author.map(Self.system), evidence: text.evidence?.evidence,
                settledByPerson: text.settledByPerson ?? false)
        }
        let contest = state.contest.map { text in
            Contest(
                sides: Set(
                    text.sides.map {
                        .init(replica: Self.id($0.replica), content: $0.content.value)
                    }),
                freezesOnlyInputs: text.freezesOnlyInputs)
        }
        var result = FieldState(
            outcome: outcome, branches: state.branches.map(\.branch), contest: contest)
        result.consentGiven = state.consentGiven ?? false
        result.lastWriter = state.lastWriter.map(Self.id)
        return result
    }
}

extension Vector.Interval {
    var evidence: Evidence {
        Evidence(
            earliest: earliest.map(Timestamp.init(microseconds:)),
            latest: latest.map(Timestamp.init(microseconds:)))
    }
}

extension Vector.BranchText {
    static let kinds: [String: FieldCodec.Kind] = [
        "text": .text, "email": .email, "integer": .integer, "flag": .flag, "tags": .tags,
    ]

    var branch: Branch {
        let system = Vector.system(replica)
        let codec = FieldCodec(
            system, Self.kinds[kind ?? "text"] ?? .text, maximumLength: maximumLength)
        var branch = Branch(
            replica: Vector.id(replica), system: system,
            spelling: Spelling("field", codec, form: WriteForm(word: form ?? "absolute")))
        branch.seen = seen.map { $0.is?.value ?? .null }
        branch.accounted = accounted.map { $0.is?.value ?? .null }
        branch.evidence = evidence?.evidence
        branch.accepted = accepted.map { .init(version: $0.version, spelling: $0.spelling.value) }
        branch.pending = (pending ?? []).map {
            PendingWrite(command: .none, leaves: $0.leaves.value, isOpen: $0.open)
        }
        branch.mayWrite = mayWrite ?? true
        branch.maySpeak = maySpeak ?? true
        branch.liftsAnswered = liftsAnswered ?? 0
        branch.refusedVersion = refusedVersion
        branch.addedByUs = Set(addedByUs ?? [])
        branch.isUnverified = isUnverified ?? false
        return branch
    }
}

extension WriteForm {
    init(word: String) {
        self = word == "delta" ? .delta : word == "elements" ? .elements : .absolute
    }
    var word: String { self == .delta ? "delta" : self == .elements ? "elements" : "absolute" }
}
