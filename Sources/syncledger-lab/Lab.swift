import ArgumentParser

/// Things around the product: the sandbox and the demo.
@main
struct Lab: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "syncledger-lab",
        abstract: "A sandbox of the three systems, and a demo of the product on it.",
        subcommands: [Sandbox.self, Demo.self])
}
