/// A number as reports and messages show it: three significant digits.
package func number(_ value: Double) -> String { text(value, 3) }

/// A number with a few significant digits.
package func text(_ value: Double, _ digits: Int) -> String {
  guard value.isFinite, value != 0 else { return value == 0 ? "0" : "\(value)" }
  var (exponent, unit) = (0, 1.0)
  while value.magnitude / unit >= 10, exponent < 308 {
    (exponent, unit) = (exponent + 1, unit * 10)
  }
  while value.magnitude / unit < 1, exponent > -307 {
    (exponent, unit) = (exponent - 1, unit / 10)
  }
  let precision = powerOfTen(digits - 1)
  var mantissa = (value / unit * precision).rounded() / precision
  if mantissa.magnitude >= 10 { (mantissa, exponent) = (mantissa / 10, exponent + 1) }
  let isPlain = (-4...5).contains(exponent)
  var text = "\(isPlain ? value.rounded(toDecimals: digits - 1 - exponent) : mantissa)"
  if text.hasSuffix(".0") { text.removeLast(2) }
  return isPlain ? text : "\(text)e\(exponent)"
}

private func powerOfTen(_ exponent: Int) -> Double {
  (0..<exponent).reduce(1.0) { power, _ in power * 10 }
}

extension Double {
  fileprivate func rounded(toDecimals count: Int) -> Double {
    // Only division by a power of ten gives the number that prints with these decimals.
    guard count < 0 else { return (self * powerOfTen(count)).rounded() / powerOfTen(count) }
    return (self / powerOfTen(-count)).rounded() * powerOfTen(-count)
  }
}
