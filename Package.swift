// swift-tools-version: 6.2

import PackageDescription

let package = Package(
  name: "adjoint",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "Autodiff", targets: ["Autodiff"]),
    .library(name: "Neural", targets: ["Neural"]),
    .library(name: "GradientCheck", targets: ["GradientCheck"]),
    .library(name: "Inference", targets: ["Inference"]),
    .library(name: "Solvers", targets: ["Solvers"]),
    .library(name: "Bilevel", targets: ["Bilevel"]),
    .library(name: "Orthogonal", targets: ["Orthogonal"]),
    .library(name: "Econometrics", targets: ["Econometrics"]),
    .library(name: "TensorFiles", targets: ["TensorFiles"]),
  ],
  targets: [
    // The public modules, lowest first: a module imports only modules above it.
    .target(
      name: "CTensorKernels", linkerSettings: [.linkedLibrary("m", .when(platforms: [.linux]))]),
    .target(name: "Autodiff", dependencies: ["CTensorKernels"]),
    .target(name: "CZlibInterface"),
    .target(name: "TensorFiles", dependencies: ["Autodiff", "CZlibInterface"]),
    .target(name: "Neural", dependencies: ["Autodiff", "TensorFiles"]),
    .target(name: "GradientCheck", dependencies: ["Autodiff"]),
    .target(name: "Inference", dependencies: ["Autodiff"]),
    .target(name: "Solvers", dependencies: ["Autodiff", "Neural"]),
    .target(name: "Bilevel", dependencies: ["Autodiff", "Neural", "Solvers", "TensorFiles"]),
    .target(
      name: "Orthogonal", dependencies: ["Autodiff", "Bilevel", "Inference", "Neural", "Solvers"]),
    .target(
      name: "Econometrics",
      dependencies: [
        "Autodiff", "Bilevel", "Inference", "Neural", "Orthogonal", "Solvers", "TensorFiles",
      ]),

    // Tests, one target per module. `CReferenceMath` evaluates the elementary functions in
    // extended precision, the yardstick of the kernel accuracy tests.
    .target(name: "CReferenceMath", path: "Tests/CReferenceMath"),
    // What several test targets share.
    .target(name: "TestSupport", dependencies: ["Autodiff", "Solvers"], path: "Tests/TestSupport"),
    .testTarget(
      name: "CTensorKernelsTests",
      dependencies: ["CTensorKernels", "CReferenceMath", "TestSupport"]),
    .testTarget(
      name: "AutodiffTests",
      dependencies: ["Autodiff", "GradientCheck", "CTensorKernels", "TestSupport"]),
    .testTarget(
      name: "NeuralTests",
      dependencies: [
        "Neural", "GradientCheck", "TensorFiles", "TestSupport", "TrainingProgram",
      ]),
    // A training that the tests of `Neural` kill and start again.
    .executableTarget(
      name: "TrainingProgram", dependencies: ["Neural"], path: "Tests/TrainingProgram"),
    .testTarget(name: "GradientCheckTests", dependencies: ["GradientCheck", "TestSupport"]),
    .testTarget(
      name: "TensorFilesTests", dependencies: ["TensorFiles", "TestSupport"], exclude: ["Fixtures"]),
    .testTarget(name: "InferenceTests", dependencies: ["Inference", "TestSupport"]),
    .testTarget(
      name: "SolversTests", dependencies: ["Autodiff", "Neural", "Solvers", "TestSupport"]),
    .testTarget(
      name: "BilevelTests",
      dependencies: [
        "Bilevel", "GradientCheck", "Neural", "Solvers", "TensorFiles", "TestSupport",
      ]),
    .testTarget(
      name: "OrthogonalTests",
      dependencies: [
        "Bilevel", "GradientCheck", "Inference", "Neural", "Orthogonal", "Solvers", "TestSupport",
      ],
      exclude: ["reference.json"]),
    .testTarget(
      name: "EconometricsTests",
      dependencies: [
        "Bilevel", "Econometrics", "Inference", "Orthogonal", "Solvers", "TensorFiles",
        "TestSupport",
      ]),
    // The examples of README and Docs.
    .testTarget(
      name: "DocumentationTests",
      dependencies: [
        "Autodiff", "Bilevel", "Econometrics", "GradientCheck", "Inference", "Neural",
        "Orthogonal", "Solvers", "TensorFiles",
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c11
)
