import Foundation

/// Numbers as people read them.
///
/// No locale is involved: the same text on every machine.
public enum Numbers {
  /// The number with a fixed number of decimals; `-0.00` is written `0.00`.
  public static func fixed(_ value: Double, decimals: Int) -> String {
    guard value.isFinite else { return nonFinite(value) }
    let text = String(format: "%.\(decimals)f", value)
    let isZero = !text.contains { $0.isNumber && $0 != "0" }
    return isZero && text.hasPrefix("-") ? String(text.dropFirst()) : text
  }

  /// The number rounded to significant digits: decimal, or with an exponent when very large or
  /// very small.
  public static func significant(_ value: Double, digits: Int = 4) -> String {
    guard value.isFinite else { return nonFinite(value) }
    if value == 0 { return "0" }
    // The exponent after rounding: 9.9996 to four digits is 10.00.
    let scientific = String(format: "%.\(digits - 1)e", value)
    guard let mark = scientific.firstIndex(of: "e"),
      let exponent = Int(scientific[scientific.index(after: mark)...])
    else { return scientific }
    if exponent < -4 || exponent >= max(digits, 7) {
      return "\(scientific[..<mark])e\(exponent)"
    }
    return fixed(value, decimals: max(0, digits - 1 - exponent))
  }

  /// The number with at most six significant digits, without zeros at the end.
  public static func short(_ value: Double) -> String {
    let text = significant(value, digits: 6)
    guard text.contains(".") else { return text }
    let mantissa = text.prefix { $0 != "e" }
    let trimmed = mantissa.reversed().drop { $0 == "0" }.reversed()
    return String(trimmed.last == "." ? trimmed.dropLast() : trimmed[...])
      + text.dropFirst(mantissa.count)
  }

  /// A p-value: three decimals, or `<0.001`.
  public static func pValue(_ p: Double) -> String {
    guard p.isFinite else { return nonFinite(p) }
    return p < 0.001 ? "<0.001" : fixed(p, decimals: 3)
  }

  /// A p-value as a statement: `p = 0.280` or `p < 0.001`.
  public static func pStatement(_ p: Double) -> String {
    p < 0.001 ? "p < 0.001" : "p = \(pValue(p))"
  }

  /// A count with thousands separated by commas.
  public static func count(_ value: Int) -> String {
    var groups: [String] = []
    var rest = String(value.magnitude)
    while rest.count > 3 {
      groups.append(String(rest.suffix(3)))
      rest = String(rest.dropLast(3))
    }
    groups.append(rest)
    return (value < 0 ? "-" : "") + groups.reversed().joined(separator: ",")
  }

  /// A count with its noun: `1 row`, `2 rows`.
  public static func counted(_ value: Int, _ noun: String) -> String {
    "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
  }

  /// A time as people say it: `4.2 s`, `3 min 5 s`, `2 h 10 min`.
  public static func duration(_ seconds: Double) -> String {
    guard seconds < 1e7 else { return "very long" }
    if seconds < 10 { return fixed(seconds, decimals: 1) + " s" }
    let whole = Int(seconds.rounded())
    if whole < 60 { return "\(whole) s" }
    if whole < 3600 { return "\(whole / 60) min \(whole % 60) s" }
    return "\(whole / 3600) h \(whole % 3600 / 60) min"
  }

  private static func nonFinite(_ value: Double) -> String {
    value.isNaN ? "–" : value > 0 ? "∞" : "-∞"
  }
}
