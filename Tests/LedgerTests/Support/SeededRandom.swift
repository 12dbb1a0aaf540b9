@testable import Ledger

/// SplitMix64: the same seed gives the same numbers on every machine.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: Int) { state = UInt64(bitPattern: Int64(seed)) &+ 0x9E37_79B9_7F4A_7C15 }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    mutating func below(_ limit: Int) -> Int { Int(next() % UInt64(limit)) }
    mutating func chance(_ one: Int) -> Bool { below(one) == 0 }
    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) }
    }
    mutating func id<Kind>() -> Identifier<Kind> { Identifier(high: next(), low: next()) }

    mutating func number() -> UInt64 { next() >> UInt64(below(64)) }

    mutating func text() -> String {
        let words = ["", "a", "Zoë", "日本語", "nul\0", "e\u{301}", "👩‍👩‍👧", "x y", "0", "-1.50"]
        return (0..<below(4)).map { _ in words[below(words.count)] }.joined(separator: "·")
    }

    /// A field from 900 on of each wire type, in an order of its own.
    mutating func unknownFields() -> [UInt8] {
        var fields: [[UInt8]] = []
        for (number, type) in [(900, WireType.varint), (901, .fixed64), (902, .fixed32)] {
            var field: [UInt8] = []
            appendVarint(UInt64(number) << 3 | UInt64(type.rawValue), to: &field)
            switch type {
            case .varint: appendVarint(next() >> UInt64(below(64)), to: &field)
            case .fixed64: field += bytes(8)
            default: field += bytes(4)
            }
            fields.append(field)
        }
        var text: [UInt8] = []
        appendVarint(UInt64(903) << 3 | UInt64(WireType.lengthDelimited.rawValue), to: &text)
        let payload = bytes(below(200))
        appendVarint(UInt64(payload.count), to: &text)
        fields.append(text + payload)
        return fields.shuffled(using: &self).flatMap(\.self)
    }

    mutating func value() -> Value {
        switch below(6) {
        case 0: .null
        case 1: .text(text())
        case 2: .number(String(Int64(bitPattern: number())))
        case 3: .bool(chance(2))
        case 4: .set(of: (0..<below(4)).map { _ in text() })
        default: .bytes(bytes(below(40)))
        }
    }
}

/// Fills every field of a message at random, by the same `visit` that encodes it.
struct Filler: WireVisitor {
    var random: SeededRandom
    /// Only this field is filled, where one is named.
    var only: Int?
    /// Whether every message has fields that this code does not know.
    var isNewer = false
    /// Few subjects, so that several values share a part.
    var subjects: [SubjectID]

    init(seed: Int, only: Int? = nil) {
        random = SeededRandom(seed)
        self.only = only
        subjects = []
        subjects = [random.id(), random.id(), random.id()]
    }

    static func fill<M: WireMessage>(
        _ type: M.Type = M.self, seed: Int, only: Int? = nil, isNewer: Bool = false
    ) -> M {
        var filler = Filler(seed: seed, only: only)
        filler.isNewer = isNewer
        return filler.make()
    }

    mutating func make<M: WireMessage>() -> M {
        var message = M()
        message.visit(&self)
        if isNewer { message.unknownFields = random.unknownFields() }
        return message
    }

    // Seen as a decoder, since it gives values instead of taking them.
    var isDecoding: Bool { true }
    var fieldJustRead: Int { 0 }

    private func fills(_ field: Int) -> Bool { only == nil || only == field }

    /// What is inside a field that is filled, is filled whole.
    private mutating func nested<M: WireMessage>() -> M {
        let kept = only
        only = nil
        defer { only = kept }
        return make()
    }

    mutating func id<Kind>(_ field: Int, _ value: inout Identifier<Kind>?) {
        if fills(field) { value = only != nil || random.chance(2) ? random.id() : nil }
    }
    mutating func ids<Kind>(_ field: Int, _ value: inout [Identifier<Kind>]) {
        if fills(field) { value = [random.id(), random.id()] }
    }
    mutating func unsigned(_ field: Int, _ value: inout UInt64) {
        // Small and not zero where one field is asked for, so that choices change too.
        guard fills(field) else { return }
        value = only != nil ? value % 2 + 1 : random.chance(3) ? 1 : random.number()
    }
    mutating func unsigned(_ field: Int, _ value: inout UInt64?) {
        if fills(field) { value = only != nil || random.chance(2) ? random.number() : nil }
    }
    mutating func signed(_ field: Int, _ value: inout Int64) {
        if fills(field) { value = Int64(bitPattern: random.number()) }
    }
    mutating func bool(_ field: Int, _ value: inout Bool) {
        if fills(field) { value = only != nil || random.chance(2) }
    }
    mutating func bool(_ field: Int, _ value: inout Bool?) {
        if fills(field) { value = random.chance(2) }
    }
    mutating func string(_ field: Int, _ value: inout String) {
        if fills(field) { value = only != nil ? "filled" : random.text() }
    }
    mutating func string(_ field: Int, _ value: inout String?) {
        if fills(field) { value = random.text() }
    }
    mutating func strings(_ field: Int, _ value: inout [String]) {
        if fills(field) { value = (0...random.below(3)).map { _ in random.text() } }
    }
    mutating func bytes(_ field: Int, _ value: inout [UInt8]) {
        if fills(field) { value = random.bytes(1 + random.below(64)) }
    }
    mutating func bytes(_ field: Int, _ value: inout [UInt8]?) {
        if fills(field), only != nil || !random.chance(4) { value = random.bytes(16) }
    }
    mutating func bytes(_ field: Int, _ value: inout [[UInt8]]) {
        guard fills(field) else { return }
        value = (0..<1 + random.below(3)).map { _ in random.bytes(16) }
    }
    mutating func message<M: WireMessage>(_ field: Int, _ value: inout M) {
        if fills(field) { value = nested() }
    }
    mutating func message<M: WireMessage>(_ field: Int, _ value: inout M?) {
        if fills(field) { value = only != nil || random.chance(2) ? nested() : nil }
    }
    mutating func messages<M: WireMessage>(_ field: Int, _ value: inout [M]) {
        if fills(field) {
            value = (0..<(only != nil ? 1 : random.below(4))).map { _ in nested() }
        }
    }
    mutating func sealed(_ field: Int, _ value: inout Sealed?) {
        guard fills(field), only != nil || !random.chance(4) else { return }
        let known = random.chance(8) && only == nil ? nil : random.value()
        var sealed = Sealed(
            known, subject: subjects[random.below(subjects.count)],
            category: Category.allCases[1 + random.below(Category.allCases.count - 1)])
        if isNewer { sealed.unknownFields = random.unknownFields() }
        value = sealed
    }
}

/// What opening every part of a freshly encoded message gives.
func opened(_ groups: [SealedGroup]) -> OpenedParts {
    OpenedParts(
        groups.map { group in
            var part = OpenedParts.Part(subject: group.subject, category: group.category)
            part.values = group.values
            return part
        })
}
