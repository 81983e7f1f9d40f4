import Autodiff
import Bilevel
import Foundation

/// Numbers of an independent NumPy implementation of orthogonal hypergradients, on random inputs.
///
/// Groups: `quadratic` (one sample), `twoSample`, and `finite`, a probability space of 4 × 5 atoms with
/// losses that have third derivatives, two outputs and three outer parameters.
struct OrthogonalReference {
  private struct Entry: Decodable {
    let shape: [Int]
    let values: [Double]
  }

  private let entries: [String: Entry]
  private let group: String

  init(_ group: String) throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("reference.json")
    entries = try JSONDecoder().decode([String: Entry].self, from: Data(contentsOf: file))
    self.group = group
  }

  subscript(_ name: String) -> Tensor {
    guard let entry = entries["\(group).\(name)"] else {
      fatalError("reference.json has no \(group).\(name)")
    }
    return Tensor(entry.values, shape: Shape(entry.shape))
  }
}

/// The largest difference of two tensors, relative to the larger of 1 and their size.
func discrepancy(_ a: Tensor, _ b: Tensor) -> Double {
  guard a.shape == b.shape else { return .infinity }
  return abs(a - b).max().scalar / max(1, abs(b).max().scalar)
}
