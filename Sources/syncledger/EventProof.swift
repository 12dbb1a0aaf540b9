import Connectors
import Ledger

/// That an event stands in the log: what anybody needs to follow its leaf to the root.
///
/// The hashes are those of RFC 9162, section 2.1: leaf = SHA-256(0x00 ‖ entry), and each step of the
/// path is hashed with what came before it, as SHA-256(0x01 ‖ left ‖ right).
struct EventProof {
    /// What the leaf is the hash of, in the log's wire format; nothing personal stands in it.
    private let entry: [UInt8]
    private let leaf: Hash
    /// The leaf's place from 0: one less than the event's number.
    private let index: UInt64
    private let head: LogHead
    private let path: [Hash]

    /// Makes the path of an event to the root as of now, and follows it.
    ///
    /// - Throws: `Refusal` where it does not lead there, `LogError`, `LMDBError`.
    init(of sequence: UInt64, in log: EventLog) throws {
        guard let stored = try log.read(from: sequence, limit: 1).first else {
            throw LogError.damaged(sequence: sequence)
        }
        entry = stored.entry
        leaf = Merkle.leaf(entry)
        index = sequence - 1
        head = try log.head()
        path = try MerkleTiles(log).inclusion(of: sequence, in: head.size)
        let leads = MerkleProof.verifyInclusion(
            of: leaf, index: index, size: head.size, path: path, root: head.root)
        guard leads else {
            throw Refusal(
                "the path of event \(sequence) does not lead to the log's root: `syncledger scrub` names what is damaged"
            )
        }
    }

    var lines: [String] {
        let steps = path.enumerated().map { position, hash in
            (position == 0 ? "  path       " : "             ") + text(hash)
        }
        return [
            "  leaf       \(text(leaf))", "  index      \(index), of \(head.size) leaves",
        ] + steps + [
            "  root       \(text(head.root))",
            "Checked: the path leads from the leaf to the root of the whole log.",
        ]
    }

    var json: JSON {
        .object([
            .init("entry", .string(text(entry))), .init("leaf", .string(text(leaf))),
            .init("index", .number("\(index)")),
            .init("size", .number("\(head.size)")), .init("root", .string(text(head.root))),
            .init("path", .array(path.map { .string(text($0)) })),
        ])
    }

    private func text(_ bytes: [UInt8]) -> String { bytes.map(hexadecimal).joined() }
}
