import Autodiff
import GradientCheck
import Testing
import TestSupport

@Suite("Eigenvectors beside equal eigenvalues")
struct EqualEigenvaluesTests {
  /// Q diag(w) Qᵀ with a Q in no special position.
  private func matrix(_ w: [Double], seed: UInt64 = 1) throws -> (a: Tensor, q: Tensor) {
    var generator = PhiloxGenerator(seed: seed)
    let b = Tensor.normal([w.count, w.count], using: &generator)
    let q = try symmetricEigen(symmetrized(b)).vectors
    return (matmul(q * Tensor(w), q, transposeB: true), q)
  }

  private func projector(
    _ a: Tensor, _ range: Range<Int>
  ) throws(LinearAlgebraError) -> Tensor {
    let v = try symmetricEigen(a).vectors.slice(range, alongAxis: -1)
    return matmul(v, v, transposeB: true)
  }

  @Test("A vector of another eigenvalue has its derivative")
  func otherVector() throws {
    let slope = try gradient(at: Tensor([4, 1, 1]).embeddedDiagonal()) {
      a throws(LinearAlgebraError) in
      let v = try symmetricEigen(a).vectors
      return v[0, 2] * v[1, 2]
    }
    // d(v₁ v₂) = dA₁₂ / (4 − 1), shared by the two elements.
    let sixth = 1.0 / 6
    #expect(isClose(slope, Tensor(rows: [[0, sixth, 0], [sixth, 0, 0], [0, 0, 0]])))
  }

  @Test(
    "Projectors have their derivative: Σ over pairs across of the gaps",
    arguments: 1...4 as ClosedRange<UInt64>)
  func projectors(_ seed: UInt64) throws {
    let w: [Double] = [1, 1, 1, 2.5, 4, 4]
    let (a, q) = try matrix(w, seed: seed)
    let weights = PrimitiveCatalogue.values([6, 6], seed: seed + 7)
    for range in [0..<3, 3..<4, 4..<6, 0..<4, 3..<6, 0..<6] {
      let slope = try gradient(at: a) { a throws(LinearAlgebraError) in
        (try projector(a, range) * weights).sum()
      }
      // Ā = Q (G ∘ QᵀWQ) Qᵀ with G = 1 / (wᵢ − wⱼ) for i inside and j outside.
      let inner = matmul(matmul(q, symmetrized(weights), transposeA: true), q)
      var gaps = [Double](repeating: 0, count: 36)
      for i in range {
        for j in 0..<6 where !range.contains(j) {
          gaps[6 * i + j] = 1 / (w[i] - w[j])
          gaps[6 * j + i] = gaps[6 * i + j]
        }
      }
      let scaled = inner * Tensor(gaps, shape: [6, 6])
      let expected = matmul(matmul(q, scaled), q, transposeB: true)
      #expect(isClose(slope, expected, tolerance: 1e-11), "\(range)")
    }
  }

  @Test("Derivatives of a projector agree with differences along the way it moves")
  func differences() throws {
    let a = Tensor([4, 1, 1]).embeddedDiagonal()
    let direction = PrimitiveCatalogue.values([3, 3], seed: 3)
    let weights = PrimitiveCatalogue.values([3, 3], seed: 4)
    let f = { (a: Tensor) throws(LinearAlgebraError) in (try projector(a, 0..<2) * weights).sum() }
    let h = 1e-5
    let difference = (try f(a + h * direction) - f(a - h * direction)).scalar / (2 * h)
    #expect(
      isClose((try gradient(at: a, of: f) * direction).sum().scalar, difference, tolerance: 1e-8))
  }

  @Test("Batches, one eigenvalue and single precision")
  func degenerate() throws {
    let batch = Tensor.stacked([
      Tensor([1, 2, 3]).embeddedDiagonal(), Tensor([1, 1, 3]).embeddedDiagonal(),
    ])
    let slope = try gradient(at: batch) { a throws(LinearAlgebraError) in
      try symmetricEigen(a).vectors[0..., 0..., 2].sum()
    }
    #expect(isClose(slope[1], Tensor(rows: [[0, 0, 0.25], [0, 0, 0.25], [0.25, 0.25, 0]])))
    let one = try gradient(at: Tensor.identity(1)) { a throws(LinearAlgebraError) in
      square(try symmetricEigen(a).vectors).sum()
    }
    #expect(one.scalar == 0)
    let single = try gradient(at: Tensor.identity(3, .float32)) { a throws(LinearAlgebraError) in
      (try projector(a, 0..<3) * Tensor.range(9, .float32).reshaped(to: [3, 3])).sum()
    }
    #expect(single.scalars.allSatisfy { abs($0) < 1e-6 })
  }

  @Test("Functions of the single vectors are refused, also where they are stationary by accident")
  func refusals() throws {
    let equal = LinearAlgebraError.equalEigenvalues(first: 0, second: 1, matrix: 0)
    let diagonal = Tensor([1, 1, 4]).embeddedDiagonal()
    let weights = PrimitiveCatalogue.values([3, 3], seed: 5)
    func expectRefusal(of f: (Tensor) throws(LinearAlgebraError) -> Tensor) {
      #expect(throws: equal) { try gradient(at: diagonal, of: f) }
    }
    expectRefusal { a throws(LinearAlgebraError) in
      (try symmetricEigen(a).vectors * weights).sum()
    }
    // Squares are stationary at unit vectors, but jump with the basis.
    expectRefusal { a throws(LinearAlgebraError) in
      let v = try symmetricEigen(a).vectors
      return (v * v * weights).sum()
    }
    expectRefusal { a throws(LinearAlgebraError) in square(try symmetricEigen(a).vectors[0, 1]) }
    // Functions of the matrix: their derivative needs the limit of a quotient.
    expectRefusal { a throws(LinearAlgebraError) in
      let (w, v) = try symmetricEigen(a)
      return (matmul(v * exp(w).expandingShape(at: 0), v, transposeB: true) * weights).sum()
    }
    expectRefusal { a throws(LinearAlgebraError) in
      let (w, v) = try symmetricEigen(a)
      return matmul(v * (w - 1).expandingShape(at: 0), v, transposeB: true)[0, 1]
    }
    // Forward mode cannot know what is made of the tangents.
    #expect(throws: equal) {
      try jvp(at: diagonal, along: weights) { a throws(LinearAlgebraError) in
        try symmetricEigen(a).vectors
      }
    }
    // Second derivatives of symmetric functions of equal eigenvalues.
    #expect(throws: equal) {
      try gradient(at: diagonal) { a throws(LinearAlgebraError) in
        (try gradient(at: a) { a throws(LinearAlgebraError) in
          let w = try symmetricEigenvalues(a)
          return (w * w * w).sum()
        } * weights).sum()
      }
    }
    #expect(throws: equal) {
      try gradient(at: diagonal) { a throws(LinearAlgebraError) in
        (try gradient(at: a) { a throws(LinearAlgebraError) in
          (try projector(a, 0..<2) * weights).sum()
        } * weights).sum()
      }
    }
  }

  @Test("The value is an eigendecomposition while it is differentiated, too")
  func values() throws {
    let (a, _) = try matrix([1, 1, 1, 2, 2])
    let (value, _) = try valueWithGradient(at: a) { a throws(LinearAlgebraError) in
      let (w, v) = try symmetricEigen(a)
      let residual = matmul(a, v) - v * w.expandingShape(at: 0)
      let orthogonality = matmul(v, v, transposeA: true) - Tensor.identity(5)
      return stopGradient((abs(residual).max() + abs(orthogonality).max())) + 0 * a.sum()
    }
    #expect(value.scalar < 1e-14)
  }
}
