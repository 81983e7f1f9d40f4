import Autodiff
import Foundation
import Inference

/// The functions of a treatment in which the structural function is linear.
public enum StructuralFeatures: Sendable, Equatable {
  /// The treatment itself.
  case linear
  /// Powers 1 to `degree` of the treatment in units of its deviation from the mean.
  case polynomial(degree: Int)
  /// cos(kπu) for k = 1 to `count`, u the position between the least and the greatest value.
  case fourier(count: Int)
  /// The natural logarithm.
  case logarithm
}

extension StructuralFeatures: CustomStringConvertible {
  /// The features of a name such as `linear`, `polynomial:3`, `fourier:4` or `log`.
  public init?(_ name: String) {
    switch sized(name) {
    case ("linear", nil): self = .linear
    case ("log", nil): self = .logarithm
    case ("polynomial", .some(let degree)) where 1...8 ~= degree: self = .polynomial(degree: degree)
    case ("fourier", .some(let count)) where 1...16 ~= count: self = .fourier(count: count)
    default: return nil
    }
  }

  /// The name by which the features are asked for.
  public var description: String {
    switch self {
    case .linear: "linear"
    case .polynomial(let degree): "polynomial:\(degree)"
    case .fourier(let count): "fourier:\(count)"
    case .logarithm: "log"
    }
  }
}

/// A name such as `polynomial:3` in its parts; the whole name without a size, if it has none.
func sized(_ name: String) -> (word: String, size: Int?) {
  let parts = name.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
  guard parts.count == 2, let size = Int(parts[1]) else { return (name, nil) }
  return (parts[0], size)
}

/// The features of one variable, made for the values it has in the data.
public struct TreatmentFeatures: Sendable {
  /// A name for each feature.
  public let names: [String]
  /// What the names abbreviate; nil where they say all.
  public let note: String?
  private let evaluate: @Sendable (_ value: Double) -> [Double]

  /// The features of a variable.
  ///
  /// - Throws: `FeatureError` where a logarithm does not exist.
  public init(_ features: StructuralFeatures, of variable: Variable) throws(FeatureError) {
    let name = variable.name
    let (least, greatest) = (variable.column.min().scalar, variable.column.max().scalar)
    switch features {
    case .linear:
      (names, note) = ([name], nil)
      evaluate = { [$0] }
    case .logarithm:
      if let value = variable.values.first(where: { $0 <= 0 }) {
        throw .notPositive(name: name, value: value)
      }
      (names, note) = (["log(\(name))"], nil)
      evaluate = { [log($0)] }
    case .polynomial(let degree):
      let scale = Standardization(variable.column)
      names = (1...degree).map { $0 == 1 ? "s" : "s^\($0)" }.map { "\($0) of \(name)" }
      note =
        "s = (\(name) − \(Numbers.significant(scale.center))) / \(Numbers.significant(scale.scale))"
      evaluate = { value in
        let s = (value - scale.center) / scale.scale
        return (1..<degree).reduce(into: [s]) { powers, _ in
          powers.append(s * powers[powers.count - 1])
        }
      }
    case .fourier(let count):
      let width = greatest > least ? greatest - least : 1
      names = (1...count).map { "cos(\($0 == 1 ? "" : "\($0)")πu) of \(name)" }
      note = "u = (\(name) − \(Numbers.significant(least))) / \(Numbers.significant(width))"
      evaluate = { value in
        (1...count).map { cos(Double($0) * .pi * (value - least) / width) }
      }
    }
  }

  /// One row of features.
  public func callAsFunction(_ value: Double) -> [Double] { evaluate(value) }

  /// One column for each feature.
  public func columns(_ values: [Double]) -> [Tensor] {
    let rows = Tensor(rows: values.map(evaluate))
    return names.indices.map { rows[0..., $0] }
  }
}

/// Why a treatment has no such features.
public enum FeatureError: Error, Equatable, CustomStringConvertible {
  /// A logarithm of a value that is not positive.
  case notPositive(name: String, value: Double)

  public var description: String {
    switch self {
    case .notPositive(let name, let value):
      "the logarithm takes positive values, but \(name) is \(Numbers.significant(value)) in some row; choose other "
        + "features, or leave such rows out"
    }
  }
}
