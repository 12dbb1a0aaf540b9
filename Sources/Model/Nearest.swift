/// The word that needs the fewest changes to become this one, if they are few.
package func nearest(_ word: String, in words: [String]) -> String? {
    let scored = words.map { ($0, editDistance(Array(word.lowercased()), Array($0.lowercased()))) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, word.count / 3) else {
        return nil
    }
    return best.0
}

/// `, did you mean …?`, or a colon where no word is near: what follows says where they are listed.
package func didYouMean(_ word: String, among words: [String]) -> String {
    nearest(word, in: words).map { ", did you mean \($0)?" } ?? ":"
}

/// Levenshtein's distance.
private func editDistance(_ left: [Character], _ right: [Character]) -> Int {
    var row = Array(0...right.count)
    for (i, one) in left.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for (j, other) in right.enumerated() {
            let cost = one == other ? diagonal : min(diagonal, row[j], row[j + 1]) + 1
            diagonal = row[j + 1]
            row[j + 1] = cost
        }
    }
    return row[right.count]
}
