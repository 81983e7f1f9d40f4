import Autodiff
import Testing

@Suite("Norm")
struct NormTests {
  @Test("A NaN or an infinity anywhere shows", arguments: [ScalarType.float32, .float64])
  func nonFinite(_ type: ScalarType) {
    #expect(Tensor([.nan]).cast(to: type).norm().scalar.isNaN)
    #expect(Tensor([1, .nan, 3]).cast(to: type).norm().scalar.isNaN)
    #expect(Tensor([1, -.infinity]).cast(to: type).norm().scalar == .infinity)
    let rows = Tensor(rows: [[3, 4], [.nan, 1], [0, 0]]).cast(to: type).norm(alongAxes: [1])
    #expect(rows.scalars[0] == 5 && rows.scalars[1].isNaN && rows.scalars[2] == 0)
  }

  @Test("At zero the derivative is zero, elsewhere x / ‖x‖")
  func derivative() {
    #expect(gradient(at: Tensor([0, 0])) { $0.norm() }.scalars == [0, 0])
    let slope = gradient(at: Tensor([3, 4])) { $0.norm() }.scalars
    #expect(abs(slope[0] - 0.6) < 1e-15 && abs(slope[1] - 0.8) < 1e-15)
  }
}
