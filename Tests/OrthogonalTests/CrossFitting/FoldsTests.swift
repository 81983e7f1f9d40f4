import Autodiff
import Bilevel
import Orthogonal
import Solvers
import Testing

@Suite("Folds") struct FoldsTests {
  @Test("Random folds are equal partitions") func randomFoldsAreEqualPartitions() throws {
    var generator = PhiloxGenerator(seed: 1)
    let folds = try Folds(4, ofRows: 22, using: &generator)
    let sizes = (0..<4).map { folds.held($0).elementCount }
    #expect(sizes.sorted() == [5, 5, 6, 6])
    for fold in 0..<4 {
      let rows = folds.held(fold).scalars + folds.training(fold).scalars
      #expect(rows.sorted() == (0..<22).map(Double.init))
    }
    var same = PhiloxGenerator(seed: 1)
    #expect(try Folds(4, ofRows: 22, using: &same) == folds)
    var other = PhiloxGenerator(seed: 2)
    #expect(try Folds(4, ofRows: 22, using: &other) != folds)
  }

  @Test("Groups stay together") func groupsStayTogether() throws {
    var generator = PhiloxGenerator(seed: 1)
    let groups = (0..<100).map { $0 / 7 }
    let folds = try Folds(3, ofGroups: groups, using: &generator)
    for group in Set(groups) {
      let used = Set(groups.indices.filter { groups[$0] == group }.map { folds.assignment[$0] })
      #expect(used.count == 1)
    }
    let sizes = (0..<3).map { folds.held($0).elementCount }
    #expect(sizes.allSatisfy { (28...42).contains($0) })
  }

  @Test("Too few units are refused") func tooFewUnitsAreRefused() throws {
    var generator = PhiloxGenerator(seed: 1)
    let few = #expect(throws: SolverError.self) {
      try Folds(5, ofRows: 4, using: &generator)
    }
    #expect(few.map { "\($0)" }?.contains("4 rows cannot fill 5 folds") == true)
    let grouped = #expect(throws: SolverError.self) {
      try Folds(3, ofGroups: [0, 0, 1, 1], using: &generator)
    }
    #expect(grouped.map { "\($0)" }?.contains("2 groups of rows cannot fill 3 folds") == true)
    let gap = #expect(throws: SolverError.self) { try Folds(assignment: [0, 2, 2]) }
    #expect(gap.map { "\($0)" }?.contains("leave none empty") == true)
  }

  /// Rows are dealt out as groups of one row are.
  @Test("Rows are groups of one") func rowsAreGroupsOfOne() throws {
    var (first, second) = (PhiloxGenerator(seed: 9), PhiloxGenerator(seed: 9))
    let rows = try Folds(3, ofRows: 17, using: &first)
    let groups = try Folds(3, ofGroups: Array(0..<17), using: &second)
    #expect(rows == groups)
  }

  @Test("Given folds must not divide groups") func givenFoldsMustNotDivideGroups() throws {
    let problem = try SineDesign.affine(groups: (0..<40).map { $0 / 4 })
    let folds = try Folds(assignment: (0..<40).map { $0 == 9 ? 1 : $0 / 4 % 2 })
    let error = #expect(throws: SolverError.self) {
      try problem.fit(nuisances: SineDesign.polynomials, crossFitting: CrossFitting(folds: [folds]))
    }
    guard case .function(let cause as OrthogonalError) = error else {
      Issue.record("expected a refusal, found \(String(describing: error))")
      return
    }
    #expect(cause == .dividedGroup(group: 2))
    #expect("\(cause)".contains("divide group 2"))
  }
}
