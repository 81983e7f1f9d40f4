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
    let factor: Tensor
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

    var halved: Term { Term(factor: 0.5 * factor, intercept: intercept, slope: slope) }
  }

  /// Products of one fit of the nuisances.
  struct Pair: Sendable {
    /// Of an orthogonal score (j − k)(g − y); of a score without nuisances all there is.
    var residual: Term
    /// What an orthogonal score adds, (h − m)(…); nil for other scores.
    var nuisance: Term?
  }

  let pairs: [Pair]

  /// A score of one fit.
  init(residual: Term, nuisance: Term? = nil) {
    pairs = [Pair(residual: residual, nuisance: nuisance)]
  }

  private init(pairs: [Pair]) { self.pairs = pairs }

  /// All products.
  var terms: [Term] { pairs.flatMap { [$0.residual] + ($0.nuisance.map { [$0] } ?? []) } }

  /// φ(ω), [n, d].
  func rows(at outer: Tensor) -> Tensor {
    sum { $0.factor * $0.scalar(at: outer).expandingShape(at: 1) }
  }

  /// ∂ω mean φ, [d, d].
  var meanSlope: Tensor {
    let count = Double(pairs[0].residual.factor.shape[0])
    return sum { matmul($0.factor, $0.slope, transposeA: true) } / count
  }

  /// (∂ω φᵢ)ᵀ w for every row, [n, d], with w as [d, 1].
  func slopes(along direction: Tensor) -> Tensor {
    sum { matmul($0.factor, direction) * $0.slope }
  }

  /// (j − k)(g − y) alone.
  var instrument: AffineTerms { AffineTerms(residual: pairs[0].residual) }

  /// (this + other) / 2.
  func averaged(with other: AffineTerms) -> AffineTerms {
    AffineTerms(
      pairs: (pairs + other.pairs).map { pair in
        Pair(residual: pair.residual.halved, nuisance: pair.nuisance?.halved)
      })
  }

  private func sum(_ value: (Term) -> Tensor) -> Tensor {
    let terms = terms
    return terms.dropFirst().reduce(value(terms[0])) { $0 + value($1) }
  }
}
