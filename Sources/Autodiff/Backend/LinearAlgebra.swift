import CTensorKernels

/// Which implementation the dense linear algebra under tensors runs on.
public enum LinearAlgebraBackend {
  /// One line for people, such as "OpenBLAS 0.3.21 (libopenblas.so.0), 2 threads".
  ///
  /// Reading it loads the library if nothing has yet.
  public static var description: String {
    func threads(_ count: Int) -> String { count == 1 ? "1 thread" : "\(count) threads" }
    if let library = BLASLibrary.loaded {
      let count = library.threads?.count ?? Parallelism.threadCount
      return "\(library.description), \(threads(count))"
    }
    #if os(Linux)
      let hint = "; install libopenblas0 for speed"
    #else
      let hint = ""
    #endif
    return "built-in kernels (\(String(cString: tk_instruction_set()))), "
      + "\(threads(Parallelism.threadCount))\(hint)"
  }
}

/// Dense linear algebra on raw row-major buffers of float32 or float64.
///
/// Runs on the loaded library where it has the routine, otherwise on the built-in kernels. Leading
/// dimensions (`lda`, …) count elements from one row to the next. Buffers must not overlap. Any size
/// may be zero. Calls may come from any thread.
package enum LinearAlgebra {
  /// Which implementation to call; tests compare the two.
  package enum Backend: Sendable {
    /// The library when one is loaded and no slower than the built-in kernels at that size.
    case automatic
    case builtIn
    /// The library; stops the program when none is loaded.
    case library
  }

  /// Whether a library was found.
  package static var isLibraryLoaded: Bool { BLASLibrary.loaded != nil }

  /// C = alpha · op(A) · op(B) + beta · C.
  ///
  /// - Parameters:
  ///   - type: float32 or float64, of all three matrices.
  ///   - transposeA: Whether op(A) is the transpose; op(A) is m × k, so A is then stored k × m.
  ///   - transposeB: The same for B; op(B) is k × n.
  ///   - beta: When 0, C is written without being read.
  package static func gemm(
    _ type: tk_type, transposeA: Bool = false, transposeB: Bool = false, m: Int, n: Int, k: Int,
    alpha: Double = 1, a: UnsafeRawPointer, lda: Int, b: UnsafeRawPointer, ldb: Int,
    beta: Double = 0, c: UnsafeMutableRawPointer, ldc: Int, backend: Backend = .automatic
  ) {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _ routines: BLASRoutines?) {
      let a = Matrix<Scalar>(
        a, rows: transposeA ? k : m, columns: transposeA ? m : k, stride: lda)
      let b = Matrix<Scalar>(
        b, rows: transposeB ? n : k, columns: transposeB ? k : n, stride: ldb)
      let c = Matrix<Scalar>(c, rows: m, columns: n, stride: ldc)
      if let routines, k > 0, fits(m, n, k, lda, ldb, ldc) {
        return split(m, n, depth: k, routines.threads) { rows, columns in
          routines.multiply(
            alpha, transposeA ? a.block(0..<k, rows) : a.block(rows, 0..<k), transposeA: transposeA,
            transposeB ? b.block(columns, 0..<k) : b.block(0..<k, columns), transposeB: transposeB,
            plus: beta, c.block(rows, columns))
        }
      }
      BuiltInLinearAlgebra.multiply(
        alpha, a, transposeA: transposeA, b, transposeB: transposeB, plus: beta, c)
    }
    if m == 0 || n == 0 { return }
    dispatch(type, backend, run, run)
  }

  /// Cholesky factorisation A = L Lᵀ of a symmetric positive definite n × n matrix, in place.
  ///
  /// Reads the lower triangle of A; writes L there and zeros above the diagonal.
  ///
  /// - Returns: `nil` on success, else the index of the first pivot that is not positive and finite;
  ///   A is then unspecified.
  package static func cholesky(
    _ type: tk_type, n: Int, a: UnsafeMutableRawPointer, lda: Int, backend: Backend = .automatic
  ) -> Int? {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _ routines: BLASRoutines?) -> Int? {
      let a = Matrix<Scalar>(a, rows: n, columns: n, stride: lda)
      if n > 0, fits(n, lda), let routines, let potrf = routines.potrf {
        return onThreads(of: routines, n) { routines.cholesky(a, potrf) }
      }
      return BuiltInLinearAlgebra.cholesky(a)
    }
    return dispatch(type, backend, preferBuiltIn: n <= 16, run, run)
  }

  /// Solves op(T) X = alpha · B for X in place of B, with T triangular n × n and B n × rightHandSides.
  ///
  /// - Parameters:
  ///   - lower: Whether T is the lower triangle of its buffer; the other triangle is not read.
  ///   - transposed: Whether op(T) is the transpose of T.
  ///   - unitDiagonal: Whether to take the diagonal as 1 without reading it.
  /// - Returns: `nil` on success, else the index of the first zero on the diagonal; B is unchanged.
  package static func triangularSolve(
    _ type: tk_type, lower: Bool, transposed: Bool = false, unitDiagonal: Bool = false,
    n: Int, rightHandSides: Int, alpha: Double = 1, t: UnsafeRawPointer, ldt: Int,
    b: UnsafeMutableRawPointer, ldb: Int, backend: Backend = .automatic
  ) -> Int? {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _ routines: BLASRoutines?) -> Int? {
      let t = Matrix<Scalar>(t, rows: n, columns: n, stride: ldt)
      let b = Matrix<Scalar>(b, rows: n, columns: rightHandSides, stride: ldb)
      if !unitDiagonal, let zero = (0..<n).first(where: { t[$0, $0] == 0 }) { return zero }
      if n == 0 || rightHandSides == 0 { return nil }
      if fits(n, rightHandSides, ldt, ldb), let routines, let trsm = routines.trsm {
        split(1, rightHandSides, depth: n * n, routines.threads) { _, columns in
          routines.solveTriangular(
            t, lower: lower, transposed: transposed, unitDiagonal: unitDiagonal,
            alpha: Scalar(alpha), b.block(0..<n, columns), trsm)
        }
        return nil
      }
      if alpha != 1 {
        for i in 0..<n {
          for j in 0..<rightHandSides { b[i, j] *= Scalar(alpha) }
        }
      }
      BuiltInLinearAlgebra.solveTriangular(
        t, lower: lower, transposed: transposed, unitDiagonal: unitDiagonal, b)
      return nil
    }
    return dispatch(type, backend, preferBuiltIn: rightHandSides == 1, run, run)
  }

  /// LU factorisation P A = L U of an n × n matrix with partial pivoting, in place.
  ///
  /// L (unit diagonal, not stored) goes below the diagonal, U on and above it.
  ///
  /// - Parameter pivots: Receives n row numbers from 0: row i was exchanged with row `pivots[i]` ≥ i,
  ///   for i upwards. The determinant is the product of the diagonal, negated once for every i with
  ///   `pivots[i] != i`.
  /// - Returns: `nil`, or the index of the first pivot that is exactly zero. The factorisation is
  ///   complete even then (it serves for the determinant) but cannot be solved with.
  package static func luFactor(
    _ type: tk_type, n: Int, a: UnsafeMutableRawPointer, lda: Int,
    pivots: UnsafeMutablePointer<Int32>, backend: Backend = .automatic
  ) -> Int? {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _ routines: BLASRoutines?) -> Int? {
      let a = Matrix<Scalar>(a, rows: n, columns: n, stride: lda)
      if n > 0, fits(n, lda), let routines, let getrf = routines.getrf {
        return onThreads(of: routines, n) { routines.lu(a, pivots: pivots, getrf) }
      }
      return BuiltInLinearAlgebra.lu(a, pivots: pivots)
    }
    return dispatch(type, backend, preferBuiltIn: n <= 256, run, run)
  }

  /// Solves op(A) X = B in place of B with the factors of `luFactor`; B is n × rightHandSides.
  ///
  /// - Returns: `nil` on success, else the index of the first zero pivot; B is then unspecified.
  package static func luSolve(
    _ type: tk_type, transposed: Bool = false, n: Int, rightHandSides: Int,
    lu: UnsafeRawPointer, ldlu: Int, pivots: UnsafePointer<Int32>,
    b: UnsafeMutableRawPointer, ldb: Int, backend: Backend = .automatic
  ) -> Int? {
    func swapRows(reversed: Bool) {
      func run<Scalar: KernelScalar>(_: Scalar.Type, _: BLASRoutines?) {
        Matrix<Scalar>(b, rows: n, columns: rightHandSides, stride: ldb)
          .swapRows(pivots, count: n, reversed: reversed)
      }
      dispatch(type, .builtIn, run, run)
    }
    func solve(lower: Bool) -> Int? {
      triangularSolve(
        type, lower: lower, transposed: transposed, unitDiagonal: lower,
        n: n, rightHandSides: rightHandSides, t: lu, ldt: ldlu, b: b, ldb: ldb, backend: backend)
    }
    // A = Pᵀ L U, and Aᵀ = Uᵀ Lᵀ P.
    if !transposed { swapRows(reversed: false) }
    if let zero = solve(lower: !transposed) ?? solve(lower: transposed) { return zero }
    if transposed { swapRows(reversed: true) }
    return nil
  }

  /// Eigenvalues and orthonormal eigenvectors of a symmetric n × n matrix: A = V diag(values) Vᵀ.
  ///
  /// Reads the lower triangle of A and overwrites A with V; column j belongs to `values[j]`. The sign
  /// of each vector, and the basis of the space of a repeated value, depend on the implementation.
  ///
  /// - Parameter values: Receives the n eigenvalues in ascending order, of the same scalar type.
  /// - Returns: False when A has an element that is not finite or the iteration does not converge; A
  ///   and `values` are then unspecified.
  package static func symmetricEigen(
    _ type: tk_type, n: Int, a: UnsafeMutableRawPointer, lda: Int,
    values: UnsafeMutableRawPointer, backend: Backend = .automatic
  ) -> Bool {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _ routines: BLASRoutines?) -> Bool {
      let a = Matrix<Scalar>(a, rows: n, columns: n, stride: lda)
      let values = values.assumingMemoryBound(to: Scalar.self)
      if n > 0, fits(n, lda), let routines, let syevd = routines.syevd {
        return onThreads(of: routines, n) { routines.symmetricEigen(a, values: values, syevd) }
      }
      return BuiltInLinearAlgebra.symmetricEigen(a, values: values)
    }
    return dispatch(type, backend, preferBuiltIn: n <= 32, run, run)
  }

  /// The singular values of A, m × n, the largest first, by the built-in rotations, which are more accurate
  /// than LAPACK's divide and conquer: `false` where an element is not finite.
  package static func singularValues(
    _ type: tk_type, m: Int, n: Int, a: UnsafeRawPointer, lda: Int, values: UnsafeMutableRawPointer
  ) -> Bool {
    func run<Scalar: KernelScalar>(_: Scalar.Type, _: BLASRoutines?) -> Bool {
      BuiltInLinearAlgebra.singularValues(
        Matrix<Scalar>(a, rows: m, columns: n, stride: lda),
        values: values.assumingMemoryBound(to: Scalar.self))
    }
    return dispatch(type, .builtIn, run, run)
  }

  /// Runs a product or solve of the library in parts of its m × n result, on several threads where
  /// it is large enough.
  ///
  /// The parts are stripes along the longer side, at places that depend on the sizes alone, so the
  /// bits of the result do not depend on the number of threads.
  ///
  /// - Parameter depth: The multiplications to an element of the result.
  private static func split(
    _ m: Int, _ n: Int, depth: Int, _ threads: BLASThreads?,
    _ body: (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
  ) {
    let (long, short) = (max(m, n), min(m, n))
    // Smaller parts lose more in the library than threads win, products with a vector too.
    let share = 1 << 20
    guard let threads, Double(long) * Double(short) * Double(depth) >= 2 * Double(share) else {
      return body(0..<m, 0..<n)
    }
    // Each stripe reads all of the other operand: many thin ones would spend their time on that.
    let grain = max(share / (short * depth) + 1, (long + stripeCount - 1) / stripeCount)
    parallelFor(count: long, grain: grain, threads: threads.count) { stripe in
      if m >= n { body(stripe, 0..<n) } else { body(0..<m, stripe) }
    }
  }

  /// Stripes of a large product, at most.
  private static let stripeCount = 8

  /// Runs a factorisation of an n × n matrix on the threads of the library if it is large: smaller
  /// ones gain less than the threads cost a machine that has other work.
  private static func onThreads<Result>(
    of routines: BLASRoutines, _ n: Int, _ body: () -> Result
  ) -> Result {
    guard n >= 512, let threads = routines.threads else { return body() }
    return threads.awake(body)
  }

  /// Whether sizes can be passed as the 32-bit integers of the Fortran interface.
  private static func fits(_ sizes: Int...) -> Bool { sizes.allSatisfy { $0 <= Int(Int32.max) } }

  /// Runs the closure of the scalar type with the library's routines, or `nil` for the built-in ones.
  ///
  /// - Parameter preferBuiltIn: Whether the built-in kernels are as fast or faster at this size, by
  ///   measurement against OpenBLAS: LAPACK's drivers cost a microsecond, and may start threads.
  private static func dispatch<Result>(
    _ type: tk_type, _ backend: Backend, preferBuiltIn: Bool = false,
    _ runFloat: (Float.Type, BLASRoutines?) -> Result,
    _ runDouble: (Double.Type, BLASRoutines?) -> Result
  ) -> Result {
    let isBuiltIn = backend == .builtIn || (backend == .automatic && preferBuiltIn)
    let library = isBuiltIn ? nil : BLASLibrary.loaded
    if backend == .library, library == nil { fatalError("no BLAS library is loaded") }
    switch type {
    case TK_FLOAT32: return runFloat(Float.self, library?.float32)
    case TK_FLOAT64: return runDouble(Double.self, library?.float64)
    default: fatalError("linear algebra needs float32 or float64 (tk_type \(type.rawValue))")
    }
  }
}
