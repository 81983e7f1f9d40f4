import ProgramTestSupport

/// The program under test.
let ivRegression = Program(named: "iv-regression")
