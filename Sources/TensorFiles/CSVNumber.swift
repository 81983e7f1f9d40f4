// Decimal numbers from bytes. Most numbers of a data file have few digits, and for those one exact
// multiplication or division gives the correctly rounded value (Clinger 1990, "How to read floating
// point numbers accurately"); the rest goes through the standard library, correctly rounded too.

/// The number written in a range of bytes, blanks around it ignored, or nil if it is none.
///
/// A number is a decimal one with optional sign, fraction and exponent, or `inf`, `infinity` or
/// `nan` in any case, the last also as C libraries write it: `nan(ind)`, `1.#QNAN`. A decimal number
/// too large for a `Double` is refused, not made infinite.
///
/// - Parameter mark: The decimal mark, a point or a comma.
func parseNumber(
  _ bytes: [UInt8], _ range: Range<Int>, decimalMark mark: UInt8 = UInt8(ascii: ".")
) -> Double? {
  let range = trimmingBlanks(bytes, range)
  var index = range.lowerBound
  let end = range.upperBound

  var isNegative = false
  if index < end, bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+") {
    isNegative = bytes[index] == UInt8(ascii: "-")
    index += 1
  }

  var mantissa: UInt64 = 0
  var significantDigits = 0
  var digits = 0
  var exponent = 0
  var isFraction = false
  while index < end {
    let digit = Int(bytes[index]) - 48
    if 0...9 ~= digit {
      digits += 1
      if significantDigits > 0 || digit != 0 { significantDigits += 1 }
      if significantDigits <= 19 { mantissa = mantissa * 10 + UInt64(digit) }
      if isFraction { exponent -= 1 }
    } else if bytes[index] == mark, !isFraction {
      isFraction = true
    } else {
      break
    }
    index += 1
  }
  guard digits > 0 else { return parseSpecialNumber(bytes, index..<end, isNegative: isNegative) }

  if index < end {
    guard bytes[index] | 0x20 == UInt8(ascii: "e"),
      let written = parseExponent(bytes, (index + 1)..<end)
    else { return isNaN(bytes, range) ? .nan : nil }
    exponent += written
  }

  if significantDigits <= 19, mantissa <= 1 << 53, -22...22 ~= exponent {
    let magnitude =
      exponent < 0
      ? Double(mantissa) / powersOfTen[-exponent] : Double(mantissa) * powersOfTen[exponent]
    return isNegative ? -magnitude : magnitude
  }
  let text = String(
    decoding: bytes[range].map { $0 == mark ? UInt8(ascii: ".") : $0 }, as: UTF8.self)
  guard let value = Double(text), value.isFinite else { return nil }
  return value
}

private let powersOfTen: [Double] = (0...22).map { exponent in
  // Each power up to 10^22 is exact in a Double, and so is every product on the way.
  (0..<exponent).reduce(1.0) { power, _ in power * 10 }
}

private func parseExponent(_ bytes: [UInt8], _ range: Range<Int>) -> Int? {
  var index = range.lowerBound
  var isNegative = false
  if index < range.upperBound,
    bytes[index] == UInt8(ascii: "-") || bytes[index] == UInt8(ascii: "+")
  {
    isNegative = bytes[index] == UInt8(ascii: "-")
    index += 1
  }
  guard index < range.upperBound else { return nil }
  var value = 0
  while index < range.upperBound {
    let digit = Int(bytes[index]) - 48
    guard 0...9 ~= digit else { return nil }
    // Any exponent beyond this one is out of range; the bound keeps the sum from overflowing.
    value = min(value * 10 + digit, 1_000_000)
    index += 1
  }
  return isNegative ? -value : value
}

private func parseSpecialNumber(
  _ bytes: [UInt8], _ range: Range<Int>, isNegative: Bool
) -> Double? {
  if isNaN(bytes, range) { return .nan }
  guard range.count == 3 || range.count == 8 else { return nil }
  switch lowercased(bytes, range) {
  case "inf", "infinity": return isNegative ? -.infinity : .infinity
  default: return nil
  }
}

private func lowercased(_ bytes: [UInt8], _ range: Range<Int>) -> String {
  String(decoding: bytes[range], as: UTF8.self).lowercased()
}

/// Whether a text, blanks around it ignored, spells a value that is not a number: `nan` or `snan` in any
/// case with or without a sign and something in parentheses, or `1.#QNAN` and its kin.
func isNaN(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
  let range = trimmingBlanks(bytes, range)
  // No longer spelling is in use, and most fields are ruled out by their length or first letter.
  guard 3...24 ~= range.count else { return false }
  var text = lowercased(bytes, range)[...]
  if text.hasPrefix("-") || text.hasPrefix("+") { text = text.dropFirst() }
  if text.hasPrefix("1.#") { return ["qnan", "snan", "ind"].contains(text.dropFirst(3)) }
  if text.hasPrefix("s") { text = text.dropFirst() }
  guard text.hasPrefix("nan") else { return false }
  let rest = text.dropFirst(3)
  return rest.isEmpty || (rest.hasPrefix("(") && rest.hasSuffix(")"))
}
