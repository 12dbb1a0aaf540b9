import CLMDB
import Glibc

extension Store {
    /// Throws `cutShort` unless the file holds every page that its last commit uses.
    ///
    /// To be called before anything else is read: LMDB reads through a map, and a page beyond the end
    /// of the file ends the process. Free pages at the end may never have been written.
    static func checkExtent(_ pointer: OpaquePointer, _ path: String) throws(LMDBError) {
        var information = unsafe MDB_envinfo()
        var statistics = MDB_stat()
        var descriptor: Int32 = -1
        guard unsafe mdb_env_info(pointer, &information) == MDB_SUCCESS,
            unsafe mdb_env_stat(pointer, &statistics) == MDB_SUCCESS,
            unsafe mdb_env_get_fd(pointer, &descriptor) == MDB_SUCCESS
        else { throw LMDBError(.invalidFile, operation: "open the environment", path: path) }
        // The size comes last: other processes only make the file longer.
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw LMDBError(.lastError, operation: "look at data.mdb", path: path)
        }
        let pageSize = Int(statistics.ms_psize)
        let last = unsafe information.me_last_pgno
        // No file is so large: the page that says so is damaged.
        guard 0..<(1 << 40) ~= last else {
            throw LMDBError(.invalidFile, operation: "open the environment", path: path)
        }
        let missing = (last + 1) * pageSize - Int(status.st_size)
        guard missing > 0 else { return }
        let pages = Int(status.st_size) / pageSize...last
        let free = FreeList(descriptor: descriptor, pageSize: pageSize, beyond: pages.lowerBound)
        guard free.read()?.isSuperset(of: pages) != true else { return }
        throw LMDBError(
            .cutShort, operation: "open the environment (\(missing) bytes are missing)", path: path)
    }
}

/// Reads which pages of a data file are free, through the file instead of the map.
///
/// The layout is that of LMDB 0.9 on machines of 64 bits and the little end first: a header of 16 bytes
/// on each page; the tree of free pages has the first of the two roots in the meta page.
private struct FreeList {
    let descriptor: Int32
    let pageSize: Int
    /// Lower pages are not of interest.
    let beyond: Int

    /// The free pages; `nil` where the list itself lies beyond the end, or makes no sense.
    func read() -> Set<Int>? {
        let metas = [0, 1].compactMap { page(at: $0) }
        guard metas.count == 2, let meta = metas.max(by: { $0.integer(144) < $1.integer(144) })
        else { return nil }
        var free: Set<Int> = []
        let root = meta.integer(80)
        guard root != -1 else { return free }
        return add(root, to: &free, depth: 0) ? free : nil
    }

    /// Adds what a page of the tree and those below it list.
    private func add(_ number: Int, to free: inout Set<Int>, depth: Int) -> Bool {
        // LMDB's trees are at most 32 pages deep.
        guard depth < 32, let page = page(at: number), page.integer(0) == number
        else { return false }
        let isLeaf = page.short(10) & 2 != 0
        let end = page.short(12)
        guard isLeaf || page.short(10) & 1 != 0, 16...pageSize ~= end else { return false }
        for slot in stride(from: 16, to: end, by: 2) {
            let node = page.short(slot)
            guard node + 16 <= pageSize else { return false }
            let low = page.short(node) | page.short(node + 2) << 16
            let isRead =
                isLeaf
                ? addRecord(page, node, size: low, to: &free)
                : add(low | page.short(node + 4) << 32, to: &free, depth: depth + 1)
            guard isRead else { return false }
        }
        return true
    }

    /// Adds one record: the number of pages and the pages, on this page or on others of its own.
    private func addRecord(
        _ page: FileBytes, _ node: Int, size: Int, to free: inout Set<Int>
    ) -> Bool {
        let start = node + 8 + page.short(node + 6)
        let isElsewhere = page.short(node + 4) & 1 != 0
        guard start + (isElsewhere ? 8 : size) <= pageSize else { return false }
        let record =
            isElsewhere
            ? bytes(at: page.integer(start) &* pageSize &+ 16, count: size)
            : FileBytes(bytes: Array(page.bytes[start..<start + size]))
        guard let record, size >= 8, record.integer(0) == size / 8 - 1 else { return false }
        for place in stride(from: 8, to: size, by: 8) where record.integer(place) >= beyond {
            free.insert(record.integer(place))
        }
        return true
    }

    private func page(at number: Int) -> FileBytes? {
        bytes(at: number &* pageSize, count: pageSize)
    }

    private func bytes(at place: Int, count: Int) -> FileBytes? {
        guard place >= 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: count)
        guard unsafe pread(descriptor, &bytes, count, place) == count else { return nil }
        return FileBytes(bytes: bytes)
    }
}

/// Bytes of a data file, and the integers in them, the low byte first.
private struct FileBytes {
    let bytes: [UInt8]

    func short(_ place: Int) -> Int { Int(bytes[place]) | Int(bytes[place + 1]) << 8 }

    func integer(_ place: Int) -> Int {
        (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << ($1 * 8) }
    }
}
