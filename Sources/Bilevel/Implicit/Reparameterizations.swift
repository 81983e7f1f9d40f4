import Autodiff
import Solvers

/// φ(z, y) = D(y)⁻¹ z with D the diagonal of F₁(x₀, y).
///
/// M = 0; where the outer objective is affine it acts like the diagonal preconditioner.
public struct DiagonalReparameterization<Outer: TensorTree>: Reparameterization {
  /// The map; it has no settings.
  public init() {}

  public func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    z / (try model.diagonal())
  }

  public func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    model.point * (try model.diagonal())
  }
}

/// φ(z, y) = F₁(x₀, y)⁻¹ z.
///
/// M = 0; exact where the inner problem is quadratic and the outer objective affine in x.
public struct FullReparameterization<Outer: TensorTree>: Reparameterization {
  /// The map; it has no settings.
  public init() {}

  public func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    try model.solve(z)
  }

  public func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    try model.product(model.point)
  }
}

/// φ(z, y) = x₀ + H⁻¹ (z − ½ F₁₁[H⁻¹ z, H⁻¹ z]) with H = F₁(x₀, y).
///
/// The implicit function theorem applied to the Newton residual: second order where the outer
/// objective is affine in x, for every smooth inner objective. Where F₁ is not symmetric it is one
/// of first order like any other.
public struct NewtonReparameterization<Outer: TensorTree>: Reparameterization {
  /// The map; it has no settings.
  public init() {}

  public func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    let u = try model.solve(z)
    return model.point + u - 0.5 * (try model.solve(try model.curvature(along: u)))
  }

  public func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    Tensor.zeros(like: model.point)
  }
}

/// φ(z) = sign(x₀) exp(z), coordinate by coordinate.
///
/// M = diag(F / x). Good where a penalty that depends on y dominates F₁; bad near x = 0 and for
/// weak penalties.
public struct ExponentialReparameterization<Outer: TensorTree>: Reparameterization {
  /// The map; it has no settings.
  public init() {}

  public func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    select(model.point .< 0, -exp(z), exp(z))
  }

  public func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    if (model.point .== 0).anyTrue {
      stop(
        "ExponentialReparameterization",
        "a coordinate of the inner point is 0, where ± exp(z) has no coordinate z")
    }
    return log(abs(model.point))
  }
}

/// φᵢ(z) = x₀ᵢ + zᵢ + κᵢ zᵢ² / 2: any separable map, up to second order.
///
/// M = diag(κ F): an estimator depends on a separable φ through κᵢ = φᵢ″/φᵢ′² only. See
/// `AID.optimalCurvatures` for the best κ.
public struct SeparableReparameterization<Outer: TensorTree>: Reparameterization {
  /// κ, [n].
  public let curvatures: Tensor

  /// The map of given curvatures, which are constants of every transform.
  public init(curvatures: Tensor) { self.curvatures = stopGradient(curvatures) }

  public func point(_ z: Tensor, _ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    model.point + z + 0.5 * curvatures * square(z)
  }

  public func coordinates(_ model: FrozenModel<Outer>) throws(SolverError) -> Tensor {
    Tensor.zeros(like: model.point)
  }
}
