import Autodiff

// Values are text in the metadata: whole numbers in decimal, floating-point numbers as their bits.

extension CheckpointVisitor {
  /// Visits a whole number.
  public mutating func visit(_ value: inout Int, _ name: String) {
    let current = value
    visitValue(name, kind: "Int", text: "\(current)") { assign(Int($0), to: &value) }
  }

  /// Visits a whole number of 64 bits without sign.
  public mutating func visit(_ value: inout UInt64, _ name: String) {
    let current = value
    visitValue(name, kind: "UInt64", text: "\(current)") { assign(UInt64($0), to: &value) }
  }

  /// Visits a number, which comes back bit for bit.
  public mutating func visit(_ value: inout Double, _ name: String) {
    let current = value
    visitValue(
      name, kind: "Double", text: hexadecimal(current.bitPattern, digits: 16)
    ) { text in
      assign(UInt64(text, radix: 16).map { Double(bitPattern: $0) }, to: &value)
    }
  }

  /// Visits a truth value.
  public mutating func visit(_ value: inout Bool, _ name: String) {
    let current = value
    visitValue(name, kind: "Bool", text: "\(current)") { assign(Bool($0), to: &value) }
  }

  /// Visits a text.
  public mutating func visit(_ value: inout String, _ name: String) {
    let current = value
    visitValue(name, kind: "String", text: current) { assign($0, to: &value) }
  }

  /// Visits a generator of random numbers, which goes on with the number that would be next.
  public mutating func visit(_ value: inout PhiloxGenerator, _ name: String) {
    let current = value
    visitValue(
      name, kind: "PhiloxGenerator", text: "\(current.seed) \(current.stream) \(current.position)"
    ) { text in
      let numbers = text.split(separator: " ").compactMap { UInt64($0) }
      guard numbers.count == 3 else { return false }
      var generator = PhiloxGenerator(seed: numbers[0], stream: numbers[1])
      generator.skip(ahead: numbers[2])
      // A position beyond the stream's end would silently be another one.
      guard generator.position == numbers[2] else { return false }
      value = generator
      return true
    }
  }
}

private func assign<Value>(_ new: Value?, to value: inout Value) -> Bool {
  guard let new else { return false }
  value = new
  return true
}
