import Foundation
import PlainLoop

/// Where it was measured; shown with every table.
struct Machine {
    let swift: String
    /// The kind of file system that the logs stood on.
    let filesystem: String
    private let loadBefore = Machine.load

    init(swift: String, filesystem: String) {
        self.swift = swift
        self.filesystem = filesystem
    }

    /// One line each.
    var lines: [String] {
        [
            "\(processor), \(ProcessInfo.processInfo.activeProcessorCount) cores, "
                + "\(memory) GB of memory, \(filesystem)",
            "\(swift); \(String(cString: plain_loop_version())); \(kernel)",
            "load average \(loadBefore) before and \(Self.load) after, this run included: "
                + "what else ran took its share",
        ]
    }

    private var processor: String { Self.value("model name", in: "/proc/cpuinfo") ?? "processor" }

    private var memory: String {
        let bytes = Double(ProcessInfo.processInfo.physicalMemory)
        return String(format: "%.0f", bytes / 1e9)
    }

    private var kernel: String {
        let release = try? String(contentsOfFile: "/proc/sys/kernel/osrelease", encoding: .utf8)
        return "Linux \((release ?? "?").trimmingCharacters(in: .whitespacesAndNewlines))"
    }

    private static var load: String {
        var load = [0.0]
        return getloadavg(&load, 1) == 1 ? String(format: "%.1f", load[0]) : "?"
    }

    private static func value(_ name: String, in file: String) -> String? {
        let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n")
        return lines?.first { $0.hasPrefix(name) }?.split(separator: ":").last.map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }
}
