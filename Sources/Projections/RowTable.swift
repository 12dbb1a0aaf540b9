package import LMDB
package import Ledger

/// A row of a view.
///
/// Tables are made for rows of any kind, and reading and writing a message field by field is slow
/// where the compiler does not know which: these two it compiles once for each.
package protocol ViewRow: WireMessage {
    static func decoded(_ plain: [UInt8], _ parts: OpenedParts) throws(WireError) -> Self
    func encodedWithParts() -> (plain: [UInt8], sealed: [SealedGroup])
}

extension ViewRow {
    package static func decoded(
        _ plain: [UInt8], _ parts: OpenedParts
    ) throws(WireError) -> Self {
        try WireDecoder.decode(from: plain, parts: parts)
    }

    package func encodedWithParts() -> (plain: [UInt8], sealed: [SealedGroup]) {
        WireEncoder.encodeWithParts(self)
    }
}

/// Rows of one kind, by key; personal values in them are sealed to their subjects.
///
/// A row whose subject's key is gone reads with those values missing. On disk each begins with the
/// checksum of its key and of what follows: four bytes, the highest first.
package struct RowTable<Row: ViewRow>: Sendable {
    let table: Table
    let keys: KeyRing
    let ledger: LedgerID

    /// Reads a row.
    package func row(
        _ key: [UInt8], _ transaction: borrowing some Reading & ~Copyable
    ) throws -> Row? {
        guard let bytes = try transaction.bytes(table, key: key) else { return nil }
        return try open(bytes, key)
    }

    /// Walks the rows whose keys begin with `prefix`, in key order.
    package func scan(
        prefix: [UInt8] = [], _ transaction: borrowing some Reading & ~Copyable,
        _ body: (_ key: [UInt8], _ row: Row) throws -> ScanStep
    ) throws {
        try scan(prefix.isEmpty ? .all : .prefix(prefix), transaction, body)
    }

    func scan(
        _ range: KeyRange, _ transaction: borrowing some Reading & ~Copyable,
        _ body: (_ key: [UInt8], _ row: Row) throws -> ScanStep
    ) throws {
        try transaction.scan(table, range) { key, value in
            let key = key.copy()
            return try body(key, try open(value.copy(), key))
        }
    }

    /// All rows, in key order.
    package func all(_ transaction: borrowing some Reading & ~Copyable) throws -> [Row] {
        var rows: [Row] = []
        try scan(transaction) { _, row in
            rows.append(row)
            return .next
        }
        return rows
    }

    func put(
        _ row: Row, _ key: [UInt8], _ transaction: borrowing WriteTransaction
    ) throws {
        for row in try closed([(key, row)]) {
            try transaction.put(table, key: row.key, value: row.value)
        }
    }

    /// Some rows as they lie on the disk, in their order; one that is `nil` lies there as nothing.
    func closed(
        _ rows: ArraySlice<(key: [UInt8], row: Row?)>
    ) throws -> [(key: [UInt8], value: [UInt8])] {
        let encoded = rows.map { key, row in (key, row?.encodedWithParts()) }
        var names: Set<KeyRing.Name> = []
        for case (_, let row?) in encoded {
            for group in row.sealed {
                names.insert(.init(subject: group.subject, category: group.category))
            }
        }
        let partKeys = names.isEmpty ? [:] : try keys.existing(names)
        return try encoded.map { key, row in
            guard let row else { return (key, []) }
            return (key, try closed(row.plain, row.sealed, key, partKeys))
        }
    }

    private func closed(
        _ plain: [UInt8], _ groups: [SealedGroup], _ key: [UInt8],
        _ partKeys: [KeyRing.Name: PartKeys]
    ) throws -> [UInt8] {
        var sealed = SealedRow()
        sealed.plain = plain
        for (index, group) in groups.enumerated() {
            var part = SealedRow.Part()
            part.subject = group.subject
            part.category = group.category
            // A subject whose key is gone must not get a new one here: its values stay away.
            if let partKeys = partKeys[.init(subject: group.subject, category: group.category)] {
                part.bytes = try PartSeal.seal(
                    SealedBody.bytes(of: group.values), context: context(key, index),
                    keys: partKeys
                ).bytes
            }
            sealed.parts.append(part)
        }
        var encoder = WireEncoder()
        sealed.visit(&encoder)
        let bytes = encoder.output
        let sum = Checksum.of(key, bytes[...])
        return Self.bigEndian(sum) + bytes
    }

    /// - Throws: `ViewError.damagedRow` when the row is not as it was written.
    func open(_ stored: [UInt8], _ key: [UInt8]) throws -> Row {
        let sealed = try sealed(stored, key)
        let names = sealed.parts.map {
            KeyRing.Name(subject: $0.subject, category: $0.category)
        }
        let found = names.isEmpty ? [] : try keys.existing(inOrder: names)
        let parts = try sealed.parts.enumerated().map { index, part in
            var opened = OpenedParts.Part(subject: part.subject, category: part.category)
            if !part.bytes.isEmpty, let partKeys = found[index] {
                // Under a younger key it does not open: folded anew, its values are missing.
                guard
                    let clear = try? PartSeal.open(
                        part.bytes, context: context(key, index), keys: partKeys)
                else { throw ViewError.damagedRow(table: table.name) }
                opened.values = try SealedBody.values(in: clear)
            }
            return opened
        }
        return try Row.decoded(sealed.plain, OpenedParts(parts))
    }

    /// A row with every sealed value missing, which is had without its keys.
    ///
    /// - Throws: `ViewError.damagedRow` when the row is not as it was written.
    func unopened(_ stored: [UInt8], _ key: [UInt8]) throws -> Row {
        let sealed = try sealed(stored, key)
        let parts = sealed.parts.map {
            OpenedParts.Part(subject: $0.subject, category: $0.category)
        }
        return try Row.decoded(sealed.plain, OpenedParts(parts))
    }

    private func sealed(_ stored: [UInt8], _ key: [UInt8]) throws -> SealedRow {
        let bytes = stored.dropFirst(4)
        guard stored.starts(with: Self.bigEndian(Checksum.of(key, bytes))) else {
            throw ViewError.damagedRow(table: table.name)
        }
        return try WireDecoder.decode(SealedRow.self, from: Array(bytes))
    }

    private static func bigEndian(_ sum: UInt32) -> [UInt8] {
        withUnsafeBytes(of: sum.bigEndian) { Array($0) }
    }

    private func context(_ key: [UInt8], _ part: Int) -> [UInt8] {
        [2] + ledger.bytes + Array(table.name.utf8) + [0] + bigEndianBytes(UInt64(part)) + key
    }
}

/// A row as it lies on the disk.
struct SealedRow: WireMessage {
    struct Part: WireMessage {
        var subject: SubjectID = .none
        var category: Category = .unspecified
        var bytes: [UInt8] = []
        var unknownFields: [UInt8] = []
        mutating func visit(_ visitor: inout some WireVisitor) {
            visitor.id(1, &subject)
            visitor.choice(2, &category)
            visitor.bytes(3, &bytes)
        }
    }

    var plain: [UInt8] = []
    var parts: [Part] = []
    var unknownFields: [UInt8] = []

    mutating func visit(_ visitor: inout some WireVisitor) {
        visitor.bytes(1, &plain)
        visitor.messages(2, &parts)
    }
}
