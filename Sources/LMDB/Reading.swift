import CLMDB

/// What can be read in any transaction; both kinds lend their data only to closures.
///
/// Write helpers that only read as `borrowing some Reading & ~Copyable`, and they work in both.
package protocol Reading: ~Copyable {
    /// The way to the data, for this module's use.
    var access: Access { get }
}

extension Reading where Self: ~Copyable {
    /// Lends the value of a key to a closure; `nil` if there is none.
    ///
    /// The bytes are only valid during the closure, in which nothing may be written.
    package func get<R>(
        _ table: Table, key: Span<UInt8>, _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        try access.get(table, key, body)
    }

    /// Lends the value of a key to a closure; `nil` if there is none.
    package func get<R>(
        _ table: Table, key: [UInt8], _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        try access.get(table, key.span, body)
    }

    /// Lends the value of an integer key to a closure; `nil` if there is none.
    package func get<R>(
        _ table: Table, key: BigEndianKey, _ body: (Span<UInt8>) throws -> R
    ) throws -> R? {
        let bytes = key.bytes
        return try access.get(table, bytes.span, body)
    }

    /// Copies the value of a key; `nil` if there is none.
    package func bytes(_ table: Table, key: Span<UInt8>) throws -> [UInt8]? {
        try access.get(table, key) { $0.copy() }
    }

    /// Copies the value of a key; `nil` if there is none.
    package func bytes(_ table: Table, key: [UInt8]) throws -> [UInt8]? {
        try access.get(table, key.span) { $0.copy() }
    }

    /// Copies the value of an integer key; `nil` if there is none.
    package func bytes(_ table: Table, key: BigEndianKey) throws -> [UInt8]? {
        try get(table, key: key) { $0.copy() }
    }

    /// Whether there is a value for a key.
    package func contains(_ table: Table, key: Span<UInt8>) throws -> Bool {
        try access.get(table, key) { _ in true } ?? false
    }

    /// Whether there is a value for a key.
    package func contains(_ table: Table, key: [UInt8]) throws -> Bool {
        try contains(table, key: key.span)
    }

    /// Whether there is a value for an integer key.
    package func contains(_ table: Table, key: BigEndianKey) throws -> Bool {
        try get(table, key: key) { _ in true } ?? false
    }

    /// The number of keys, which LMDB keeps.
    package func count(_ table: Table) throws -> Int {
        try access.count(table)
    }

    /// Copies the lowest key; `nil` if the table is empty.
    package func firstKey(_ table: Table) throws -> [UInt8]? {
        try edgeKey(table, reversed: false)
    }

    /// Copies the highest key; `nil` if the table is empty.
    package func lastKey(_ table: Table) throws -> [UInt8]? {
        try edgeKey(table, reversed: true)
    }

    /// Lends the pairs of a range to a closure, in key order or against it, until it says stop.
    ///
    /// The bytes are only valid during each call of the closure, in which nothing may be written.
    package func scan(
        _ table: Table, _ range: KeyRange = .all, reversed: Bool = false,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> ScanStep
    ) throws {
        try access.scan(table, range, reversed: reversed, body)
    }

    private func edgeKey(_ table: Table, reversed: Bool) throws -> [UInt8]? {
        var found: [UInt8]?
        try access.scan(table, .all, reversed: reversed) { key, _ in
            found = key.copy()
            return .stop
        }
        return found
    }
}
