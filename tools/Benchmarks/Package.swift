// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the product's build does not know of it. The rooms it measures are
// links to the product's sources: what they offer is only open inside one package.
//
//     swift run -c release --package-path tools/Benchmarks bench-append [--json] [--directory DIR]
//     swift run -c release --package-path tools/Benchmarks bench-scan [--json] [--events N]
//     swift run -c release --package-path tools/Benchmarks bench-rebuild [--events N] [--keep DIR]

let house: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2")
    ],
    targets: [
        .systemLibrary(
            name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .target(
            name: "LMDB", dependencies: ["CLMDB"],
            swiftSettings: house + [.strictMemorySafety()]),
        .target(
            name: "Ledger",
            dependencies: ["LMDB", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: house),
        .target(
            name: "Model",
            dependencies: ["Ledger", .product(name: "Crypto", package: "swift-crypto")],
            swiftSettings: house),
        .target(
            name: "Projections",
            dependencies: [
                "LMDB", "Ledger", "Model", .product(name: "Crypto", package: "swift-crypto"),
            ], swiftSettings: house),
        .target(name: "PlainLoop", dependencies: ["CLMDB"]),
        .target(name: "BenchHouse", dependencies: ["Ledger"], swiftSettings: house),
        .executableTarget(
            name: "bench-append", dependencies: ["BenchHouse", "Ledger", "PlainLoop"],
            path: "Sources/BenchAppend", swiftSettings: house),
        .executableTarget(
            name: "bench-scan", dependencies: ["BenchHouse", "Ledger", "LMDB"],
            path: "Sources/BenchScan", swiftSettings: house),
        .executableTarget(
            name: "bench-rebuild",
            dependencies: [
                "LMDB", "Ledger", "Model", "Projections",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Sources/BenchRebuild", swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
