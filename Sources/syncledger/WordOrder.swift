import ArgumentParser
import Model

/// What was typed, in the order that the parser reads.
enum WordOrder {
    /// Takes `syncledger --ledger DIR sync` for `syncledger sync --ledger DIR`.
    ///
    /// - Throws: a `Refusal` where the verb is none of `verbs`.
    static func arranged(_ typed: [String], verbs: [String]) throws -> [String] {
        var leading: [String] = []
        var rest = typed[...]
        while let word = rest.first {
            if word == "--json" || word.hasPrefix("--ledger=") {
                leading.append(rest.removeFirst())
            } else if word == "--ledger", rest.count > 1 {
                leading += [rest.removeFirst(), rest.removeFirst()]
            } else {
                break
            }
        }
        guard let verb = rest.first else { return typed }
        guard !verb.hasPrefix("-") else { return typed }
        guard verb == "help" || verbs.contains(verb) else {
            let near = nearest(verb, in: verbs)
            throw Refusal(
                "there is no verb \(verb)" + (near.map { ", did you mean \($0)?" } ?? ":")
                    + " `syncledger help` lists them")
        }
        let end = rest.firstIndex(of: "--") ?? rest.endIndex
        return Array(rest[..<end]) + leading + Array(rest[end...])
    }
}
