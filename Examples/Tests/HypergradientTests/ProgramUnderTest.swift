import ProgramTestSupport

/// The program under test.
let hypergradient = Program(named: "hypergradient")
