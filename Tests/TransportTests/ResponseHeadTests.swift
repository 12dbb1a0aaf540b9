import Testing

@testable import Transport

@Suite struct `A response head` {
    private func head(_ lines: String..., limits: HTTPLimits = HTTPLimits()) -> ResponseHead {
        var head = ResponseHead(limits: limits)
        for line in lines { _ = head.take(Array((line + "\r\n").utf8)) }
        return head
    }

    @Test func `keeps names, order and repetition`() {
        let head = head("HTTP/1.1 200 OK", "B: 1", "a:2 ", "B:\t3", "")
        #expect(head.status == 200)
        #expect(head.isComplete)
        #expect(head.headers == ["B": "1", "a": "2", "B": "3"])
    }

    @Test func `needs no reason and no carriage return`() {
        var head = ResponseHead(limits: HTTPLimits())
        for line in ["HTTP/1.0 503\n", "A: b\n", "\n"] { _ = head.take(Array(line.utf8)) }
        #expect(head.status == 503)
        #expect(head.headers == ["A": "b"])
        #expect(head.isComplete)
    }

    @Test func `joins folded lines and skips lines without a name`() {
        let head = head("HTTP/1.1 200 OK", " lost", "A: b", "  c", "junk", "")
        #expect(head.headers == ["A": "b c"])
    }

    @Test func `forgets interim responses and trailers`() {
        let head = head("HTTP/1.1 100 Continue", "X: 1", "", "HTTP/1.1 201 Created", "", "X: 2", "")
        #expect(head.status == 201)
        #expect(head.headers.isEmpty)
    }

    @Test func `is not to be trusted with two lengths`() {
        var head = head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 4")
        #expect(head.take(Array("\r\n".utf8)) == .malformed)
        head = self.head("HTTP/1.1 200 OK", "Content-Length: 3", "Content-Length: 3")
        #expect(head.take(Array("\r\n".utf8)) == .accepted)
    }

    @Test(arguments: ["br", "zstd", "gzip, gzip", "deflate"])
    func `is not to be trusted with a coding nobody asked for`(coding: String) {
        var head = head("HTTP/1.1 200 OK", "Content-Encoding: \(coding)")
        #expect(head.take(Array("\r\n".utf8)) == .malformed)
    }
}

@Suite struct `Headers` {
    @Test func `are found without case and kept in order`() {
        var headers: HTTPHeaders = ["Accept": "a", "X": "1", "accept": "b"]
        #expect(headers["ACCEPT"] == "a")
        #expect(headers.values(of: "Accept") == ["a", "b"])
        headers["accept"] = "c"
        #expect(headers == ["Accept": "c", "X": "1"])
        headers["x"] = nil
        headers["New"] = "n"
        #expect(headers == ["Accept": "c", "New": "n"])
        #expect(headers["missing"] == nil)
    }
}
