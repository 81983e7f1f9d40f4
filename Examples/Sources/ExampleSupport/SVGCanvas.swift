/// Collects the elements of an SVG file.
///
/// All coordinates have two decimals.
struct SVGCanvas {
  /// Attributes of an element, in their order.
  typealias Attributes = [(String, String)]

  private let width: Double
  private let height: Double
  private var elements: [String] = []

  init(width: Double, height: Double) { (self.width, self.height) = (width, height) }

  mutating func element(_ name: String, _ attributes: Attributes) {
    elements.append("<\(name)\(Self.joined(attributes))/>")
  }

  mutating func path(_ data: String, _ attributes: Attributes) {
    element("path", [("d", data)] + attributes)
  }

  mutating func circle(_ center: SVGPoint, radius: Double, _ attributes: Attributes) {
    element(
      "circle",
      [("cx", number(center.x)), ("cy", number(center.y)), ("r", number(radius))] + attributes)
  }

  mutating func text(
    _ text: String, x: Double, y: Double, size: Double, anchor: String = "start",
    weight: String = "normal", color: String = SVGColor.text, rotation: Double = 0
  ) {
    var attributes = [
      ("x", number(x)), ("y", number(y)), ("font-size", number(size)), ("fill", color),
    ]
    if anchor != "start" { attributes.append(("text-anchor", anchor)) }
    if weight != "normal" { attributes.append(("font-weight", weight)) }
    if rotation != 0 {
      attributes.append(("transform", "rotate(\(number(rotation)) \(number(x)) \(number(y)))"))
    }
    elements.append("<text\(Self.joined(attributes))>\(SVGText.escaped(text))</text>")
  }

  /// Adds what `body` draws, cut off at a rectangle.
  mutating func clipped(
    to box: SVGBox, identifier: String, _ body: (inout SVGCanvas) -> Void
  ) {
    elements.append(
      "<clipPath id=\"\(identifier)\"><rect\(Self.joined(box.attributes))/></clipPath>")
    elements.append("<g clip-path=\"url(#\(identifier))\">")
    body(&self)
    elements.append("</g>")
  }

  func document(title: String) -> String {
    let size = [
      ("width", number(width)), ("height", number(height)),
      ("viewBox", "0 0 \(number(width)) \(number(height))"),
      ("font-family", "Helvetica, Arial, 'DejaVu Sans', sans-serif"),
      ("role", "img"),
    ]
    let head = """
      <?xml version="1.0" encoding="UTF-8"?>
      <svg xmlns="http://www.w3.org/2000/svg"\(Self.joined(size))>
      <title>\(SVGText.escaped(title))</title>
      <rect width="100%" height="100%" fill="#FFFFFF"/>

      """
    return head + elements.joined(separator: "\n") + "\n</svg>\n"
  }

  private static func joined(_ attributes: Attributes) -> String {
    attributes.map { " \($0.0)=\"\(SVGText.escaped($0.1))\"" }.joined()
  }
}

/// A rectangle in pixels.
struct SVGBox {
  let x: Double
  let y: Double
  let width: Double
  let height: Double

  var right: Double { x + width }
  var bottom: Double { y + height }

  var attributes: SVGCanvas.Attributes {
    [("x", number(x)), ("y", number(y)), ("width", number(width)), ("height", number(height))]
  }
}

/// A coordinate as SVG text: two decimals, without zeros at the end.
func number(_ value: Double) -> String {
  var text = Numbers.fixed(value.isFinite ? value : 0, decimals: 2)
  while text.hasSuffix("0") { text.removeLast() }
  if text.hasSuffix(".") { text.removeLast() }
  return text
}

enum SVGText {
  /// The text with what XML reserves replaced, and without characters that XML cannot hold.
  static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      default:
        let isRefused =
          scalar.value < 0x20 || 0x7F...0x9F ~= scalar.value
          || [0xFFFE, 0xFFFF].contains(scalar.value)
        result.unicodeScalars.append(isRefused ? "\u{FFFD}" : scalar)
      }
    }
    return result
  }

  /// An estimate of the width of text, on the wide side of the usual sans-serif fonts: the viewer's
  /// font is not known here.
  static func width(_ text: String, size: Double) -> Double {
    text.reduce(0) { $0 + ("il.,:;'|![]()jft ".contains($1) ? 0.38 : 0.64) } * size
  }
}
