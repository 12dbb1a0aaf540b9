import Testing

@testable import Transport

@Suite struct `The redactor` {
    @Test func `hides what follows the name of a secret`() {
        #expect(Redactor.redact("Authorization: Bearer abc\nok") == "Authorization: [hidden]\nok")
    }
}
