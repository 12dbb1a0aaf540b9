import Testing

@testable import Ledger

@Suite struct MerkleTests {
    /// The leaves of the Certificate Transparency reference tests.
    static let leaves: [Hash] = [
        "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    ].map { Merkle.leaf(bytes($0)) }

    @Test(arguments: [
        (0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"),
        (2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"),
        (3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"),
        (4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"),
        (5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"),
        (6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"),
        (7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"),
        (8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"),
    ])
    func `roots are those of the reference`(size: Int, root: String) {
        #expect(MerkleProof.root(of: Self.leaves[..<size]) == bytes(root))
        #expect(Naive.root(Self.leaves[..<size]) == bytes(root))
    }

    @Test(arguments: [
        (0, 1, []),
        (
            0, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        ),
        (
            5, 8,
            [
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        ),
        (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
        (
            1, 5,
            [
                "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        ),
    ])
    func `inclusion paths are those of the reference`(index: Int, size: Int, path: [String]) {
        #expect(MerkleProof.inclusion(of: index, in: Self.leaves[..<size]) == path.map(bytes))
    }

    @Test(arguments: [
        (1, 1, []),
        (
            1, 8,
            [
                "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
            ]
        ),
        (
            6, 8,
            [
                "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            ]
        ),
        (
            2, 5,
            [
                "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            ]
        ),
    ])
    func `consistency paths are those of the reference`(older: Int, size: Int, path: [String]) {
        #expect(
            MerkleProof.consistency(of: older, in: Self.leaves[..<size]) == path.map(bytes))
    }

    @Test func `every leaf of every tree to 128 is proved, and only at its place`() {
        let leaves = many(128)
        for size in 1...128 {
            let tree = leaves[..<size]
            let root = Naive.root(tree)
            for index in 0..<size {
                let path = MerkleProof.inclusion(of: index, in: tree)
                func holds(_ at: Int, _ leaf: Hash, _ path: [Hash]) -> Bool {
                    MerkleProof.verifyInclusion(
                        of: leaf, index: UInt64(at), size: UInt64(size), path: path, root: root)
                }
                let proved = holds(index, leaves[index], path)
                let elsewhere = size > 1 && holds((index + 1) % size, leaves[index], path)
                let longer = holds(index, leaves[index], path + [root])
                let shorter = !path.isEmpty && holds(index, leaves[index], path.dropLast())
                if !proved || elsewhere || longer || shorter {
                    Issue.record("leaf \(index) of \(size)")
                }
            }
        }
    }

    @Test func `every tree to 128 continues every smaller one, and no other`() {
        let leaves = many(128)
        let roots = (0...128).map { Naive.root(leaves[..<$0]) }
        for size in 1...128 {
            for older in 1...size {
                let path = MerkleProof.consistency(of: older, in: leaves[..<size])
                func holds(_ olderRoot: Hash, _ root: Hash, _ path: [Hash]) -> Bool {
                    MerkleProof.verifyConsistency(
                        older: UInt64(older), olderRoot: olderRoot, size: UInt64(size),
                        root: root, path: path)
                }
                let proved = holds(roots[older], roots[size], path)
                let other = holds(roots[older - 1], roots[size], path)
                let swapped = older < size && holds(roots[size], roots[older], path)
                let longer = holds(roots[older], roots[size], path + [roots[1]])
                if !proved || other || swapped || longer {
                    Issue.record("\(older) of \(size)")
                }
            }
        }
    }

    @Test(arguments: 0..<50)
    func `a flipped bit anywhere in leaf, path or root is detected`(seed: Int) {
        var random = SeededRandom(seed)
        let leaves = many(256)
        for _ in 0..<40 {
            let size = 2 + random.below(255)
            let index = random.below(size)
            var material =
                [leaves[index], Naive.root(leaves[..<size])]
                + MerkleProof.inclusion(of: index, in: leaves[..<size])
            material[random.below(material.count)][random.below(32)] ^= 1 << random.below(8)
            let holds = MerkleProof.verifyInclusion(
                of: material[0], index: UInt64(index), size: UInt64(size),
                path: Array(material[2...]), root: material[1])
            #expect(!holds)

            let older = 1 + random.below(size - 1)
            var roots =
                [Naive.root(leaves[..<older]), Naive.root(leaves[..<size])]
                + MerkleProof.consistency(of: older, in: leaves[..<size])
            roots[random.below(roots.count)][random.below(32)] ^= 1 << random.below(8)
            let continues = MerkleProof.verifyConsistency(
                older: UInt64(older), olderRoot: roots[0], size: UInt64(size), root: roots[1],
                path: Array(roots[2...]))
            #expect(!continues)
        }
    }

    @Test func `the frontier has the root of the whole tree, and survives being stored`() throws {
        let leaves = many(300)
        var frontier = MerkleFrontier()
        #expect(frontier.root == Merkle.emptyRoot)
        for (position, leaf) in leaves.enumerated() {
            frontier.append(leaf: leaf)
            #expect(frontier.root == Naive.root(leaves[...position]))
            #expect(frontier.isSound)
            frontier = try WireDecoder.decode(
                MerkleFrontier.self, from: WireEncoder.encode(frontier))
        }
        #expect(frontier.size == 300)
    }

    @Test func `an empty tree and an index beyond the end prove nothing`() {
        let leaf = Self.leaves[0]
        for size in [UInt64(0), 1] {
            let holds = MerkleProof.verifyInclusion(
                of: leaf, index: size, size: size, path: [], root: leaf)
            #expect(!holds)
        }
        let nothing = MerkleProof.verifyConsistency(
            older: 0, olderRoot: Merkle.emptyRoot, size: 1, root: leaf, path: [])
        #expect(!nothing)
    }

    private func many(_ count: Int) -> [Hash] {
        (0..<count).map { Merkle.leaf(bigEndianBytes(UInt64($0))) }
    }
}

/// Reads hexadecimal digits.
private func bytes(_ digits: String) -> [UInt8] {
    let digits = Array(digits)
    return stride(from: 0, to: digits.count, by: 2).compactMap {
        UInt8(String(digits[$0...$0 + 1]), radix: 16)
    }
}
