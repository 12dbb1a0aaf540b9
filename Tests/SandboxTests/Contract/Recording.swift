import Foundation
import Sandbox

/// One exchange of a recording.
struct Exchange {
    var index: Int
    var comment: String
    var time: SandboxTime
    var request: SandboxRequest
    var response: SandboxResponse

    /// Whether the recording holds only a part of the answer.
    var isCut: Bool {
        comment.contains("cut") && response.json == nil || comment.contains("recording cut")
    }
}

/// A recorded conversation with a real program.
struct Recording {
    var name: String
    var exchanges: [Exchange]

    /// The folder of the recordings, beside the package unless the environment says otherwise.
    static let folder: String = {
        let environment = ProcessInfo.processInfo.environment["SYNCLEDGER_RECORDINGS"]
        if let environment { return environment }
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        return root.appendingPathComponent("../shared/recordings").standardized.path
    }()

    static var isThere: Bool { FileManager.default.fileExists(atPath: folder) }

    /// The names of a system's recordings, in order; none where the folder is missing.
    static func names(of system: String) -> [String] {
        let path = "\(folder)/\(system)"
        let files = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return files.filter { $0.hasSuffix(".har") }.sorted()
    }

    init(system: String, name: String) throws {
        let url = URL(fileURLWithPath: "\(Self.folder)/\(system)/\(name)")
        let file = try JSONDecoder().decode(HAR.self, from: Data(contentsOf: url))
        self.name = name
        exchanges = file.log.entries.enumerated().map { index, entry in
            Exchange(
                index: index, comment: entry.comment ?? "",
                time: SandboxTime(parsing: entry.startedDateTime) ?? SandboxTime(2026, 11, 23),
                request: entry.request.message, response: entry.response.message)
        }
    }
}

private struct HAR: Decodable {
    struct Log: Decodable { var entries: [Entry] }
    struct Entry: Decodable {
        var startedDateTime: String
        var comment: String?
        var request: Request
        var response: Response
    }
    struct Header: Decodable {
        var name: String
        var value: String
        var header: SandboxHeader { SandboxHeader(name, value) }
    }
    struct Body: Decodable { var text: String? }
    struct Request: Decodable {
        var method: String
        var url: String
        var headers: [Header]
        var postData: Body?

        var message: SandboxRequest {
            let path = url.split(separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
            let target = path.last.map { "/" + ($0.split(separator: "/", maxSplits: 1).last ?? "") }
            return SandboxRequest(
                method: method, target: target ?? "/", headers: headers.map(\.header),
                body: Array((postData?.text ?? "").utf8))
        }
    }
    struct Response: Decodable {
        var status: Int
        var headers: [Header]
        var content: Body

        var message: SandboxResponse {
            SandboxResponse(
                status: status, headers: headers.map(\.header),
                body: Array((content.text ?? "").utf8))
        }
    }

    var log: Log
}
