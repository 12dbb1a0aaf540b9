import CLMDB
import Glibc

/// Which file systems LMDB's shared map and robust locks hold on.
enum FileSystemRule {
    /// File systems served by another machine or by a user-space process, by `statfs` magic.
    static let remote: [UInt32: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2",
        0x6573_5546: "FUSE", 0x5346_414F: "AFS", 0x6B41_4653: "AFS", 0x7375_7245: "Coda",
        0x564C: "NCP", 0x0102_1997: "9P", 0x00C3_6400: "Ceph", 0x0BD0_0BD0: "Lustre",
        0x4750_4653: "GPFS", 0x7461_636F: "OCFS2", 0x0116_1970: "GFS2", 0x786F_4256: "vboxsf",
        0xAAD7_AAEA: "PanFS", 0x1980_0202: "BeeGFS", 0xBACB_ACBC: "vmhgfs",
    ]

    static let overlay: UInt32 = 0x794C_7630

    /// Throws unless the directory is on a local file system.
    ///
    /// An overlay is judged by its upper layer, where writes go, if that is visible from here.
    static func check(_ directory: borrowing Directory) throws(LMDBError) {
        var magic = try directory.fileSystem()
        if magic == overlay, let upper = upperLayer(of: directory.path),
            let opened = try? Directory(at: upper, creating: false)
        {
            magic = try opened.fileSystem()
        }
        if let refusal = refusal(of: magic, path: directory.path) { throw refusal }
    }

    static func refusal(of magic: UInt32, path: String) -> LMDBError? {
        guard let name = remote[magic] else { return nil }
        return LMDBError(
            .remoteFileSystem, operation: "open the environment (on \(name))", path: path)
    }

    /// Finds the upper layer of the overlay that a path lies on, as this process sees the mounts.
    static func upperLayer(of path: String) -> String? {
        guard let resolved = unsafe realpath(path, nil) else { return nil }
        defer { unsafe free(resolved) }
        guard let table = contents(of: "/proc/self/mountinfo") else { return nil }
        return unsafe upperLayer(of: String(cString: resolved), mounts: table)
    }

    /// Finds `upperdir=` of the overlay mount that a resolved path lies on.
    ///
    /// - Parameters:
    ///   - path: An absolute path without symbolic links.
    ///   - mounts: The text of `/proc/self/mountinfo`.
    /// - Returns: The upper layer's directory; `nil` if the path is on no overlay.
    static func upperLayer(of path: String, mounts: String) -> String? {
        var best: (point: Substring, upper: Substring?)?
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count > 6, let dash = fields.firstIndex(of: "-"),
                fields.count > dash + 3
            else { continue }
            let point = fields[4]
            guard point == "/" || path == point || path.hasPrefix(point + "/") else { continue }
            // A later mount on the same point hides the earlier one.
            if let best, best.point.utf8.count > point.utf8.count { continue }
            let option = fields[dash + 3].split(separator: ",").first {
                $0.hasPrefix("upperdir=")
            }
            best = (point, fields[dash + 1] == "overlay" ? option?.dropFirst(9) : nil)
        }
        return best?.upper.map(String.init)
    }

    private static func contents(of path: String) -> String? {
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = unsafe Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            bytes.append(contentsOf: chunk.prefix(count))
        }
    }
}
