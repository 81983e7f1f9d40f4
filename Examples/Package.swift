// swift-tools-version: 6.2

import PackageDescription

// A package of its own, so that whoever depends on Adjoint does not resolve what only its programs
// for people need.
let package = Package(
  name: "adjoint-examples",
  platforms: [.macOS(.v15)],
  products: [
    .executable(name: "iv-regression", targets: ["iv-regression"]),
    .executable(name: "hypergradient", targets: ["hypergradient"]),
    .executable(name: "bilevel-inference", targets: ["bilevel-inference"]),
    .executable(name: "policy-evaluation", targets: ["policy-evaluation"]),
    .executable(name: "benchmark", targets: ["benchmark"]),
  ],
  dependencies: [
    // The name is stated because the directory of a clone can have any.
    .package(name: "adjoint", path: ".."),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
  ],
  targets: [
    // What the programs share, lowest first: how they start, plots, progress, reports; the data sets, compiled in so
    // that a copied program still has them; the estimators.
    .target(
      name: "ExampleSupport",
      dependencies: [
        "CExampleData", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Econometrics", package: "adjoint"),
        .product(name: "Inference", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),
    .target(
      name: "CExampleData", path: "Data",
      exclude: [
        "README.md", "card.csv", "mpg_scale", "liver-disorders_scale", "liver-disorders_scale.t",
      ]),
    .target(
      name: "DSprites",
      dependencies: [
        .product(name: "Autodiff", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
      ]),
    .target(
      name: "SpriteRegression",
      dependencies: [
        "DSprites", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Neural", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
      ]),
    .target(
      name: "HyperparameterProblems",
      dependencies: [
        "CExampleData", "ExampleSupport", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
      ]),
    .target(
      name: "InferenceDesigns",
      dependencies: [
        .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Econometrics", package: "adjoint"),
      ]),
    .target(
      name: "ControlProblems",
      dependencies: [
        .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
      ]),

    // The programs.
    .executableTarget(
      name: "iv-regression",
      dependencies: [
        "DSprites", "ExampleSupport", "InferenceDesigns", "SpriteRegression",
        .product(name: "Econometrics", package: "adjoint"),
        .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Neural", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Inference", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(
      name: "hypergradient",
      dependencies: [
        "ExampleSupport", "HyperparameterProblems",
        .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
        .product(name: "Neural", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(
      name: "bilevel-inference",
      dependencies: [
        "ExampleSupport", "InferenceDesigns", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Econometrics", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Inference", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(
      name: "policy-evaluation",
      dependencies: [
        "ControlProblems", "ExampleSupport", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Inference", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    .executableTarget(
      name: "benchmark",
      dependencies: [
        "ExampleSupport", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Solvers", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Neural", package: "adjoint"),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // Tests; those of a program run the built program.
    .target(name: "ProgramTestSupport", path: "Tests/ProgramTestSupport"),
    .testTarget(name: "ExampleSupportTests", dependencies: ["ExampleSupport"]),
    .testTarget(
      name: "DSpritesTests",
      dependencies: [
        "DSprites", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
      ],
      exclude: ["README.md", "dsprites-animation-frames.npy"]),
    .testTarget(
      name: "SpriteRegressionTests",
      dependencies: [
        "DSprites", "SpriteRegression", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Neural", package: "adjoint"),
      ]),
    .testTarget(
      name: "HyperparameterProblemsTests",
      dependencies: [
        "ExampleSupport", "HyperparameterProblems", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "TensorFiles", package: "adjoint"),
      ]),
    .testTarget(
      name: "InferenceDesignsTests",
      dependencies: [
        "InferenceDesigns", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Orthogonal", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
        .product(name: "Econometrics", package: "adjoint"),
        .product(name: "Inference", package: "adjoint"),
      ]),
    .testTarget(
      name: "BilevelInferenceTests",
      dependencies: ["ExampleSupport", "ProgramTestSupport", "bilevel-inference"]),
    .testTarget(
      name: "ControlProblemsTests",
      dependencies: [
        "ControlProblems", .product(name: "Autodiff", package: "adjoint"),
        .product(name: "Bilevel", package: "adjoint"),
      ]),
    .testTarget(
      name: "PolicyEvaluationTests", dependencies: ["ProgramTestSupport", "policy-evaluation"]),
    .testTarget(name: "IVRegressionTests", dependencies: ["ProgramTestSupport", "iv-regression"]),
    .testTarget(
      name: "HypergradientTests",
      dependencies: [
        "ExampleSupport", "HyperparameterProblems", "ProgramTestSupport", "hypergradient",
        .product(name: "Autodiff", package: "adjoint"),
      ]),
  ],
  swiftLanguageModes: [.v6],
  cLanguageStandard: .c2x
)
