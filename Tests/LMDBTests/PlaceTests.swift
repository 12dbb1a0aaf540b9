import Foundation
import Testing

@testable import LMDB

@Suite struct PlaceTests {
    @Test(arguments: FileSystemRule.remote.keys.sorted())
    func `network and user-space file systems are refused by name`(magic: UInt32) throws {
        let refusal = try #require(FileSystemRule.refusal(of: magic, path: "/srv/ledger"))
        #expect(refusal.code == .remoteFileSystem)
        #expect("\(refusal)".contains("move it to a local disk"))
    }

    /// ext4, XFS, Btrfs, ZFS, F2FS, tmpfs, overlay.
    @Test(arguments: [
        UInt32(0xEF53), 0x5846_5342, 0x9123_683E, 0x2FC1_2FC1, 0xF2F5_2010, 0x0102_1994,
        FileSystemRule.overlay,
    ])
    func `local file systems are not refused`(magic: UInt32) {
        #expect(FileSystemRule.refusal(of: magic, path: "/") == nil)
    }

    @Test(.enabled(if: access("/dev/shm", W_OK) == 0)) func `tmpfs is a place to be`() throws {
        let scratch = Scratch(in: "/dev/shm")
        let (env, t) = try scratch.open()
        try env.store(t, 1, [1])
        #expect(try env.everything(t).count == 1)
    }

    @Test func `the upper layer of an overlay is found in the table of mounts`() {
        let mounts = """
            22 1 254:1 / / rw,relatime shared:1 - overlay overlay rw,lowerdir=/l,upperdir=/up/0,workdir=/w
            23 22 0:21 / /data rw - ext4 /dev/sdb rw
            24 22 0:22 / /data/inner rw shared:2 master:1 - overlay o rw,lowerdir=/l,upperdir=/up/1
            25 22 0:23 / /ro rw - overlay o rw,lowerdir=/a:/b
            a line that makes no sense
            """
        func upper(_ path: String) -> String? {
            FileSystemRule.upperLayer(of: path, mounts: mounts)
        }
        #expect(upper("/srv") == "/up/0")
        #expect(upper("/data") == nil)
        #expect(upper("/data/x") == nil)
        #expect(upper("/data/inner/x") == "/up/1")
        #expect(upper("/data/innermost") == nil)
        #expect(upper("/ro") == nil)
        #expect(FileSystemRule.upperLayer(of: "/", mounts: "") == nil)
    }

    @Test(.enabled(if: geteuid() == 0, "only root can mount"))
    func `an overlay is judged by its upper layer`() throws {
        let scratch = Scratch(in: "/dev/shm")
        for name in ["lower", "upper", "work", "place"] { mkdir(scratch(name), 0o700) }
        let layers = ["lower", "upper", "work"].map { "\($0)dir=\(scratch($0))" }
        let place = scratch("place")
        guard
            run("/bin/mount", "-t", "overlay", "o", "-o", layers.joined(separator: ","), place)
        else { return }  // Root of a container may not mount.
        defer { _ = run("/bin/umount", "--lazy", place) }
        #expect(FileSystemRule.upperLayer(of: place) == scratch("upper"))
        let (env, t) = try open(at: place + "/env")
        try env.store(t, 1, [1])
        try env.close()
    }

    @Test func `the parent of a path`() {
        #expect(Directory.parent(of: "/a/b/") == "/a")
        #expect(Directory.parent(of: "/a") == "/")
        #expect(Directory.parent(of: "a/b") == "a")
        #expect(Directory.parent(of: "a") == ".")
    }

    @Test func `an environment whose parent is missing is not made`() throws {
        let scratch = Scratch()
        try expectCode(.noSuchFile) { _ = try open(at: scratch("no/env")) }
    }

    @Test func `only its owner can read a new environment`() throws {
        let scratch = Scratch()
        let (env, _) = try scratch.open()
        defer { withExtendedLifetime(env) {} }
        for (file, mode) in [("env", 0o700), ("env/data.mdb", 0o600), ("env/lock.mdb", 0o600)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: scratch(file))
            #expect((attributes[.posixPermissions] as? Int) == mode, "\(file)")
        }
    }
}
