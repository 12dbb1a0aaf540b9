// swift-tools-version: 6.2
import PackageDescription

// A package of its own, so that the product's build does not know of it. The rooms it measures are
// links to the product's sources: what they offer is only open inside one package. `tools/bench`
// builds it and runs every part as a process of its own.

let house: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]
let atTheBoundary = house + [.strictMemorySafety()]
let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")

let package = Package(
    name: "benchmarks",
    dependencies: [
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(
            name: "CLMDB", pkgConfig: "lmdb", providers: [.apt(["liblmdb-dev"])]),
        .systemLibrary(
            name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
        .target(name: "LMDB", dependencies: ["CLMDB"], swiftSettings: atTheBoundary),
        .target(name: "Ledger", dependencies: ["LMDB", crypto], swiftSettings: house),
        .target(name: "Model", dependencies: ["Ledger", crypto], swiftSettings: house),
        .target(
            name: "Projections", dependencies: ["LMDB", "Ledger", "Model", crypto],
            swiftSettings: house),
        .target(
            name: "Reconciler", dependencies: ["Ledger", "Model", "Projections"],
            swiftSettings: house),
        .target(name: "Transport", dependencies: ["CCurl"], swiftSettings: atTheBoundary),
        .target(
            name: "Connectors", dependencies: ["Ledger", "Model", "Transport"],
            swiftSettings: house),
        .target(
            name: "Engine",
            dependencies: [
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors", crypto,
                .product(name: "Yams", package: "Yams"),
            ], swiftSettings: house),
        .target(name: "PlainLoop", dependencies: ["CLMDB"]),
        .executableTarget(
            name: "bench",
            dependencies: [
                "PlainLoop", "LMDB", "Ledger", "Model", "Projections", "Transport", "Engine",
                crypto,
            ], path: "Sources/Bench", swiftSettings: house),
    ],
    swiftLanguageModes: [.v6]
)
