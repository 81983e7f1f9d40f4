import ProgramTestSupport

/// The program under test.
let policyEvaluation = Program(named: "policy-evaluation")
