/// Gives a solution x of F(x) = 0, found by any means, the derivative that the implicit function
/// theorem states.
///
///     F(x*(θ), θ) = 0   ⟹   ẋ = −F₁⁻¹ Ḟ,   Ḟ = F₂ θ̇
///
/// θ is whatever `residual` captures; nobody has to list it. Level by level, outermost first: with x
/// known as the levels below see it, F(x) traced at this level has the derivative Ḟ there, because x
/// is a constant of this level. A reverse level records the linear map Ḟ ↦ −F₁⁻¹ Ḟ, a forward level
/// applies it. The inverse is again a differentiable function of x, its argument and what it
/// captures, so derivatives of every order follow.
///
/// - Parameters:
///   - solution: x, as found.
///   - floor: Levels up to this number are left alone: with respect to them x is given, not solved
///     for.
///   - name: For messages.
///   - residual: F.
///   - inverse: (x, b, transposed) ↦ F₁(x)⁻¹ b or F₁(x)⁻ᵀ b, differentiable in all it depends on.
/// - Returns: x, traced.
/// - Throws: What `residual` throws, and in forward mode what `inverse` throws; in reverse mode the
///   pullback throws that.
package func implicitlyDifferentiated<E: Error>(
  _ solution: Tensor, above floor: UInt64 = 0, name: String,
  residual: (Tensor) throws(E) -> Tensor,
  inverse: @escaping (_ x: Tensor, _ b: Tensor, _ transposed: Bool) throws(E) -> Tensor
) throws(E) -> Tensor {
  guard Level.isAnyOpen else { return solution }
  let everywhere = try residual(solution)
  let levels = everywhere.openLevels.filter { $0.number > floor }
  var x = solution
  for level in levels {
    let r =
      levels.count == 1
      ? everywhere
      : try hidingLevels(from: level.number + 1) { () throws(E) in try residual(x) }
        .peeled(from: level.number + 1)
    let primitive = ImplicitSolution(name: name, inverse: inverse)
    if let tape = level.tape {
      x = tape.record(primitive, [r], [r.peeled(of: level)], [x], level: level)[0]
    } else if let tangent = r.tangent(at: level) {
      let tangent = try hidingLevels(from: level.number) { () throws(E) in
        try primitive.tangent(x, tangent)
      }
      x = x.traced(.tangent(tangent.peeled(of: level)), at: level)
    }
  }
  return x
}

/// Whether a transform runs on this thread and is not hidden.
package var isBeingDifferentiated: Bool { !Level.visibleOnThisThread.isEmpty }

/// The number that the next level will exceed: the floor for what is opened from now on.
package var latestLevel: UInt64 { Level.latest }

/// The map from a perturbation of F to that of its root; placed on a tape at one level, never
/// evaluated.
package struct ImplicitSolution<E: Error>: Primitive, @unchecked Sendable {
  // Safety of @unchecked Sendable: a tape runs rules on the thread of its transform only.

  package let name: String
  let inverse: (_ x: Tensor, _ b: Tensor, _ transposed: Bool) throws(E) -> Tensor

  package var residuals: Residuals { .outputs }

  package func evaluate(_ inputs: [Tensor]) throws(E) -> [Tensor] {
    stop(name, "its solution is placed on the tape, not evaluated")
  }

  package func jvp(_ point: Point, _ tangents: [Tensor?]) throws(E) -> [Tensor?] {
    guard let tangent = tangents[0] else { return [nil] }
    return [try self.tangent(point.outputs[0], tangent)]
  }

  package func vjp(_ point: Point, _ cotangents: [Tensor?]) throws(E) -> [Tensor?] {
    guard let cotangent = cotangents[0] else { return [nil] }
    return [-(try inverse(point.outputs[0], cotangent, true))]
  }

  func tangent(_ x: Tensor, _ residualTangent: Tensor) throws(E) -> Tensor {
    -(try inverse(x, residualTangent, false))
  }
}

/// The tree as a value that has no derivative, wherever one could be asked for: using it in a
/// differentiated computation stops the program with `reason`, `stopGradient` allows it.
///
/// It refuses at every level that runs on this thread, because what it depends on cannot be known:
/// the closures it comes from may have captured anything.
///
/// - Parameter references: Tensors that may see transforms of other threads too.
package func refusingDerivatives<T: TensorTree>(
  _ tree: T, like references: [Tensor], reason: String
) -> T {
  var levels = Level.visibleOnThisThread
  for level in references.flatMap(\.openLevels)
  where !levels.contains(where: { $0.number == level.number }) {
    levels.append(level)
  }
  levels.sort { $0.number < $1.number }
  return tree.mapTensors { tensor in
    guard tensor.scalarType.isFloatingPoint else { return stopGradient(tensor) }
    return levels.reduce(stopGradient(tensor)) { $0.traced(.refused(reason), at: $1) }
  }
}
