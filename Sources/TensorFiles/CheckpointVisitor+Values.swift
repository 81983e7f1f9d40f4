import Autodiff

// Values are text in the metadata: whole numbers in decimal, floating-point numbers as their bits.

extension CheckpointVisitor {
  /// Visits a value that its text stands for: a whole number, a truth value, a text.
  public mutating func visit<Value: LosslessStringConvertible>(_ value: inout Value, _ name: String)
  {
    let current = value
    visitValue(name, kind: "\(Value.self)", text: "\(current)") { assign(Value($0), to: &value) }
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
