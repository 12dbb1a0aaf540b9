import Foundation
import SwiftProtobuf
import Testing

@testable import Ledger

/// Our hand-written wire format against the generated types of the published schema.
@Suite struct OracleTests {
    @Test(arguments: 0..<100)
    func `every payload is what the schema says, byte for byte`(seed: Int) throws {
        try Oracle.payloads.forEach { try $0.agrees(seed) }
    }

    @Test func `the oracle knows every payload that can be read`() {
        #expect(Set(Oracle.payloads.map(\.type)) == Set(Event.readers.keys))
    }

    @Test(arguments: 0..<100)
    func `the messages around the payloads are what the schema says`(seed: Int) throws {
        for message in Oracle.frame { try message.agrees(seed) }
        var random = SeededRandom(seed)
        let body = SealedBody(values: (0..<8).map { _ in random.value() })
        let theirs = try Syncledger_Ledger_V1_SealedBody(
            serializedBytes: WireEncoder.encode(body))
        #expect(try theirs.serializedBytes() == WireEncoder.encode(body))
        #expect(try WireDecoder.decode(SealedBody.self, from: theirs.serializedBytes()) == body)
    }

    @Test func `the oracle was generated from the schema as it stands`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
            .appending(path: "Schemas")
        let folder = root.appending(path: "syncledger/ledger/v1")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        #expect(files.map { "syncledger/ledger/v1/\($0)" } == oracleDigests.keys.sorted())
        for (file, digest) in oracleDigests {
            let bytes = try Data(contentsOf: root.appending(path: file))
            let now = Merkle.digest([UInt8](bytes)).map(hexadecimal).joined()
            #expect(now == digest, "\(file) changed: run tools/generate-oracle")
        }
    }

    @Test(arguments: 0..<20)
    func `what a newer writer adds to any message survives, by them and by us`(seed: Int) throws {
        for message in Oracle.payloads + Oracle.frame { try message.keepsUnknown(seed) }
    }

    @Test func `a number of the schema stands for the property of the same name`() throws {
        for message in Oracle.payloads + Oracle.frame { try message.namesAgree() }
    }

    @Test func `a moment before 1970 and a skew below zero are zigzag numbers`() throws {
        var skew = ClockSkewMeasured()
        skew.skewMicroseconds = .min
        let theirs = try Syncledger_Ledger_V1_ClockSkewMeasured(
            serializedBytes: WireEncoder.encode(skew))
        #expect(theirs.skewMicroseconds == .min)
        var evidence = Evidence()
        evidence.latest = Timestamp(microseconds: -1)
        let same = try Syncledger_Ledger_V1_Evidence(
            serializedBytes: WireEncoder.encode(evidence))
        #expect(same.latest == -1)
        #expect(!same.hasEarliest)
    }

    @Test func `a zero that differs from the default is written`() throws {
        var configured = ConnectionConfigured()
        configured.callsPerMinute = 0
        let bytes = WireEncoder.encode(configured)
        #expect(try WireDecoder.decode(ConnectionConfigured.self, from: bytes) == configured)
        let theirs = try Syncledger_Ledger_V1_ConnectionConfigured(serializedBytes: bytes)
        #expect(theirs.hasCallsPerMinute)
        #expect(theirs.callsPerMinute == 0)
    }
}

/// One of our messages beside the generated type of the same name.
struct Oracle: Sendable {
    var name: String
    var type: UInt64
    var agrees: @Sendable (Int) throws -> Void
    var keepsUnknown: @Sendable (Int) throws -> Void
    var namesAgree: @Sendable () throws -> Void

    init<Ours: WireMessage & Equatable, Theirs: SwiftProtobuf.Message>(
        _ ours: Ours.Type, _ theirs: Theirs.Type, type: UInt64 = 0
    ) {
        name = "\(ours)"
        self.type = type
        agrees = { seed in
            let message = Filler.fill(Ours.self, seed: seed)
            let (bytes, groups) = WireEncoder.encodeWithParts(message)
            let parsed = try Theirs(serializedBytes: bytes)
            #expect(try parsed.serializedBytes() == bytes, "\(ours), seed \(seed)")
            // JSON leaves out what the schema does not know, so nothing was unknown.
            let known = try Theirs(jsonString: parsed.jsonString())
            #expect(try known.serializedBytes() == bytes, "\(ours), seed \(seed)")
            let back = try WireDecoder.decode(
                Ours.self, from: parsed.serializedBytes(), parts: opened(groups))
            #expect(back == message, "\(ours), seed \(seed)")
        }
        keepsUnknown = { seed in
            var random = SeededRandom(seed)
            let (known, groups) = WireEncoder.encodeWithParts(Filler.fill(Ours.self, seed: seed))
            let unknown = random.unknownFields()
            // Theirs first: a newer writer's bytes, read and written by both.
            let theirs = try Theirs(serializedBytes: known + unknown)
            #expect(Array(theirs.unknownFields.data) == unknown, "\(ours), seed \(seed)")
            let bytes: [UInt8] = try theirs.serializedBytes()
            let read = try WireDecoder.decode(Ours.self, from: bytes, parts: opened(groups))
            #expect(read.unknownFields == unknown, "\(ours), seed \(seed)")
            #expect(WireEncoder.encodeWithParts(read).plain == bytes, "\(ours), seed \(seed)")
            // Ours first, with something new inside every nested message as well.
            let message = Filler.fill(Ours.self, seed: seed, isNewer: true)
            let (newer, parts) = WireEncoder.encodeWithParts(message)
            #expect(try Theirs(serializedBytes: newer).serializedBytes() == newer)
            let back = try WireDecoder.decode(Ours.self, from: newer, parts: opened(parts))
            #expect(back == message, "\(ours), seed \(seed)")
            #expect(WireEncoder.encodeWithParts(back).plain == newer, "\(ours), seed \(seed)")
        }
        namesAgree = {
            let blank = Mirror(reflecting: Ours()).children.map { "\($0.value)" }
            let theirBlank = try Self.json(Ours(), Theirs.self)
            for field in 1...15 {
                let message = Filler.fill(Ours.self, seed: field, only: field)
                let ours = zip(Mirror(reflecting: message).children, blank)
                    .filter { "\($0.value)" != $1 }.compactMap(\.0.label)
                let json = try Self.json(message, Theirs.self)
                let theirs = json.keys.filter { json[$0] != theirBlank[$0] }
                #expect(
                    ours.map { $0.lowercased() } == theirs.map { $0.lowercased() },
                    "\(Ours.self), field \(field)")
            }
        }
    }

    init<Ours: EventPayload, Theirs: SwiftProtobuf.Message>(
        payload ours: Ours.Type, _ theirs: Theirs.Type
    ) {
        self.init(ours, theirs, type: Ours.type)
    }

    /// The fields of a message by the oracle's names, as text.
    private static func json<Theirs: SwiftProtobuf.Message>(
        _ message: some WireMessage, _ type: Theirs.Type
    ) throws -> [String: String] {
        let parsed = try Theirs(serializedBytes: WireEncoder.encodeWithParts(message).plain)
        let object = try JSONSerialization.jsonObject(with: Data(parsed.jsonUTF8Data()))
        return (object as? [String: Any] ?? [:]).mapValues { "\($0)" }
    }

    static let payloads: [Oracle] = [
        Oracle(payload: ConnectionConfigured.self, Syncledger_Ledger_V1_ConnectionConfigured.self),
        Oracle(payload: ConnectionRemoved.self, Syncledger_Ledger_V1_ConnectionRemoved.self),
        Oracle(payload: WritesApproved.self, Syncledger_Ledger_V1_WritesApproved.self),
        Oracle(payload: PolicyChanged.self, Syncledger_Ledger_V1_PolicyChanged.self),
        Oracle(payload: MappingChanged.self, Syncledger_Ledger_V1_MappingChanged.self),
        Oracle(payload: ClockSkewMeasured.self, Syncledger_Ledger_V1_ClockSkewMeasured.self),
        Oracle(payload: Observed.self, Syncledger_Ledger_V1_Observed.self),
        Oracle(payload: Gone.self, Syncledger_Ledger_V1_Gone.self),
        Oracle(payload: Converted.self, Syncledger_Ledger_V1_Converted.self),
        Oracle(payload: HintReceived.self, Syncledger_Ledger_V1_HintReceived.self),
        Oracle(payload: SweepOpened.self, Syncledger_Ledger_V1_SweepOpened.self),
        Oracle(payload: SweepReached.self, Syncledger_Ledger_V1_SweepReached.self),
        Oracle(payload: SweepClosed.self, Syncledger_Ledger_V1_SweepClosed.self),
        Oracle(payload: CursorMoved.self, Syncledger_Ledger_V1_CursorMoved.self),
        Oracle(payload: Linked.self, Syncledger_Ledger_V1_Linked.self),
        Oracle(payload: Unlinked.self, Syncledger_Ledger_V1_Unlinked.self),
        Oracle(payload: AmbiguityRaised.self, Syncledger_Ledger_V1_AmbiguityRaised.self),
        Oracle(payload: AmbiguitySettled.self, Syncledger_Ledger_V1_AmbiguitySettled.self),
        Oracle(payload: Decided.self, Syncledger_Ledger_V1_Decided.self),
        Oracle(payload: Settled.self, Syncledger_Ledger_V1_Settled.self),
        Oracle(payload: Overtaken.self, Syncledger_Ledger_V1_Overtaken.self),
        Oracle(payload: RulesAdopted.self, Syncledger_Ledger_V1_RulesAdopted.self),
        Oracle(payload: CommandIssued.self, Syncledger_Ledger_V1_CommandIssued.self),
        Oracle(payload: CommandConfirmed.self, Syncledger_Ledger_V1_CommandConfirmed.self),
        Oracle(payload: CommandRefused.self, Syncledger_Ledger_V1_CommandRefused.self),
        Oracle(payload: CommandUncertain.self, Syncledger_Ledger_V1_CommandUncertain.self),
        Oracle(payload: CommandSuperseded.self, Syncledger_Ledger_V1_CommandSuperseded.self),
        Oracle(payload: CommandParked.self, Syncledger_Ledger_V1_CommandParked.self),
        Oracle(payload: ConsentGiven.self, Syncledger_Ledger_V1_ConsentGiven.self),
        Oracle(payload: RunStarted.self, Syncledger_Ledger_V1_RunStarted.self),
        Oracle(payload: RunFinished.self, Syncledger_Ledger_V1_RunFinished.self),
    ]

    static let frame: [Oracle] = [
        Oracle(Entry.self, Syncledger_Ledger_V1_Entry.self),
        Oracle(Ledger.Stream.self, Syncledger_Ledger_V1_Stream.self),
        Oracle(Actor.self, Syncledger_Ledger_V1_Actor.self),
        Oracle(Evidence.self, Syncledger_Ledger_V1_Evidence.self),
        Oracle(Ledger.Tag.self, Syncledger_Ledger_V1_Tag.self),
        Oracle(PartHead.self, Syncledger_Ledger_V1_PartHead.self),
        Oracle(StoredEvent.self, Syncledger_Ledger_V1_StoredEvent.self),
        Oracle(StoredEvent.Body.self, Syncledger_Ledger_V1_StoredEvent.Body.self),
        Oracle(FieldPolicyText.self, Syncledger_Ledger_V1_FieldPolicyText.self),
        Oracle(FieldMappingText.self, Syncledger_Ledger_V1_FieldMappingText.self),
        Oracle(SpellingText.self, Syncledger_Ledger_V1_SpellingText.self),
        Oracle(ObservedAttribute.self, Syncledger_Ledger_V1_ObservedAttribute.self),
        Oracle(DecisionInput.self, Syncledger_Ledger_V1_DecisionInput.self),
        Oracle(FieldDecision.self, Syncledger_Ledger_V1_FieldDecision.self),
        Oracle(CommandChange.self, Syncledger_Ledger_V1_CommandChange.self),
        Oracle(StoredAttribute.self, Syncledger_Ledger_V1_StoredAttribute.self),
        Oracle(RunFinished.Count.self, Syncledger_Ledger_V1_RunFinished.Count.self),
    ]
}
