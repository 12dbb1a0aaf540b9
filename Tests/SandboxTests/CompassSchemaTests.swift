import Foundation
import Testing

@testable import Sandbox

/// The emulated tables and the file that makes the real ones, side by side.
@Suite struct `The Compass schema` {
    private static let file: String = {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = root.appendingPathComponent("Schemas/compass/outbox.sql")
        return (try? String(contentsOf: file, encoding: .utf8)) ?? ""
    }()

    @Test(arguments: ["clients", "contacts", "deals"])
    func `has the columns that the sandbox has, in their order`(name: String) throws {
        let table = try #require(CompassTable.all.first { $0.name == name })
        let start = try #require(Self.file.firstRange(of: "alter table public.\(name)\n"))
        let statement = Self.file[start.upperBound...].prefix { $0 != ";" }
        let columns = statement.matches(of: /add column if not exists (\w+) (\w+)/)
        #expect(["id"] + columns.map { String($0.output.1) } == table.columns.map(\.name))
        for (match, column) in zip(columns, table.columns.dropFirst()) {
            let type = match.output.2 == "timestamptz" ? "timestamp with time zone" : match.output.2
            #expect(column.type.name.hasPrefix(type), "\(column.name)")
        }
        for (column, other) in table.references {
            #expect(statement.contains("\(column) uuid references public.\(other) (id)"))
        }
    }

    @Test func `has the triggers on every synchronised table`() {
        let list = CompassTable.all.filter(\.isSynchronised).map { "'\($0.name)'" }.sorted()
        let loop = "foreach name in array array[\(list.joined(separator: ", "))] loop"
        #expect(Self.file.ranges(of: loop).count == 2)
    }
}
