import Autodiff
import Econometrics
import TensorFiles
import Testing

@Suite("Models")
struct InstrumentalModelTests {
  private let text = """
    y,x,z,w,v,firm
    1,2,1,0,1,b
    3,1,2,1,2,a
    ,4,2,0,1,a
    5,3,4,0,2,b
    4,6,5,1,1,a
    7,5,5,1,2,
    5,8,7,0,1,b
    8,9,9,1,NA,c
    6,7,6,0,2,c
    """

  private func table() throws -> CSVTable {
    try CSVTable(parsing: Array(text.utf8), source: "d.csv")
  }

  @Test("Columns of a table are read without the rows that lack a value in one of them")
  func columnsOfATable() throws {
    let model = try InstrumentalModel(
      table(), outcome: "y", endogenous: ["x"], instruments: ["z"], exogenous: ["w"],
      weights: "v", clusters: "firm")
    #expect(model.outcome.values == [1, 3, 5, 4, 5, 6])
    #expect(model.exogenous.map(\.name) == ["const", "w"])
    #expect(model.varyingExogenous.map(\.values) == [[0, 1, 0, 1, 0, 0]])
    #expect(model.weights.map { $0.map { 1.5 * $0 } } == [1, 2, 2, 1, 1, 2])
    #expect(model.clusters == [0, 1, 0, 1, 0, 2] && model.clusterCount == 3)
    #expect(model.clusterColumn == "firm" && model.source == "d.csv")
    #expect(model.droppedRows == [2, 5, 7] && model.droppedLines == [4, 7, 9])
    let without = try InstrumentalModel(
      table(), outcome: "y", endogenous: ["x"], instruments: ["z"])
    #expect(without.droppedRows == [2] && without.observationCount == 8)
    #expect(without.weights == nil && without.clusters == nil)
  }

  @Test("Columns that are not there and infinite fields are refused with their place")
  func badColumns() throws {
    #expect(throws: FileError.self) {
      try InstrumentalModel(table(), outcome: "q", endogenous: ["x"], instruments: ["z"])
    }
    let infinite = try CSVTable(parsing: Array("y,x,z\n1,2,3\n4,inf,6\n".utf8), source: "i.csv")
    #expect {
      try InstrumentalModel(infinite, outcome: "y", endogenous: ["x"], instruments: ["z"])
    } throws: {
      "\($0)".hasPrefix("i.csv, line 3, column 3 (\"x\"): the number is infinite (\"inf\")")
    }
  }

  @Test("Columns of tensors make the model that arrays make")
  func tensors() throws {
    var generator = PhiloxGenerator(seed: 1)
    let draws = Tensor.normal([50, 3], .float32, using: &generator)
    let columns = Variable.columns(of: draws, names: ["y", "x", "z"])
    #expect(columns.map(\.name) == ["y", "x", "z"])
    #expect(columns[1].values == draws[0..., 1].cast(to: .float64).scalars)
    let model = try InstrumentalModel(
      outcome: columns[0], endogenous: [columns[1]], instruments: [columns[2]])
    let arrays = try InstrumentalModel(
      outcome: Variable(name: "y", values: columns[0].values),
      endogenous: [Variable(name: "x", values: columns[1].values)],
      instruments: [Variable(name: "z", values: columns[2].values)])
    #expect(
      try TwoStageLeastSquares(model).estimates.parameters
        == TwoStageLeastSquares(arrays).estimates.parameters)
  }

  @Test("Rows that repeat others are counted, but not within a cluster")
  func repeatedRows() throws {
    let values: [Double] = [1, 3, 1, 4, 1, 6]
    func model(_ clusters: [Int]? = nil) throws -> InstrumentalModel {
      try InstrumentalModel(
        outcome: Variable(name: "y", values: values),
        endogenous: [Variable(name: "x", values: values.map { $0 * $0 })],
        instruments: [Variable(name: "z", values: values.map { 1 / $0 })], clusters: clusters)
    }
    #expect(try model().repeatedRowCount == 2)
    #expect(try model([5, 1, 5, 2, 7, 3]).repeatedRowCount == 1)
  }
}
