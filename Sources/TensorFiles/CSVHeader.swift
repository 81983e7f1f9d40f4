// The names of the columns: read from the first record, checked, and searched.

enum CSVHeader {
  /// The name a header field gives its column: blanks around an unquoted name are not part of it.
  static func name(of field: CSVField, in bytes: [UInt8]) -> String {
    field.isQuoted
      ? content(of: field, in: bytes) : decode(trimmingBlanks(bytes, field.range), bytes)
  }

  /// The names of the columns, which must be there, not empty and all different.
  static func names(from parser: CSVParser) throws(CSVError) -> [String] {
    let header = parser.fields.prefix(parser.columnCount)
    let names = header.map { name(of: $0, in: parser.bytes) }
    // An empty header field beside numbers is data too: the table starts without a header.
    let looksLikeData = header.allSatisfy {
      !$0.isQuoted && ($0.length == 0 || parseNumber(parser.bytes, $0.range) != nil)
    }
    if looksLikeData, let first = names.first(where: { !$0.isEmpty }) {
      throw .headerMissing(at: place(header[0], parser), firstField: first)
    }
    var indices: [String: Int] = [:]
    for (index, name) in names.enumerated() {
      let place = place(header[index], parser)
      if name.isEmpty { throw .emptyColumnName(at: place, index: index + 1) }
      if let first = indices[name] {
        throw .duplicateColumnName(
          at: place, name: name, firstIndex: first + 1, secondIndex: index + 1)
      }
      indices[name] = index
    }
    return names
  }

  private static func place(_ field: CSVField, _ parser: CSVParser) -> CSVPosition {
    parser.place(field.start - (field.isQuoted ? 1 : 0))
  }

  /// The one to three of `names` that a misspelt `name` is nearest to, if near at all.
  static func nearest(to name: String, in names: [String]) -> [String] {
    let wanted = Array(name.lowercased())
    let limit = max(2, wanted.count / 3)
    let distances = names.map { editDistance(wanted, Array($0.lowercased())) }
    let candidates = names.indices.filter {
      // A name that shares no character with the wanted one is no help.
      distances[$0] <= limit && distances[$0] < max(wanted.count, names[$0].count)
    }
    let least = candidates.map { distances[$0] }.min()
    return candidates.filter { distances[$0] == least }.prefix(3).map { names[$0] }
  }

  /// The number of insertions, deletions, substitutions and swaps of neighbours between two words
  /// (the optimal string alignment distance).
  private static func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var beforePrevious: [Int] = []
    var previous = Array(0...b.count)
    for i in a.indices {
      var current = [i + 1]
      for j in b.indices {
        var best = min(previous[j + 1] + 1, current[j] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
        if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
          best = min(best, beforePrevious[j - 1] + 1)
        }
        current.append(best)
      }
      beforePrevious = previous
      previous = current
    }
    return previous[b.count]
  }
}

/// The text of a field, with doubled quotes undone.
func content(of field: CSVField, in bytes: [UInt8]) -> String {
  guard field.hasEscapes else { return decode(field.range, bytes) }
  var plain: [UInt8] = []
  var index = field.range.lowerBound
  while index < field.range.upperBound {
    plain.append(bytes[index])
    index += bytes[index] == quote ? 2 : 1
  }
  return String(decoding: plain, as: UTF8.self)
}

func decode(_ range: Range<Int>, _ bytes: [UInt8]) -> String {
  String(decoding: bytes[range], as: UTF8.self)
}

/// The part of a range without spaces and tabs around it.
func trimmingBlanks(_ bytes: [UInt8], _ range: Range<Int>) -> Range<Int> {
  func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
  var (start, end) = (range.lowerBound, range.upperBound)
  while start < end, isBlank(bytes[start]) { start += 1 }
  while start < end, isBlank(bytes[end - 1]) { end -= 1 }
  return start..<end
}
