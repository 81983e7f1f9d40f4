import InferenceDesigns

/// An affine design by a name, for lists of arguments.
struct NamedDesign: CustomStringConvertible, Sendable {
  let description: String
  let design: any AffineDesign
  /// ∇F at the evaluation point and the eigenvalues of A, to the digits that are printed elsewhere.
  let gradient: [Double]
  let eigenvalues: [Double]
  /// Standard deviations of the efficient score there.
  let deviations: [Double]?

  static let all = [
    NamedDesign(
      description: "sine IV", design: PaperSineIV(),
      gradient: [0.245247, 0.117873, -0.117873, -0.245247],
      eigenvalues: [0, 0, 0.701389, 1.108286], deviations: [0.2693, 0.2675, 0.2676, 0.2693]),
    NamedDesign(
      description: "confounded sine IV", design: PaperSineIV(.confounded),
      gradient: [0.245247, 0.117873, -0.117873, -0.245247],
      eigenvalues: [0, 0, 0.701389, 1.108286], deviations: nil),
    NamedDesign(
      description: "scalar IV", design: PaperScalarIV(), gradient: [4.2], eigenvalues: [12],
      deviations: nil),
    NamedDesign(
      description: "Bellman b1", design: PaperBellman(.b1),
      gradient: [0.073535, -0.048077, 0.095557, 0.004556],
      eigenvalues: [0.005924, 0.325519, 0.381759, 1.044008], deviations: nil),
    NamedDesign(
      description: "Bellman b2", design: PaperBellman(.b2),
      gradient: [0.024297, 0.060102, 0.035260, 0.129486],
      eigenvalues: [0.009728, 0.444130, 0.533896, 1.531729], deviations: nil),
    NamedDesign(
      description: "Bellman b3", design: PaperBellman(.b3), gradient: [],
      eigenvalues: [0.206188, 0.408717], deviations: nil),
    NamedDesign(
      description: "IV-W", design: IVWell(), gradient: [0.081939, 0.114469, -0.024687],
      eigenvalues: [0.1434, 0.3965, 0.4228], deviations: [0.31525, 0.34854, 0.27768]),
    NamedDesign(
      description: "FQE-F", design: FqeFourier(),
      gradient: [0.028775, -0.025396, 0.044797, 0.060614],
      eigenvalues: [0.10655, 0.13231, 0.21636, 0.24780],
      deviations: [0.2275, 0.1805, 0.2623, 0.2801]),
    NamedDesign(
      description: "FQE-LQ", design: FqeLQ(),
      gradient: [0.022248, 0.542422, -0.336197, 0.263712],
      eigenvalues: [0.0057, 0.2318, 0.5599, 1.5145], deviations: nil),
  ]
}
