import Testing

/// A hundred worlds of one kind, numbered from `batch * 100`; the first that breaks a law.
func firstFailure(_ setup: WorldSetup, worlds: Range<UInt64>) -> (
    seed: UInt64, broken: [Violation]
)? {
    for seed in worlds {
        var one = setup
        one.seed = seed
        let broken = World(one).run()
        if !broken.isEmpty { return (seed, broken) }
    }
    return nil
}

/// What happened in a world, step by step.
func story(_ setup: WorldSetup, seed: UInt64) -> String {
    var told = setup
    told.seed = seed
    told.keepsHistory = true
    let world = World(told)
    _ = world.run()
    return world.history.joined(separator: "\n")
}

@Suite struct WorldTests {
    private func live(_ kind: WorldKind, batch: UInt64) {
        let setup = WorldSetup(kind, seed: 0)
        guard let (seed, broken) = firstFailure(setup, worlds: batch * 100..<(batch + 1) * 100)
        else {
            return
        }
        Issue.record("\(kind) world \(seed): \(broken)\n\(story(setup, seed: seed))")
    }

    @Test(arguments: UInt64(0)..<60)
    func `plain fields converge, are quiet and lose nothing`(batch: UInt64) {
        live(.plain, batch: batch)
    }

    @Test(arguments: UInt64(0)..<60)
    func `tags keep what was added and drop what was removed`(batch: UInt64) {
        live(.union, batch: batch)
    }

    @Test(arguments: UInt64(0)..<60)
    func `points count every increment once`(batch: UInt64) {
        live(.sum, batch: batch)
    }

    @Test(arguments: UInt64(0)..<60)
    func `consent only tightens`(batch: UInt64) {
        live(.strictest, batch: batch)
    }
}
