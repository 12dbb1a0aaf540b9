import Dispatch
import Synchronization

/// Does the same with many things on all cores, and answers in their order; blocks until all is done.
///
/// - Throws: what the first of them threw, in their order.
package func inParallel<Element: Sendable, Result: Sendable>(
    _ elements: [Element], atLeast: Int = 64, _ body: @Sendable (Element) throws -> Result
) throws -> [Result] {
    try inPieces(elements, atLeast: atLeast) { try $0.map(body) }
}

/// As `inParallel`, with some of the things at a time, where what they share is looked up once; `atLeast`
/// so many, for little is done faster alone.
package func inPieces<Element: Sendable, Result: Sendable>(
    _ elements: [Element], atLeast: Int = 64,
    _ body: @Sendable (ArraySlice<Element>) throws -> [Result]
) throws -> [Result] {
    // Few pieces cost little, and many keep a core from waiting for the other's last one.
    let size = max(atLeast, elements.count / 16 + 1)
    guard elements.count > size else { return try body(elements[...]) }
    let count = (elements.count + size - 1) / size
    let done = Mutex<[Int: Swift.Result<[Result], any Error>]>([:])
    DispatchQueue.concurrentPerform(iterations: count) { piece in
        let slice = elements[piece * size..<min((piece + 1) * size, elements.count)]
        let results = Swift.Result { try body(slice) }
        done.withLock { $0[piece] = results }
    }
    let pieces = done.withLock { $0 }
    return try (0..<count).flatMap { try pieces[$0]?.get() ?? [] }
}
