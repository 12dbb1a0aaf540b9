import ArgumentParser
import Connectors
import Engine
import Ledger
import Model
import Projections
import Transport

struct CheckMapping: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Say what each system would refuse, cut or clean under a mapping.",
        discussion: """
            Reads the field lists of the connected systems, and everything that stands in the \
            ledger. Without a file it is about the mapping in force. Nothing is changed. Exit code 2 \
            says that something would be refused or lost, 1 that a system could not be asked.
            """)
    @OptionGroup var common: Common
    @Argument(help: "A mapping file, or - for standard input.") var file: String?
    @Flag(help: "Ask no system; look only at what stands in the ledger.") var offline = false

    func run() throws {
        let read = try file.map(readMapping)
        try common.withWorkplace { workplace in
            // What could not be put in force is refused here as there.
            if let read, let file { _ = try reaches(of: read, named: file, workplace) }
            let mapping = try Model.Mapping(read?.entities ?? workplace.mapping().entities)
            let (connected, unasked) = try connected(workplace, mapping)
            let strangers = System.real.filter { system in
                !mapping.entities(of: system).isEmpty
                    && !connected.contains { $0.system == system }
            }
            var check = MappingCheck(mapping.entities, at: connected)
            try workplace.look(with: &check)
            let findings = check.findings
            let faults = findings.count { $0.isFault }
            common.show(
                .object([
                    .init("findings", .array(findings.map(Self.json))),
                    .init("unasked", .array(unasked.map { .string($0) })),
                    .init("notConnected", .array(strangers.map { .string($0.name) })),
                ]),
                unasked
                    + strangers.map {
                        "\($0.name) is not connected: what it has there was not looked at"
                    } + Self.lines(findings) + [
                        findings.isEmpty
                            ? "Nothing \(unasked.isEmpty ? "" : "else ")would be refused, cut or cleaned."
                            : "\(count(faults, "thing")) would be refused or lost, \(findings.count - faults) would only be otherwise there."
                    ])
            if !unasked.isEmpty { throw ExitCode.failure }
            if faults > 0 { throw somethingToDo }
        }
    }

    /// What is connected with what it says that its objects have, and who could not be asked.
    private func connected(
        _ workplace: Workplace, _ mapping: Model.Mapping
    ) throws -> ([MappingCheck.Connected], [String]) {
        var found: [MappingCheck.Connected] = []
        var unasked: [String] = []
        let secrets = try workplace.secrets()
        let rows = try workplace.views.read { tables, transaction in
            try tables.connections.all(transaction)
        }
        for row in rows where !row.isRemoved {
            let (label, configured) = (row.configured.label, row.configured)
            var connected = MappingCheck.Connected(label, row.system, configured.direction)
            connected.makes = configured.create == .always
            if !offline, !configured.url.isEmpty {
                if let credentials = secrets[row.id] {
                    do throws(RemoteFailure) {
                        let call = FirstCall(configured, credentials)
                        connected.fields = try call.fields(of: mapping)
                        if let stages = try call.stages(of: mapping) {
                            for kind in stages.kinds {
                                connected.fields[kind]?.append(stages.field)
                            }
                        }
                    } catch {
                        let what = connected.fields.isEmpty ? "" : " for its stages"
                        unasked.append("\(label) was not asked\(what): \(error.message)")
                    }
                } else {
                    unasked.append("\(label) was not asked: its credentials are missing")
                }
            }
            found.append(connected)
        }
        return (found, unasked)
    }

    private static func lines(_ findings: [MappingCheck.Finding]) -> [String] {
        findings.map { finding in
            let records = finding.records > 0 ? " (\(count(finding.records, "record")))" : ""
            let kind = finding.kind == finding.entity ? "" : "'s \(finding.kind)s"
            return
                "\(finding.isFault ? "!" : "·") \(finding.entity) \(finding.field) at \(finding.label)\(kind): \(finding.sentence)\(records)"
        }
    }

    private static func json(_ finding: MappingCheck.Finding) -> JSON {
        .object([
            .init("entity", .string(finding.entity)), .init("field", .string(finding.field)),
            .init("system", .string(finding.system.name)),
            .init("connection", .string(finding.label)), .init("kind", .string(finding.kind)),
            .init("isFault", .bool(finding.isFault)), .init("finding", .string(finding.sentence)),
            .init("records", .number("\(finding.records)")),
        ])
    }
}

private func count(_ number: Int, _ word: String) -> String {
    "\(number) \(word)\(number == 1 ? "" : "s")"
}

/// The mapping of a file, or of standard input.
func readMapping(_ file: String) throws -> MappingFile {
    let text: String
    do {
        text = try readText(file == "-" ? "/dev/stdin" : file)
    } catch WorkplaceError.file(_, let code) {
        throw Refusal(
            "\(file) cannot be read (\(words(for: code))): name a mapping file, or - for standard input"
        )
    }
    do {
        return try MappingFile(text)
    } catch let error as MappingFileError {
        throw refusal(of: file, error)
    }
}

/// What each entity of a file changes.
func reaches(
    of mapping: MappingFile, named file: String, _ workplace: Workplace
) throws -> [MappingReach] {
    try mapping.entities.map { entity in
        do {
            return try workplace.reach(of: entity)
        } catch let error as WorkplaceMappingError {
            throw refusal(of: file, mapping.placed(error, of: entity.entity))
        }
    }
}

private func refusal(of file: String, _ error: MappingFileError) -> Refusal {
    let name = file == "-" ? "standard input, " : file + ", "
    return Refusal(name + "\(error)")
}
