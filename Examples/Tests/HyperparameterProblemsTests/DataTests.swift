import Autodiff
import HyperparameterProblems
import TensorFiles
import Testing

@Suite("Data") struct DataTests {
  @Test("Bundled data have the published sizes") func bundledDataHaveThePublishedSizes() throws {
    let mpg = try BundledData.mpg()
    #expect(mpg.features.shape == [297, 7])
    #expect(mpg.labels.scalars[0] == 18)
    #expect(mpg.features.scalars[1] == 0.235142)
    let liver = try BundledData.liver()
    #expect(liver.training.features.shape == [144, 5])
    #expect(liver.validation.features.shape == [200, 5])
    #expect(Set(liver.training.labels.scalars) == [-1, 1])
    // The test split is not scaled.
    #expect(abs(liver.training.features).max().scalar <= 1)
    #expect(liver.validation.features.max().scalar > 100)
  }

  @Test("Omitted features can be zeros") func omittedFeaturesCanBeZeros() throws {
    let data = try LIBSVMDataset(parsing: "1 1:2 2:3\n0 1:4\n", source: "t")
    #expect(try LabeledData(data, dropsOmitted: true).features.scalars == [2, 3])
    #expect(try LabeledData(data, dropsOmitted: false).features.scalars == [2, 3, 4, 0])
  }

  @Test("Tables drop incomplete rows") func tablesDropIncompleteRows() throws {
    let table = try CSVTable(parsing: "a,label,b\n1,2,3\n,5,6\n7,8,9\n10,,11\n", source: "t.csv")
    let data = try LabeledData(table, labelColumn: "label")
    #expect(data.featureNames == ["a", "b"])
    #expect(data.features.scalars == [1, 3, 7, 9])
    #expect(data.labels.scalars == [2, 8])
    #expect(try LabeledData(table, labelColumn: nil).featureNames == ["label", "b"])
  }

  @Test("Tables are matched by name") func tablesAreMatchedByName() throws {
    let training = try LabeledData(
      CSVTable(parsing: "y,a,b\n1,2,3\n", source: "t.csv"), labelColumn: nil)
    let permuted = try CSVTable(parsing: "b,y,a\n30,10,20\n", source: "v.csv")
    let validation = try LabeledData(permuted, labelColumn: nil, matching: training)
    #expect(validation.featureNames == ["a", "b"])
    #expect(validation.features.scalars == [20, 30])
    #expect(validation.labels.scalars == [10])
    let other = try CSVTable(parsing: "y,a,c,d\n1,2,3,4\n", source: "v.csv")
    #expect(
      throws: ProblemError.differentColumns(
        training: "t.csv", validation: "v.csv", missing: ["b"], extra: ["c", "d"])
    ) { try LabeledData(other, labelColumn: nil, matching: training) }
  }

  @Test("Dropped rows are counted") func droppedRowsAreCounted() throws {
    let table = try CSVTable(parsing: "y,a\n1,2\n,5\n7,\n8,9\n", source: "t.csv")
    let data = try LabeledData(table, labelColumn: "y")
    #expect(data.notes.dropped?.description == "t.csv: 2 of 4 rows dropped: a value is missing")
    let sparse = try LIBSVMDataset(parsing: "1 1:2 2:3\n0 1:4\n", source: "t")
    #expect(try LabeledData(sparse, dropsOmitted: false).notes.dropped == nil)
    let note = try LabeledData(sparse, dropsOmitted: true).notes.dropped
    #expect(note?.description == "t: 1 of 2 rows dropped: a feature is omitted")
    #expect(try BundledData.mpg().notes.dropped?.rows == 392)
  }

  @Test("Classes can be texts") func classesCanBeTexts() throws {
    let table = try CSVTable(parsing: "y,a\nyes,2\nno,5\nyes,1\n", source: "t.csv")
    let data = try LabeledData(table, labelColumn: "y", allowsTextLabels: true).withSignLabels()
    #expect(data.labels.scalars == [1, -1, 1])
    #expect(data.notes.classNames == ["no", "yes"])
    #expect(throws: FileError.self) { try LabeledData(table, labelColumn: "y") }
    // Rows of one class alone are still of that class.
    let one = try CSVTable(parsing: "y,a\nyes,2\n", source: "v.csv")
    let other = try LabeledData(one, labelColumn: "y", allowsTextLabels: true)
    #expect(try other.withSignLabels(classes: ["no", "yes"]).labels.scalars == [1])
    #expect(
      throws: ProblemError.unknownClass(source: "v.csv", found: "yes", expected: ["0", "1"])
    ) { try other.withSignLabels(classes: ["0", "1"]) }
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "no error"
    } catch {
      return "\(error)"
    }
  }

  @Test("Unusable data say why") func unusableDataSayWhy() throws {
    let three = LabeledData(
      source: "t", features: Tensor.ones([3, 1]), labels: Tensor([0, 1, 2]))
    #expect(
      message { _ = try three.withSignLabels() }
        == "t: the labels have 3 different values (0, 1, 2), but two classes were expected; keep "
        + "the rows of two classes, or use a regression")
    let infinite = try CSVTable(parsing: "y,x\n1,inf\n", source: "t.csv")
    #expect(
      message { _ = try LabeledData(infinite, labelColumn: "y") }
        .hasPrefix("t.csv, line 2, column 3 (\"x\"): the number is infinite (\"inf\")"))
    for size in ["1e200", "1e-200"] {
      let extreme = try CSVTable(parsing: "y,x,z\n1,2,\(size)\n", source: "t.csv")
      #expect(
        message { _ = try LabeledData(extreme, labelColumn: "y") }
          .hasPrefix("t.csv: the largest number of \"z\" is 1.000e\(size.dropFirst(2)), beyond"))
    }
    let lonely = try CSVTable(parsing: "y\n1\n", source: "t.csv")
    #expect(
      throws: ProblemError.noFeatures(source: "t.csv")
    ) { try LabeledData(lonely, labelColumn: nil) }
    let sparse = try LIBSVMDataset(parsing: "1 1:2\n1 2:2\n", source: "t")
    #expect(throws: ProblemError.tooFewRows(source: "t", rows: 0, needed: 1)) {
      try LabeledData(sparse, dropsOmitted: true)
    }
    let wide = LabeledData(source: "u", features: Tensor.ones([1, 2]), labels: Tensor([1]))
    #expect(throws: ProblemError.self) { try DataSplit(training: three, validation: wide) }
  }

  @Test("Splits partition the rows") func splitsPartitionTheRows() throws {
    let labels = Tensor.range(10)
    let data = LabeledData(
      source: "t", features: labels.expandingShape(at: 1), labels: labels)
    let split = try data.split(validationFraction: 0.3, seed: 1)
    let (training, validation) = (split.training.labels.scalars, split.validation.labels.scalars)
    #expect(validation.count == 3)
    #expect((training + validation).sorted() == labels.scalars)
    #expect(split.training.features.scalars == training)
    #expect(
      try data.split(validationFraction: 0.3, seed: 1).validation.labels.scalars == validation)
    #expect(
      try data.split(validationFraction: 0.3, seed: 2).validation.labels.scalars != validation)
    #expect(try data.split(validationFraction: 1e-9, seed: 1).validation.rowCount == 1)
    #expect(try data.split(validationFraction: 1, seed: 1).training.rowCount == 1)
  }

  @Test("Standardizing uses training rows only") func standardizingUsesTrainingRowsOnly() throws {
    let training = LabeledData(
      source: "t", features: Tensor(rows: [[1, 0.3, 1], [3, 0.3, 5], [5, 0.3, 9]]),
      labels: Tensor([1, 2, 6]))
    let validation = LabeledData(
      source: "v", features: Tensor(rows: [[3, 7, 5]]), labels: Tensor([10]))
    let split = try DataSplit(training: training, validation: validation)
      .standardized(centersLabels: true)
    let x = split.training.features
    #expect(x.mean(alongAxis: 0).norm().scalar < 1e-15)
    let squares = square(x).mean(alongAxis: 0).scalars
    #expect(abs(squares[0] - 1) < 1e-15 && squares[1] == 0 && abs(squares[2] - 1) < 1e-15)
    #expect(split.validation.features.scalars == [0, 0, 0])
    #expect(split.training.labels.scalars == [-2, -1, 3])
    #expect(split.validation.labels.scalars == [7])
  }

  /// The sample covariance approaches the one that is stated.
  @Test("Simulations have the stated covariance") func simulationsHaveTheStatedCovariance() throws {
    let design = SimulatedData(rows: 40_000, validationRows: 10, features: 3, correlation: 0.6)
    let x = try design.sample(for: .logistic, seed: 1).training.features
    let covariance = matmul(x, x, transposeA: true) / 40_000
    let expected = Tensor(rows: [[1, 0.6, 0.36], [0.6, 1, 0.6], [0.36, 0.6, 1]])
    #expect(abs(covariance - expected).max().scalar < 0.04)
    let decaying = SimulatedData(rows: 40_000, validationRows: 10, features: 5, decay: 1)
    let z = try decaying.sample(for: .logistic, seed: 1).training.features
    let spectrum = try symmetricEigenvalues(matmul(z, z, transposeA: true) / 40_000).scalars
    #expect(abs(spectrum.reduce(0, +) / 5 - 1) < 0.05)
    #expect(abs(spectrum[4] / spectrum[0] / 25 - 1) < 0.1)
  }

  @Test("Simulations are seeded") func simulationsAreSeeded() throws {
    let design = SimulatedData(rows: 20, validationRows: 10, features: 3)
    let first = try design.sample(for: .squared, seed: 1)
    #expect(first.training.features.shape == [20, 3])
    #expect(first.validation.features.shape == [10, 3])
    let again = try design.sample(for: .squared, seed: 1)
    #expect(first.training.labels.isBitwiseEqual(to: again.training.labels))
    let other = try design.sample(for: .squared, seed: 2)
    #expect(!first.training.labels.isBitwiseEqual(to: other.training.labels))
    let classes = try design.sample(for: .logistic, seed: 1).training.labels.scalars
    #expect(Set(classes) == [-1, 1])
  }
}
