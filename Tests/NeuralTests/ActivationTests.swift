import Autodiff
import Neural
import Testing

@Suite("Activation")
struct ActivationTests {
  private static let points = [-4.0, -1.5, -0.3, 0.0, 0.7, 2.5]

  /// Values and derivatives at `points` by PyTorch 2.15 in float64: torch.relu, tanh, sigmoid,
  /// nn.functional.softplus(threshold=100), gelu, silu.
  private static let references: [Activation: (values: [Double], slopes: [Double])] = [
    .identity: (points, [1, 1, 1, 1, 1, 1]),
    .relu: ([0, 0, 0, 0, 0.7, 2.5], [0, 0, 0, 0, 1, 1]),
    .tanh: (
      [
        -0.999329299739067, -0.9051482536448664, -0.2913126124515909, 0, 0.6043677771171635,
        0.9866142981514303,
      ],
      [
        0.0013409506830259165, 0.1807066389236486, 0.9151369618266292, 1, 0.6347395899824586,
        0.02659222668316057,
      ]
    ),
    .sigmoid: (
      [
        0.01798620996209156, 0.18242552380635635, 0.425557483188341, 0.5, 0.6681877721681662,
        0.9241418199787566,
      ],
      [
        0.017662706213291118, 0.14914645207033286, 0.24445831169074586, 0.25,
        0.22171287329310904, 0.07010371654510807,
      ]
    ),
    .softplus: (
      [
        0.018149927917809738, 0.2014132779827524, 0.5543552444685271, 0.6931471805599453,
        1.103186048885458, 2.5788897342925496,
      ],
      [
        0.017986209962091555, 0.18242552380635632, 0.425557483188341, 0.5, 0.6681877721681662,
        0.9241418199787564,
      ]
    ),
    .gelu: (
      [
        -0.00012668496733247991, -0.10021080190328704, -0.1146265733433142, 0,
        0.5306254434438489, 2.4844758366855597,
      ],
      [
        -0.0005036496612264215, -0.1274691922299796, 0.26767223317289013, 0.5,
        0.9766141011336599, 1.037611085908145,
      ]
    ),
    .silu: (
      [
        -0.07194483984836623, -0.2736382857095345, -0.1276672449565023, 0, 0.46773144051771626,
        2.3103545499468914,
      ],
      [
        -0.05266461489107291, -0.041294154299142946, 0.3522199896811173, 0.5,
        0.8233867834733425, 1.0994011113415267,
      ]
    ),
  ]

  @Test("Values and derivatives agree with PyTorch", arguments: Activation.allCases)
  func reference(_ activation: Activation) throws {
    let expected = try #require(Self.references[activation])
    let x = Tensor(Self.points)
    let (value, slope) = valueWithGradient(at: x) { activation($0).sum() }
    expectClose(activation(x), expected.values, tolerance: 1e-14)
    expectClose(value, [expected.values.reduce(0, +)])
    expectClose(slope, expected.slopes, tolerance: 1e-14)
    expectClose(activation(x.cast(to: .float32)), expected.values, tolerance: 5e-7)
  }

  @Test("Derivatives to second order agree with differences", arguments: Activation.allCases)
  func derivatives(_ activation: Activation) {
    expectDerivatives(at: Tensor([-4, -1.5, -0.3, 0.7, 2.5])) { weighed(activation($0)) }
  }

  @Test("Has no leaves and keeps the scalar type", arguments: Activation.allCases)
  func leaves(_ activation: Activation) {
    #expect(activation.tensors.isEmpty)
    #expect(activation(Tensor.ones([2, 3], .float32)).scalarType == .float32)
  }
}
