import Crypto
import Foundation
import Ledger
import Model
import Projections

/// Rebuilds the views of a log of stated content, a few times, and says how fast.
///
///     bench-rebuild [--events 300000] [--people 20000] [--rounds 3] [--keep DIR] [--digest]
let arguments = CommandLine.arguments
func option(_ name: String) -> String? {
    arguments.firstIndex(of: name).map { arguments[$0 + 1] }
}
let events = option("--events").flatMap { Int($0) } ?? 300_000
let people = option("--people").flatMap { Int($0) } ?? 20_000
let rounds = option("--rounds").flatMap { Int($0) } ?? 3
let kept = option("--keep")
let directory = kept ?? NSTemporaryDirectory() + "bench-rebuild-\(UUID().uuidString)"

try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
let ledger = LedgerID(high: 1, low: 1)
let master = try MasterKey(epoch: 1, bytes: [UInt8](repeating: 7, count: 32))
let keys = try KeyRing(directory: directory + "/keys", ledger: ledger, master: master)
let sealer = Sealer(ledger: ledger, keys: keys)
let log = try EventLog(directory: directory, ledger: ledger) {
    Timestamp(seconds: Int64(Date().timeIntervalSince1970))
}

if log.end == 0 {
    var town = Town(people: people)
    var batch = [town.first()]
    var written = 0
    while written < events {
        while batch.count < 1_000 { batch += town.next() }
        written += try log.append(try sealer.seal(batch)).sequences.count
        batch = []
    }
}

let views = try ViewStore(
    directory: directory, log: log, sealer: sealer, mapping: .shipped,
    blind: master.derived("blind lookups", ledger: ledger))
for _ in 0..<rounds {
    let rebuilt = try views.rebuild(anew: true)
    let seconds = rebuilt.duration / .seconds(1)
    let swap = Int((rebuilt.swap / .milliseconds(1)).rounded())
    print(
        "\(rebuilt.events) events in \(Int(seconds * 1_000)) ms:",
        "\(Int(Double(rebuilt.events) / seconds)) a second, swap \(swap) ms,",
        "\(ownMebibytes()) MiB of memory of its own")
}
if arguments.contains("--digest") {
    print("digest", try views.digest().map { String($0, radix: 16) }.joined(separator: "."))
}
try views.close()
try log.close()
try keys.close()
if kept == nil { try FileManager.default.removeItem(atPath: directory) }

/// The memory of its own that this process has now; maps of files are not counted.
func ownMebibytes() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("RssAnon:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) / 1_024
}
