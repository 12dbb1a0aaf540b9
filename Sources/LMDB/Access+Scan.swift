import CLMDB
import Glibc

extension Access {
    /// Visits a range with a cursor that lives as long as the scan.
    func scan(
        _ table: Table, _ range: KeyRange, reversed: Bool,
        _ body: (_ key: Span<UInt8>, _ value: Span<UInt8>) throws -> ScanStep
    ) throws {
        try check(table, "scan")
        var opened: OpaquePointer?
        unsafe try check(mdb_cursor_open(transaction, table.handle, &opened), "scan", table)
        guard let cursor = unsafe opened else { throw error(.badTransaction, "scan", table) }
        defer { unsafe mdb_cursor_close(cursor) }

        var row = unsafe Row(cursor: cursor)
        var status = try seek(&row, table, range, reversed: reversed)
        while status == MDB_SUCCESS {
            guard unsafe range.contains(row.key.buffer.span, reversed: reversed) else { return }
            let step = try lend {
                try unsafe body(row.key.buffer.span, row.value.buffer.span)
            }
            if step == .stop { return }
            try check(table, "scan")
            status = row.move(reversed ? MDB_PREV : MDB_NEXT)
        }
        if status != MDB_NOTFOUND { try check(status, "scan", table) }
    }

    /// Goes to the first row that may belong to the range, in the direction of the scan.
    private func seek(
        _ row: inout Row, _ table: Table, _ range: KeyRange, reversed: Bool
    ) throws(LMDBError) -> Int32 {
        guard let edge = reversed ? range.upper : range.lower else {
            return row.move(reversed ? MDB_LAST : MDB_FIRST)
        }
        try checkKey(edge.key.span, table, "scan")
        let status = row.seek(edge.key)
        if reversed {
            if status == MDB_NOTFOUND { return row.move(MDB_LAST) }
            guard status == MDB_SUCCESS else { return status }
            let isWithin = unsafe edge.admits(row.key.buffer.span, asUpper: true)
            return isWithin ? status : row.move(MDB_PREV)
        }
        guard status == MDB_SUCCESS else { return status }
        let isWithin = unsafe edge.admits(row.key.buffer.span, asUpper: false)
        return isWithin ? status : row.move(MDB_NEXT)
    }
}

/// A cursor and the pair it stands on.
@safe private struct Row {
    let cursor: OpaquePointer
    var key = unsafe MDB_val()
    var value = unsafe MDB_val()

    init(cursor: OpaquePointer) {
        unsafe self.cursor = cursor
    }

    mutating func move(_ step: MDB_cursor_op) -> Int32 {
        unsafe mdb_cursor_get(cursor, &key, &value, step)
    }

    /// Goes to the first key at or above one.
    mutating func seek(_ bytes: [UInt8]) -> Int32 {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe key = MDB_val(bytes)
            return unsafe mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
        }
    }
}

extension KeyRange {
    /// Whether a key is within the edge that the scan runs towards.
    fileprivate func contains(_ key: Span<UInt8>, reversed: Bool) -> Bool {
        reversed
            ? lower?.admits(key, asUpper: false) ?? true
            : upper?.admits(key, asUpper: true) ?? true
    }
}

extension KeyRange.Edge {
    fileprivate var key: [UInt8] {
        switch self {
        case .including(let key), .excluding(let key): key
        }
    }

    fileprivate func admits(_ other: Span<UInt8>, asUpper: Bool) -> Bool {
        let order = other.compared(to: key.span)
        switch self {
        case .including: return asUpper ? order <= 0 : order >= 0
        case .excluding: return asUpper ? order < 0 : order > 0
        }
    }
}

extension Span<UInt8> {
    /// Negative, zero or positive, in LMDB's key order: bytewise, the shorter first.
    fileprivate func compared(to other: Span<UInt8>) -> Int {
        let order = unsafe withUnsafeBytes { mine in
            unsafe other.withUnsafeBytes { theirs in
                let common = Swift.min(mine.count, theirs.count)
                guard let left = mine.baseAddress, let right = theirs.baseAddress else { return 0 }
                return unsafe Int(memcmp(left, right, common))
            }
        }
        return order != 0 ? order : count - other.count
    }
}
