import Autodiff
import Testing

/// One way to exercise a primitive: a function of tensors and a point where it is differentiable.
struct PrimitiveCase: Sendable, CustomTestStringConvertible {
  let name: String
  let inputs: [Tensor]
  let function: @Sendable ([Tensor]) throws -> [Tensor]

  init(
    _ name: String, _ inputs: [Tensor],
    _ function: @escaping @Sendable ([Tensor]) throws -> [Tensor]
  ) {
    self.name = name
    self.inputs = inputs
    self.function = function
  }

  var testDescription: String { name }
}

/// Every primitive on scalar, one-element, empty, broadcast and repeated inputs.
///
/// `PrimitiveTests.isComplete` fails when a primitive of the sources is not recorded by any case.
enum PrimitiveCatalogue {
  static let cases: [PrimitiveCase] =
    unary + binary + selection + reductions + shaping + indexing + patches + products
    + factorizations + custom

  /// A cast rounds, which finite differences in float64 see as noise; its derivatives are compared
  /// with closed forms instead (`PrimitiveTests.casts`).
  static let cast = PrimitiveCase("cast", [values([3])]) { x in
    let narrow = x[0].cast(to: .float32)
    return [(narrow * narrow * narrow).cast(to: .float64)]
  }

  /// Deterministic values in (lower, upper), none of them special.
  static func values(
    _ shape: Shape, from lower: Double = -1.5, to upper: Double = 1.5, seed: UInt64 = 1
  ) -> Tensor {
    var generator = PhiloxGenerator(seed: seed)
    return Tensor.uniform(shape, from: lower, to: upper, using: &generator)
  }

  // MARK: - Elementwise

  private static let functions: [(ElementwiseUnary.Function, lower: Double, upper: Double)] =
    ElementwiseUnary.Function.allCases.map { function in
      switch function {
      case .log, .squareRoot, .reciprocalSquareRoot, .reciprocal: (function, 0.4, 3)
      case .logOnePlus: (function, -0.6, 2)
      // Between two kinks or jumps.
      case .floor, .ceil: (function, 1.1, 1.9)
      case .round: (function, 0.6, 1.4)
      case .relu, .absoluteValue, .sign: (function, 0.1, 2)
      default: (function, -1.5, 1.5)
      }
    }

  private static let unary: [PrimitiveCase] = functions.flatMap { function, lower, upper in
    let shapes: [Shape] = [[], [1], [0], [2, 3]]
    var points = shapes.map { values($0, from: lower, to: upper) }
    if [.relu, .absoluteValue].contains(function) {
      points.append(values([4], from: -2, to: -0.1))
    }
    return points.map { x in
      PrimitiveCase("\(function) \(x.shape)", [x]) { [apply(ElementwiseUnary(function), $0[0])] }
    }
  }

  private static let binary: [PrimitiveCase] =
    ElementwiseBinary.Function.allCases.flatMap { function -> [PrimitiveCase] in
      let shapes: [(Shape, Shape)] = [
        ([], []), ([1], [1]), ([0], [0]), ([2, 3], [2, 3]), ([2, 3], [3]), ([2, 1], [1, 3]),
        ([], [2]), ([0, 1], [1, 2]),
      ]
      var cases = shapes.map { a, b in
        // Positive for pow and divide, apart from each other for maximum and minimum.
        PrimitiveCase(
          "\(function) \(a) \(b)",
          [values(a, from: 0.5, to: 1.2), values(b, from: 1.3, to: 2, seed: 2)]
        ) { apply(ElementwiseBinary(function), $0) }
      }
      cases.append(
        PrimitiveCase(
          "\(function) reversed", [values([3], from: 1.3, to: 2), values([3], from: 0.5, to: 1.2)]
        ) {
          apply(ElementwiseBinary(function), $0)
        })
      if ![.maximum, .minimum].contains(function) {
        cases.append(
          PrimitiveCase("\(function) repeated", [values([3], from: 0.5, to: 1.2)]) {
            apply(ElementwiseBinary(function), [$0[0], $0[0]])
          })
      }
      return cases
    }
    + [-1, 0, 1, 2, 3, 0.5].map { exponent in
      PrimitiveCase("pow constant \(exponent)", [values([3], from: 0.5, to: 1.5)]) {
        [pow($0[0], exponent)]
      }
    }
    + [2.0, 3].map { exponent in
      PrimitiveCase("pow constant \(exponent) at 0 and below", [Tensor([0, -0.7])]) {
        [pow($0[0], exponent)]
      }
    }

  private static let selection: [PrimitiveCase] = [
    PrimitiveCase("select", [values([2, 3]), values([3], seed: 2)]) {
      [select(Tensor(mask: [true, false, true, false, true, true], shape: [2, 3]), $0[0], $0[1])]
    },
    PrimitiveCase("select repeated", [values([3])]) {
      [select($0[0] .> 0, $0[0] * $0[0], $0[0])]
    },
    PrimitiveCase("zeroed", [values([4])]) { [$0[0].zeroed(where: $0[0] .< 0.2) * $0[0]] },
  ]

  // MARK: - Reductions

  private static let reductions: [PrimitiveCase] =
    [[], [1], [2, 3], [2, 3, 4]].flatMap {
      (shape: Shape) -> [PrimitiveCase] in
      let x = values(shape)
      return [
        PrimitiveCase("sum \(shape)", [x]) { [$0[0].sum()] },
        PrimitiveCase("mean \(shape)", [x]) { [$0[0].mean()] },
        PrimitiveCase("max \(shape)", [x]) { [$0[0].max()] },
        PrimitiveCase("min \(shape)", [x]) { [$0[0].min()] },
        PrimitiveCase("logSumExp \(shape)", [x]) { [$0[0].logSumExp()] },
        PrimitiveCase("norm \(shape)", [x]) { [$0[0].norm()] },
        PrimitiveCase("norm1 \(shape)", [x]) { [$0[0].norm1()] },
        PrimitiveCase("normInfinity \(shape)", [x]) { [$0[0].normInfinity()] },
      ]
    } + [
      PrimitiveCase("sum of nothing", [values([0, 2])]) { [$0[0].sum(), $0[0].sum(alongAxis: 0)] },
      PrimitiveCase("sum axes", [values([2, 3, 4])]) {
        [$0[0].sum(alongAxes: [0, 2]), $0[0].sum(alongAxes: [1], keepingDimensions: true)]
      },
      PrimitiveCase("max axes", [values([2, 3, 4])]) { [$0[0].max(alongAxes: [0, 2])] },
      PrimitiveCase("min axis", [values([2, 3, 4])]) { [$0[0].min(alongAxes: [-2])] },
      PrimitiveCase("variance", [values([2, 5])]) { [$0[0].variance(alongAxes: [1])] },
      PrimitiveCase("softmax", [values([2, 3])]) {
        [$0[0].softmax(), $0[0].logSoftmax(alongAxis: 0)]
      },
      PrimitiveCase("norm axis", [values([2, 3])]) {
        [$0[0].norm(alongAxes: [1]), apply(Direction(axis: 0), $0[0])]
      },
      PrimitiveCase("standardDeviation", [values([2, 5])]) {
        [$0[0].standardDeviation(alongAxes: [1]), $0[0].standardDeviation()]
      },
      PrimitiveCase("cumulativeSum", [values([2, 3, 2])]) { x in
        (0..<3).flatMap { axis in
          [false, true].map { x[0].cumulativeSum(alongAxis: axis, reversed: $0) }
        }
      },
      PrimitiveCase("cumulativeSum of nothing", [values([0])]) {
        [$0[0].cumulativeSum(alongAxis: 0)]
      },
    ]

  // MARK: - Movement

  private static let shaping: [PrimitiveCase] = [
    PrimitiveCase("reshaped", [values([2, 3])]) {
      [$0[0].reshaped(to: [3, -1]), $0[0].flattened()]
    },
    PrimitiveCase("broadcast", [values([2, 1])]) { [$0[0].broadcast(to: [3, 2, 4])] },
    PrimitiveCase("broadcast scalar", [values([])]) { [$0[0].broadcast(to: [2])] },
    PrimitiveCase("summed", [values([3, 2, 4])]) { [$0[0].summed(to: [2, 1])] },
    PrimitiveCase("permuted", [values([2, 3, 4])]) { [$0[0].permuted(to: [2, 0, 1])] },
    PrimitiveCase("transposed", [values([2, 3])]) { [$0[0].transposed()] },
    PrimitiveCase("slice", [values([4, 3])]) { x in
      [
        x[0].slice(1..<3, alongAxis: 0), x[0][-1], x[0][.all, 1], x[0][1...2, 0..<2],
        x[0][stride(from: 0, to: 4, by: 2)], x[0][stride(from: 3, to: 0, by: -1), 2],
        x[0][2..<2],
      ]
    },
    PrimitiveCase("reversed", [values([2, 3])]) { [$0[0].reversed(alongAxis: 1)] },
    PrimitiveCase("padded", [values([2, 3])]) { [$0[0].padded([(1, 2), (0, 1)])] },
    PrimitiveCase("padded scalar", [values([])]) { [$0[0].padded([])] },
    PrimitiveCase("concatenated", [values([2, 3]), values([2, 1], seed: 2), values([2, 0])]) {
      [Tensor.concatenated($0, alongAxis: 1)]
    },
    PrimitiveCase("concatenated repeated", [values([2])]) {
      [Tensor.concatenated([$0[0], $0[0]]), Tensor.stacked([$0[0], 2 * $0[0]], alongAxis: 1)]
    },
    PrimitiveCase("concatenated constant", [values([2])]) {
      [Tensor.concatenated([Tensor([1, 2]), $0[0], Tensor([3])])]
    },
  ]

  private static let indexing: [PrimitiveCase] = [
    PrimitiveCase("gathering", [values([3, 2])]) {
      [
        $0[0].gathering(Tensor(indices: [2, 0, 2, 2]), alongAxis: 0),
        $0[0].gathering(Tensor(indices: [1]), alongAxis: 1),
        $0[0].gathering(Tensor(indices: []), alongAxis: 1),
      ]
    },
    PrimitiveCase("picking", [values([2, 3, 2])]) {
      [
        $0[0].picking(Tensor(indices: [2, 0, 1, 1], shape: [2, 1, 2]), alongAxis: 1),
        $0[0].picking(Tensor(indices: [0, 1, 0, 1, 1, 1], shape: [2, 3, 1]), alongAxis: 2),
      ]
    },
    PrimitiveCase("placing", [values([2, 1, 2])]) {
      [
        apply(
          Place(axis: 1, length: 3, positions: Tensor(indices: [2, 0, 1, 1], shape: [2, 1, 2])),
          $0[0])
      ]
    },
    PrimitiveCase("scatterAdding", [values([3, 2])]) {
      [
        $0[0].scatterAdding(to: Tensor(indices: [4, 0, 4]), length: 5, alongAxis: 0),
        $0[0].scatterAdding(to: Tensor(indices: [1, 1]), length: 2, alongAxis: 1),
      ]
    },
  ]

  private static let patches: [PrimitiveCase] = [
    // Stride, dilation, padding and what is left over differ between the axes.
    ([2, 5, 4, 2], 3, 2, stride: 2, dilation: 1, padding: 1),
    ([1, 4, 5, 1], 2, 3, stride: 1, dilation: 2, padding: 2),
    ([1, 1, 1, 1], 1, 1, stride: 1, dilation: 1, padding: 0),
    ([0, 2, 2, 3], 2, 1, stride: 1, dilation: 1, padding: 0),
  ].map { (shape: Shape, height: Int, width: Int, stride: Int, dilation: Int, padding: Int) in
    let vertical = PatchAxis(
      inputSize: shape[1], kernelSize: height, stride: stride, before: padding, after: 1,
      operation: "case")
    let horizontal = PatchAxis(
      inputSize: shape[2], kernelSize: width, dilation: dilation, after: padding,
      operation: "case")
    return PrimitiveCase("patches \(shape)", [values(shape)]) {
      let patches = $0[0].patches(vertical, horizontal)
      return [patches, apply(AccumulatePatches(vertical, horizontal), patches * patches)]
    }
  }

  // MARK: - Linear algebra

  private static let products: [PrimitiveCase] =
    [false, true].flatMap { transposeA in
      [false, true].flatMap { transposeB -> [PrimitiveCase] in
        let a: Shape = transposeA ? [3, 2] : [2, 3]
        let b: Shape = transposeB ? [4, 3] : [3, 4]
        let flags = "\(transposeA) \(transposeB)"
        return [
          PrimitiveCase("matmul \(flags)", [values(a), values(b, seed: 2)]) {
            [matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)]
          },
          PrimitiveCase(
            "matmul batched \(flags)",
            [values(Shape([2, 1] + Array(a))), values(Shape([3] + Array(b)), seed: 2)]
          ) { [matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)] },
          PrimitiveCase(
            "matmul stack \(flags)", [values(Shape([2] + Array(a))), values(b, seed: 2)]
          ) {
            [matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)]
          },
          PrimitiveCase(
            "matmul one matrix \(flags)", [values(a), values(Shape([2] + Array(b)), seed: 2)]
          ) {
            [matmul($0[0], $0[1], transposeA: transposeA, transposeB: transposeB)]
          },
          PrimitiveCase("matmul repeated \(flags)", [values([3, 3])]) {
            [matmul($0[0], $0[0], transposeA: transposeA, transposeB: transposeB)]
          },
        ]
      }
    } + [
      PrimitiveCase("matmul stack of nothing", [values([2, 3, 0]), values([0, 2])]) {
        [matmul($0[0], $0[1])]
      },
      PrimitiveCase("matmul 1×1", [values([1, 1]), values([1, 1], seed: 2)]) {
        [matmul($0[0], $0[1])]
      },
      PrimitiveCase("matmul of nothing", [values([2, 0]), values([0, 3])]) {
        [matmul($0[0], $0[1])]
      },
      PrimitiveCase("matrix times vector", [values([3, 2]), values([2], seed: 2)]) {
        [matmul($0[0], $0[1]), matmul($0[1], $0[0], transposeB: true)]
      },
      PrimitiveCase("transposed matrix times vector", [values([3, 2]), values([3], seed: 2)]) {
        [matmul($0[0], $0[1], transposeA: true), matmul($0[1], $0[0])]
      },
      PrimitiveCase("matrix of nothing times vector", [values([2, 0]), values([0])]) {
        [matmul($0[0], $0[1])]
      },
      PrimitiveCase("matrix times its own row", [values([3, 3])]) {
        [matmul($0[0], $0[0][1])]
      },
      PrimitiveCase(
        "matrix and vectors", [values([2, 3]), values([3], seed: 2), values([2], seed: 3)]
      ) {
        [matmul($0[0], $0[1]), matmul($0[2], $0[0]), outer($0[1], $0[2]), dot($0[1], $0[1])]
      },
      PrimitiveCase("diagonal", [values([2, 3, 3])]) {
        [$0[0].diagonal(), $0[0].trace(), $0[0][0, 0..<2].diagonal()]
      },
      PrimitiveCase("embeddedDiagonal", [values([2, 3])]) { [$0[0].embeddedDiagonal()] },
      PrimitiveCase("triangles", [values([3, 3])]) {
        [$0[0].lowerTriangle(), $0[0].upperTriangle(strictly: true)]
      },
    ]

  /// Well-conditioned, not symmetric.
  private static func square(_ batch: [Int], _ n: Int) -> Tensor {
    values(Shape(batch + [n, n]), from: -0.5, to: 0.5) + 2 * Tensor.identity(n)
  }

  /// Symmetric positive definite as a function of any square matrix.
  private static func positive(_ a: Tensor) -> Tensor {
    matmul(a, a, transposeB: true) + Tensor.identity(a.shape[a.rank - 1])
  }

  private static let factorizations: [PrimitiveCase] =
    [([], 1), ([], 3), ([2], 2), ([], 0)].flatMap {
      (batch: [Int], n: Int) -> [PrimitiveCase] in
      let a = square(batch, n)
      let b = values(Shape(batch + [n, 2]), seed: 3)
      let label = "\(a.shape)"
      return [
        PrimitiveCase("cholesky \(label)", [a]) { [try cholesky(positive($0[0]))] },
        PrimitiveCase("cholesky of any matrix \(label)", [a]) { [try cholesky($0[0])] },
        PrimitiveCase("symmetricEigenvalues \(label)", [a]) {
          [try symmetricEigenvalues($0[0] + spread($0[0]))]
        },
        PrimitiveCase("symmetricEigen \(label)", [a]) {
          // Squares, because the sign of an eigenvector is arbitrary.
          let (w, v) = try symmetricEigen($0[0] + spread($0[0]))
          return [w, v * v]
        },
        PrimitiveCase("solve \(label)", [a, b]) { [try solve($0[0], $0[1])] },
        PrimitiveCase("solvePositiveDefinite \(label)", [a, b]) {
          [
            try solvePositiveDefinite($0[0], $0[1]),
            try solvePositiveDefinite(positive($0[0]), $0[1]),
          ]
        },
        PrimitiveCase("logAbsoluteDeterminant \(label)", [a]) {
          let (logarithm, sign) = try logAbsoluteDeterminant($0[0])
          return [logarithm, sign]
        },
        PrimitiveCase("logDeterminantPositiveDefinite \(label)", [a]) {
          [try logDeterminantPositiveDefinite(positive($0[0]))]
        },
      ]
        + (0..<8).map { flags in
          let (lower, transposed, unit) = (flags & 1 == 1, flags & 2 == 2, flags & 4 == 4)
          return PrimitiveCase("triangularSolve \(lower) \(transposed) \(unit) \(label)", [a, b]) {
            [
              try triangularSolve(
                $0[0], $0[1], lower: lower, transposed: transposed, unitDiagonal: unit)
            ]
          }
        }
    } + [
      PrimitiveCase("solve broadcast", [square([2], 2), values([2, 1], seed: 4)]) {
        [try solve($0[0], $0[1])]
      },
      PrimitiveCase("solve vector", [square([], 3), values([3], seed: 4)]) {
        [try solve($0[0], $0[1])]
      },
      PrimitiveCase("solve repeated", [square([], 3)]) { [try solve($0[0], $0[0] * $0[0])] },
    ]

  /// A diagonal that keeps eigenvalues apart.
  private static func spread(_ a: Tensor) -> Tensor {
    Tensor.range(a.shape[a.rank - 1]).embeddedDiagonal()
  }

  private static let custom: [PrimitiveCase] = [
    PrimitiveCase("checkpointed", [values([3])]) {
      [checkpointed(at: $0[0]) { x in tanh(x) * x }]
    },
    PrimitiveCase("custom JVP", [values([3])]) {
      let f = CustomDerivative<Tensor, Tensor, Never>(
        name: "cube", evaluate: { $0 * $0 * $0 }, jvp: { x, _, ẋ in 3 * x * x * ẋ })
      return [f($0[0])]
    },
    PrimitiveCase("custom VJP", [values([3])]) {
      let f = CustomDerivative<Tensor, Tensor, Never>(
        name: "cube", evaluate: { $0 * $0 * $0 }, vjp: { x, _, ȳ in 3 * x * x * ȳ })
      return [f($0[0])]
    },
    // The root of x³ + 2x = Wy with a W that is not symmetric, found where no transform can see it.
    PrimitiveCase("implicit solution", [values([3])]) { try [implicitRoot($0[0])] },
    PrimitiveCase("implicit solution of one element", [values([1])]) { try [implicitRoot($0[0])] },
    PrimitiveCase("implicit solution of nothing", [values([0])]) { try [implicitRoot($0[0])] },
    PrimitiveCase("implicit solution repeated", [values([2])]) {
      try [implicitRoot($0[0] * $0[0]) * implicitRoot($0[0])]
    },
  ]

  private static func implicitRoot(_ y: Tensor) throws -> Tensor {
    let n = y.elementCount
    let w = square([], n)
    let target = matmul(w, Tensor(stopGradient(y).scalars))
    var x = target / 2
    for _ in 0..<50 { x = x - (x * x * x + 2 * x - target) / (3 * x * x + 2) }
    return try implicitlyDifferentiated(
      x, name: "implicitRoot",
      residual: { x throws -> Tensor in x * x * x + 2 * x - matmul(w, y) },
      inverse: { x, b, _ throws -> Tensor in b / (3 * x * x + 2) }
    )
  }
}
