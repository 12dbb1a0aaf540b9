// swift-tools-version: 6.2
import PackageDescription

/// Settings every room of the product is built with.
let house: [SwiftSetting] = [
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

/// The two rooms that touch C: every such touch is marked `unsafe`.
let atTheBoundary = house + [.strictMemorySafety()]

/// Tests keep the ordinary isolation rules.
let tests: [SwiftSetting] = [
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("ExistentialAny"),
]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let arguments = Target.Dependency.product(
    name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
    name: "syncledger",
    products: [
        .executable(name: "syncledger", targets: ["syncledger"]),
        .executable(name: "syncledger-lab", targets: ["syncledger-lab"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0"),
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
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors",
                crypto, .product(name: "Yams", package: "Yams"),
            ], swiftSettings: house),
        .executableTarget(
            name: "syncledger",
            dependencies: [
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors",
                "Engine", arguments,
            ], swiftSettings: house),

        // Outside the product.
        .target(name: "Sandbox", swiftSettings: house),
        .target(
            name: "SandboxServer",
            dependencies: [
                "Sandbox", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
            ], swiftSettings: house),
        .executableTarget(
            name: "syncledger-lab",
            dependencies: [
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors",
                "Engine", "Sandbox", "SandboxServer", arguments,
            ], swiftSettings: house),
        .target(
            name: "Simulation",
            dependencies: [
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors",
                "Engine", "Sandbox",
            ], swiftSettings: house),

        .testTarget(
            name: "LMDBTests", dependencies: ["LMDB", "CLMDB"], swiftSettings: tests),
        .testTarget(
            name: "LedgerTests",
            dependencies: [
                "Ledger", "LMDB", crypto,
                .product(name: "SwiftProtobuf", package: "swift-protobuf"),
            ], swiftSettings: tests),
        .testTarget(
            name: "ModelTests", dependencies: ["Ledger", "Model"], swiftSettings: tests),
        .testTarget(
            name: "ReconcilerTests",
            dependencies: ["Ledger", "Model", "Projections", "Reconciler"], swiftSettings: tests),
        .testTarget(name: "TransportTests", dependencies: ["Transport"], swiftSettings: tests),
        .testTarget(name: "SandboxTests", dependencies: ["Sandbox"], swiftSettings: tests),
        .testTarget(
            name: "SandboxServerTests", dependencies: ["Sandbox", "SandboxServer"],
            swiftSettings: tests),
        .testTarget(
            name: "ConnectorsTests", dependencies: ["Ledger", "Model", "Transport", "Connectors"],
            swiftSettings: tests),
        .testTarget(
            name: "ProjectionsTests",
            dependencies: ["LMDB", "Ledger", "Model", "Projections", crypto],
            swiftSettings: tests),
        .testTarget(
            name: "EngineTests",
            dependencies: [
                "Ledger", "Model", "Projections", "Reconciler", "Transport", "Connectors",
                "Engine", "Sandbox", "Simulation",
            ], swiftSettings: tests),
        .testTarget(
            name: "CommandLineTests",
            dependencies: ["syncledger", "syncledger-lab", "Sandbox", "SandboxServer"],
            exclude: ["Fixtures"],
            swiftSettings: tests),
    ],
    swiftLanguageModes: [.v6]
)
