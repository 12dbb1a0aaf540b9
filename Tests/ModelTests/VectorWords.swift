import Foundation
import Ledger
import Model

/// The words that a vector may be made of: one that is misspelt must not pass in silence.
enum VectorWords {
    /// What a member holds.
    private indirect enum Shape: Sendable {
        case any
        case word(Set<String>)
        case object([String: Shape])
        case list(Shape)
        /// Replicas to something.
        case replicas(Shape)
    }

    private static let replica = Shape.word(Set(Vector.replicas))
    private static let system = Shape.word(Set(System.real.map(\.name)))
    private static let kind = Shape.word(Set(Vector.BranchText.kinds.keys))
    private static let form = Shape.word(["absolute", "delta", "elements"])
    private static let told = Shape.object(["is": .any])
    private static let interval = Shape.object(["earliest": .any, "latest": .any])
    private static let after = Shape.object([
        "seen": .any, "accounted": .any, "liftsAnswered": .any, "addedByUs": .any,
    ])

    private static let branch = Shape.object([
        "replica": replica, "kind": kind, "form": form, "maximumLength": .any, "seen": told,
        "accounted": told, "evidence": interval,
        "accepted": .object(["version": .any, "spelling": .any]),
        "pending": .list(.object(["leaves": .any, "open": .any])), "mayWrite": .any,
        "maySpeak": .any, "liftsAnswered": .any, "refusedVersion": .any, "addedByUs": .any,
        "isUnverified": .any,
    ])

    private static let state = Shape.object([
        "outcome": .object([
            "value": .any, "version": .any, "author": replica, "evidence": interval,
            "settledByPerson": .any,
        ]),
        "branches": .list(branch),
        "contest": .object([
            "sides": .list(.object(["replica": replica, "content": .any])),
            "freezesOnlyInputs": .any,
        ]),
        "consentGiven": .any, "lastWriter": replica,
    ])

    private static let expect = Shape.object([
        "accepted": .any, "spelling": .any, "held": .any,
        "rulings": .list(
            .object([
                "kind": .word([
                    "moved", "agreed", "accounted", "contested", "held", "settled",
                ]),
                "reason": .word(Set(Reason.allCases.map(\.rawValue))), "outcome": .any,
                "version": .any,
                "inputs": .replicas(
                    .word(["won", "lost", "agreed", "echo", "side effect", "candidate"])),
            ])),
        "needs": .replicas(.object(["verdict": .any, "send": .any, "form": form])),
        "after": .replicas(after), "branch": after,
    ])

    private static let file = Shape.object([
        "rule": .any,
        "vectors": .list(
            .object([
                "name": .any, "law": .word(Set(Law.allCases.map(\.rawValue))),
                "prefer": .list(system), "enforce": .any, "skewMicroseconds": .any,
                "skewUnmeasured": .any, "relink": replica, "readdress": replica,
                "merged": .object(["replica": replica, "into": replica]),
                "spell": .object([
                    "system": system, "kind": kind, "maximumLength": .any, "content": .any,
                ]),
                "state": state,
                "look": .object([
                    "road": .any, "lookedAfter": .any, "lastLook": .any, "lastSettled": .any,
                ]),
                "confirm": .object([
                    "replica": replica, "form": form, "sent": .any, "stored": .any,
                    "version": .any, "told": .any,
                ]),
                "settle": .any, "expect": expect,
            ])),
    ])

    /// Every word that is none, and every expectation that nothing could meet or fail.
    static func problems(in json: Any) -> [String] {
        var problems = problems(json, file, at: "")
        for vector in (json as? [String: Any])?["vectors"] as? [[String: Any]] ?? [] {
            let name = vector["name"] as? String ?? "?"
            let expected = vector["expect"] as? [String: Any] ?? [:]
            if expected.isEmpty { problems.append("\(name) expects nothing") }
            let branches = (vector["state"] as? [String: Any])?["branches"] as? [[String: Any]]
            let present = Set((branches ?? []).compactMap { $0["replica"] as? String })
            for member in ["needs", "after"] {
                let named = (expected[member] as? [String: Any] ?? [:]).keys
                problems += named.filter { !present.contains($0) }.map { "\(name) has no \($0)" }
            }
        }
        return problems
    }

    private static func problems(_ json: Any, _ shape: Shape, at path: String) -> [String] {
        if json is NSNull { return [] }
        switch shape {
        case .any: return []
        case .word(let words):
            guard let word = json as? String, words.contains(word) else {
                return ["\(path): no such word: \(json)"]
            }
            return []
        case .list(let element):
            guard let list = json as? [Any] else { return ["\(path): not a list"] }
            return list.enumerated().flatMap { problems($1, element, at: "\(path)[\($0)]") }
        case .object(let members):
            guard let object = json as? [String: Any] else { return ["\(path): not an object"] }
            return object.flatMap { key, value in
                members[key].map { problems(value, $0, at: "\(path).\(key)") }
                    ?? ["\(path): no such member: \(key)"]
            }
        case .replicas(let value):
            guard let object = json as? [String: Any] else { return ["\(path): not an object"] }
            return object.flatMap { key, member in
                problems(key, replica, at: path) + problems(member, value, at: "\(path).\(key)")
            }
        }
    }
}
