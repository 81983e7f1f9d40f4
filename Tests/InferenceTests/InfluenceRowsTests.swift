import Autodiff
import Inference
import TestSupport
import Testing

@Suite("Influence rows") struct InfluenceRowsTests {
  private let sample = SampleIdentity(name: "sample")

  @Test("Rows are centred") func rowsAreCentred() throws {
    let influence = try InfluenceRows(
      Tensor(rows: [[1, 10], [2, 10], [6, 10]]), sample: sample, clusters: [7, -2, 7])
    #expect(influence.rows.scalars == [-2, 0, -1, 0, 3, 0])
    #expect(influence.clusters == [0, 1, 0])
    #expect(influence.unitCount == 2)
    #expect(influence.count == 3)
  }

  @Test("Constant column is exactly zero") func constantColumnIsExactlyZero() throws {
    let column = Tensor(repeating: 0.1, shape: [1001, 1])
    let influence = try InfluenceRows(column, sample: sample)
    #expect(influence.rows.normInfinity().scalar == 0)
    // A small variance is not taken for none.
    let varying = try InfluenceRows(
      column + 1e-13 * normal([1001, 1], seed: 3), sample: sample)
    #expect(varying.rows.normInfinity().scalar > 0)
  }

  @Test("Single precision is converted") func singlePrecisionIsConverted() throws {
    let influence = try InfluenceRows(
      Tensor(rows: [[1], [2]]).cast(to: .float32), sample: sample)
    #expect(influence.rows.scalarType == .float64)
  }

  @Test("Non-finite rows are named") func nonFiniteRowsAreNamed() {
    let rows = Tensor(rows: [[1, .nan, 2], [3, .infinity, .nan], [0, 1, 1]])
    let error = #expect(throws: InferenceError.self) {
      try InfluenceRows(rows, sample: sample)
    }
    let text = error?.description ?? ""
    #expect(text.contains("2 of the 3 elements of coordinate 1 are infinite or NaN"))
  }

  @Test("Too few units") func tooFewUnits() {
    let one = #expect(throws: InferenceError.self) {
      try InfluenceRows(Tensor(rows: [[1]]), sample: sample)
    }
    #expect(one?.description.contains("at least 2 independent rows, found 1") == true)
    let cluster = #expect(throws: InferenceError.self) {
      try InfluenceRows(Tensor(rows: [[1], [2]]), sample: sample, clusters: [4, 4])
    }
    #expect(cluster?.description.contains("at least 2 independent clusters, found 1") == true)
  }

  /// An estimate is a constant, so rows that are being differentiated are refused.
  @Test("Rows being differentiated stop") func rowsBeingDifferentiatedStop() async {
    await #expect(processExitsWith: .failure) {
      _ = try gradient(at: Tensor(rows: [[1], [2]])) { rows in
        let influence = try InfluenceRows(rows, sample: SampleIdentity(name: "s"))
        return influence.rows.sum()
      }
    }
  }

  @Test("Wrong cluster count stops") func wrongClusterCountStops() async {
    await #expect(processExitsWith: .failure) {
      _ = try InfluenceRows(
        Tensor(rows: [[1], [2]]), sample: SampleIdentity(name: "s"), clusters: [1])
    }
  }
}
