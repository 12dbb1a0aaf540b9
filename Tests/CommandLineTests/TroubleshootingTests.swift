import Foundation
import Testing

/// Every error that reaches people stands on the troubleshooting page.
///
/// The sources are read, so that a case or a sentence that is added without its fix fails here.
@Suite struct `Troubleshooting` {
    private let root: URL
    private let page: String

    init() throws {
        root =
            URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("../..").standardized
        page = try String(
            contentsOf: root.appendingPathComponent(
                "Sources/syncledger/Documentation.docc/Troubleshooting.md"), encoding: .utf8)
    }

    /// A case of an error type, and the words of its description by which the page is found.
    private static let cases: [String: [(name: String, stem: String)]] = [
        "Sources/Ledger/Log/Draft.swift LogError": [
            ("conditionFailed", "the ledger moved on in the meantime"),
            ("idConflict", "with other content"), ("damaged", "is not what the tree committed to"),
            ("gap", "is missing before"), ("tileDamaged", "the hash tile"),
            ("noKey", "the key of subject"),
            ("entryTooLarge", "the entry of event"), ("batchTooLarge", "a batch of"),
            ("indexStays", "the index at"), ("indexDamaged", "delete that directory"),
            ("newerFormat", "made by a newer syncledger"),
            ("otherLedger", "these files belong to another ledger"),
            ("lost", "the log of this ledger is missing or empty"),
        ],
        "Sources/Ledger/Keys/KeyRing.swift KeyError": [
            ("wrongMasterKey", "does not open this ledger's keys"),
            ("badMasterKey", "the master key must be 32 bytes"),
            ("missingMasterKey", "there is no master key at"),
            ("exposedMasterKey", "others may read"),
            ("missingKeys", "the keys of this ledger are missing"),
            ("damagedKey", "is damaged: restore keys/ from a backup"),
        ],
        "Sources/Ledger/Log/EngineLock.swift EngineLockError": [
            ("heldElsewhere", "is working on this ledger"), ("cannotOpen", "cannot lock"),
        ],
        "Sources/Projections/ViewError.swift ViewError": [
            ("file", "String(cString: strerror(code))"),
            ("foldedElsewhere", "another syncledger is working on this ledger"),
            ("otherHistory", "the log is not what the tree committed to"),
            ("mustBeRebuilt", "the views must be folded anew"),
            ("beingRebuilt", "is folding the views anew"),
            ("cancelled", "the rebuild was stopped after"),
            ("damagedRow", "a row of the view"),
            ("unfollowedMapping", "cannot follow the mapping of"),
        ],
        "Sources/Engine/LedgerFile.swift WorkplaceError": [
            ("exists", "there is a ledger in"), ("noLedger", "there is no ledger in"),
            ("missingFile", "the file ledger is missing in"),
            ("damagedFile", "the file ledger is cut or damaged"),
            ("unreadable", "this user may not read"),
            ("unreadableSecrets", "the stored credentials cannot be opened"),
            ("file", "String(cString: strerror(code))"),
        ],
        "Sources/Engine/IngestError.swift IngestError": [
            ("notJSON", "mend"), ("noID", "has no"), ("unknownField", "there is no field"),
            ("repeatedName", "leave one of them"), ("badValue", "cannot be"),
            ("byteOrderMark", "the file begins with a byte order mark"),
            ("notUTF8", "the file is UTF-16 or binary"), ("interrupted", "lines are in, and then"),
            ("notCSV", "nothing was taken in"), ("otherWidth", "cells and the header"),
            ("unknownColumns", "no field is called"), ("repeatedColumn", "are the same field"),
            ("noIDColumn", "the header has no column"),
            ("noSuchColumn", "which the header has not"),
        ],
        "Sources/Connectors/CSVReader.swift CSVError": [
            ("unclearSeparator", "the header has more than one of comma, semicolon and tab"),
            ("openQuote", "is not closed: close it"),
            ("quoteInside", "has a quotation mark inside a cell"),
            ("textBehindQuote", "has text behind a closing quotation mark"),
            ("tooLong", "begins a row of more than 1 MiB"),
            ("notUTF8", "is not UTF-8: export it as UTF-8"),
        ],
        "Sources/Engine/Workplace+People.swift PersonError": [
            ("unknownField", "there is no field"), ("notContested", "is not contested"),
            ("noSuchSide", "is no side of this difference"),
            ("nothingStands", "nothing stood there before"),
            ("nothingGone", "nothing of this record was deleted"),
            ("nothingDeletable", "the systems that still have this person are only read"),
            ("noSuchQuestion", "no such question is open"),
            ("nothingToRetry", "no command with this id was given up or refused"),
            ("notLinked", "that object belongs to no record"),
            ("unknownReplica", "there is no such object"),
            ("unknownRecord", "there is no such record"),
            ("twoOfOneSystem", "two of these objects are in the same system"),
            ("twoRecords", "these objects belong to two records"),
        ],
        "Sources/Model/Scope.swift ScopeError": [
            ("unknownField", "the scope names a field"),
            ("notATest", "the scope cannot be read at"),
            ("isASet", "holds several"),
            ("hasNoOrder", "the scope compares"),
            ("isAReference", "refers to another record: write"),
            ("badValue", "the scope compares"),
            ("openQuote", "the scope has a quotation mark"),
        ],
        "Sources/Model/PolicyChange.swift PolicyError": [
            ("unknownField", "there is no field"),
            ("noPreset", "is no preset"),
            ("isJoin", "always joins by"),
            ("noJoin", "cannot join by"),
            ("noNumber", "needs a field of numbers"),
            ("nobodyPreferred", "the law prefer needs --prefer"),
            ("lacksField", "does not have the field"),
        ],
        "Sources/Engine/Workplace+Mapping.swift WorkplaceMappingError": [
            ("unknownEntity", "there is no entity"), ("scope", "was connected with it"),
            ("taken", "whose history stands there"),
        ],
        "Sources/Engine/EngineMessages.swift EngineError": [
            ("stuck", "the engine stopped making progress")
        ],
    ]

    @Test(arguments: cases.keys.sorted())
    func `tells the fix of every case of an error type`(place: String) throws {
        let parts = place.split(separator: " ").map(String.init)
        let source = try String(
            contentsOf: root.appendingPathComponent(parts[0]), encoding: .utf8)
        let start = try #require(source.firstRange(of: "enum \(parts[1]): "))
        let body = source[start.upperBound...]
        let end = body.firstRange(of: "var description")?.lowerBound ?? body.endIndex
        let declared = body[..<end].split(separator: "\n").compactMap { line in
            line.firstMatch(of: /^    case (\w+)/).map { String($0.1) }
        }
        let table = Self.cases[place] ?? []
        #expect(declared == table.map(\.name), "a row for each case, in this order")
        for (name, stem) in table {
            #expect(source.contains(stem), "\(name) says something else now")
            // A file's own trouble is told in the system's words.
            if stem.contains("strerror") { continue }
            #expect(page.contains(stem), "\(name) has no row")
        }
    }

    @Test func `tells the fix of every reason of the store`() throws {
        let source = try String(
            contentsOf: root.appendingPathComponent("Sources/LMDB/LMDBError+Description.swift"),
            encoding: .utf8)
        // Every reason of ours is a text that stands alone or opens a longer one.
        let pattern = /^ +(?:return )?"([^"\\]+)/
        let reasons = source.matches(of: pattern.anchorsMatchLineEndings()).map { String($0.1) }
            // The second line of a longer reason.
            .filter { !$0.hasPrefix("and ") && !$0.hasPrefix("do not hold") && $0.count > 12 }
            .filter { reason in
                !["so close", "or use", "end it", "look for", "data.mdb"].contains {
                    reason.hasPrefix($0)
                }
            }
        #expect(reasons.count > 15)
        for reason in reasons { #expect(pageHas(reason), "\(reason)") }
    }

    @Test func `tells the fix of every failure of a system`() throws {
        let connectors = try sentences(
            under: "Sources/Connectors", after: "(?:RemoteFailure|failure)\\(")
        let transport = try sentences(
            under: "Sources/Transport/Curl/FailureReason.swift", after: "case \\.\\w+:")
        #expect(connectors.count > 10 && transport.count > 10)
        for sentence in connectors + transport { #expect(pageHas(sentence), "\(sentence)") }
    }

    @Test func `tells the fix of everything that the program refuses`() throws {
        let refusals = try sentences(under: "Sources/syncledger", after: "Refusal\\(")
        #expect(refusals.count > 25)
        for sentence in refusals where sentence != "…" { #expect(pageHas(sentence), "\(sentence)") }
    }

    /// What the rows of the page say an error says: the fixed words of it, in order.
    private var rows: [[String]] {
        page.split(separator: "\n").filter { $0.hasPrefix("| ") }.flatMap { row in
            row.dropFirst(2).components(separatedBy: " | ")[0].components(separatedBy: " / ")
        }.map { stem in
            stem.components(separatedBy: "…").map { $0.trimmingCharacters(in: .whitespaces) }
                .filter { !$0.isEmpty }
        }.filter { $0.joined().count > 6 }
    }

    /// Whether a row tells of a sentence.
    private func pageHas(_ sentence: String) -> Bool {
        rows.contains { words in
            var rest = sentence[...]
            return words.allSatisfy { piece in
                guard let found = rest.firstRange(of: piece) else { return false }
                rest = rest[found.upperBound...]
                return true
            }
        }
    }

    /// The texts that stand as an argument behind a call, values in them replaced by `…`.
    private func sentences(under path: String, after call: String) throws -> [String] {
        let start = root.appendingPathComponent(path)
        var files = [start]
        if let inside = FileManager.default.enumerator(at: start, includingPropertiesForKeys: nil) {
            files += inside.compactMap { $0 as? URL }
        }
        let pattern = try Regex("\(call)[^\"{}]*?\"((?:[^\"\\\\]|\\\\.)+)\"")
        return try files.filter { $0.pathExtension == "swift" }.flatMap { file in
            let source = try String(contentsOf: file, encoding: .utf8)
            return source.matches(of: pattern).compactMap { match in
                match.output[1].substring.map { plain(String($0)) }
            }
        }
    }

    /// A source text as people read it.
    private func plain(_ text: String) -> String {
        var result = ""
        var depth = 0
        var rest = text[...]
        while let character = rest.popFirst() {
            if character == "\\", rest.first == "(" {
                if depth == 0 { result += "…" }
                depth += 1
                rest.removeFirst()
            } else if depth > 0 {
                depth += character == "(" ? 1 : character == ")" ? -1 : 0
            } else {
                result.append(character)
            }
        }
        return result
    }
}
