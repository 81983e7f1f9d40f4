import Autodiff

/// Rows of a score that is affine in ω, as a sum of products that share nothing but ω.
///
///     φᵢ(ω) = Σ_t fₜᵢ (αₜᵢ + βₜᵢᵀ ω),   f, β ∈ ℝᵈ, α ∈ ℝ per row
///
/// Evaluating it at ω costs O(n d) and no d × d array per row is ever formed.
struct AffineTerms: Sendable {
  /// f (α + βᵀ ω).
  struct Term: Sendable {
    /// f, [n, d].
    var factor: Tensor
    /// α, [n].
    let intercept: Tensor
    /// β, [n, d].
    let slope: Tensor

    /// α + βᵀ ω, [n]; where ω takes out all of α, exactly zero: rounding that is left would have a
    /// standard error, and a z statistic of any size.
    func scalar(at outer: Tensor) -> Tensor {
      let scalar = intercept + matmul(slope, outer.expandingShape(at: 1)).squeezingShape(at: 1)
      let isRounding = scalar.normInfinity() .<= 1e-13 * intercept.normInfinity()
      return isRounding.anyTrue ? .zeros(like: scalar) : scalar
    }
  }

  var terms: [Term]

  /// φ(ω), [n, d].
  func rows(at outer: Tensor) -> Tensor {
    sum { $0.factor * $0.scalar(at: outer).expandingShape(at: 1) }
  }

  /// ∂ω mean φ, [d, d].
  var meanSlope: Tensor {
    let count = Double(terms[0].factor.shape[0])
    return sum { matmul($0.factor, $0.slope, transposeA: true) } / count
  }

  /// (∂ω φᵢ)ᵀ w for every row, [n, d], with w as [d, 1].
  func slopes(along direction: Tensor) -> Tensor {
    sum { matmul($0.factor, direction) * $0.slope }
  }

  /// The first term alone, which of an orthogonal score is (j − k)(g − y).
  var instrument: AffineTerms { AffineTerms(terms: [terms[0]]) }

  /// (this + other) / 2.
  func averaged(with other: AffineTerms) -> AffineTerms {
    AffineTerms(
      terms: (terms + other.terms).map { term in
        var term = term
        term.factor = 0.5 * term.factor
        return term
      })
  }

  private func sum(_ value: (Term) -> Tensor) -> Tensor {
    terms.dropFirst().reduce(value(terms[0])) { $0 + value($1) }
  }
}
