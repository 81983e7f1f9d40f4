import Autodiff
import TestSupport
import Testing

/// A struct that forgets a tensor in its visit.
private struct Forgetful: TensorTree {
  var weight = Tensor(2)
  var bias = Tensor(3)
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct ForgetsOptional: TensorTree {
  var weight = Tensor(2)
  var bias: Tensor?
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct ForgetsNested: TensorTree {
  var weight = Tensor(2)
  var parts = ["decoder": [ForgetsOptional(bias: Tensor(1))]]
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

/// Visits a copy and does not write it back.
private struct VisitsCopy: TensorTree {
  var weight = Tensor(2)
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    var copy = weight
    visitor.visit(&copy, "weight")
  }
}

private enum ForgetsCase: TensorTree {
  case good(Tensor)
  case bad(Tensor, extra: Tensor)
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    switch self {
    case .good(var a):
      visitor.visit(&a, "a")
      self = .good(a)
    case .bad(var a, let extra):
      visitor.visit(&a, "a")
      self = .bad(a, extra: extra)
    }
  }
}

private struct Rows { var inputs = Tensor([1, 2]) }

private struct HidesInStruct: TensorTree {
  var weight = Tensor(2)
  var rows = Rows()
}

private struct HidesInClosedEnum: TensorTree {
  enum Mode {
    case none
    case shifted(by: Tensor)
  }
  var weight = Tensor(2)
  var mode = Mode.none
}

private struct HidesInExistentials: TensorTree {
  var weight = Tensor(2)
  var parts: [any TensorTree] = []
}

private struct HidesInTuple: TensorTree {
  var weight = Tensor(2)
  var range = (lower: Tensor(0), upper: Tensor(1))
}

private final class Box { var content = [Tensor(1)] }

private struct HidesInClass: TensorTree {
  var weight = Tensor(2)
  var box = Box()
}

@propertyWrapper private struct Clamped {
  private var value: Tensor
  var wrappedValue: Tensor {
    get { value }
    set { value = maximum(newValue, 0) }
  }
  init(wrappedValue: Tensor) { value = wrappedValue }
}

private struct Wrapped: TensorTree {
  @Clamped var weight = Tensor(2)
}

private struct WrappedVisited: TensorTree {
  @Clamped var weight = Tensor(2)
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct StateAndLeaf: TensorTree {
  var mean = Tensor(0)
  mutating func visitState(_ visitor: inout TensorVisitor) { visitor.visit(&mean, "mean") }
}

private struct Payload: TensorTree {
  enum Kind: TensorTree {
    case a([Tensor])
  }
  var kind = Kind.a([Tensor(1)])
}

// MARK: - Trees that are right, by any way of visiting

private struct Stateful: TensorTree {
  var weight = Tensor(2)
  var mean = Tensor(0)
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
  mutating func visitState(_ visitor: inout TensorVisitor) { visitor.visit(&mean, "mean") }
}

private struct Marked: TensorTree {
  var weight = Tensor(2)
  @Constant var mask = Tensor(0)
  @Constant var rows = Rows()
  @Constant var box = Box()
  @Constant var parts: [any TensorTree] = [Tensor(1)]
  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&weight, "weight") }
}

private struct IfPresent: TensorTree {
  var bias: Tensor?
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    if var bias {
      visitor.visit(&bias, "bias")
      self.bias = bias
    }
  }
}

private struct Reshaping: TensorTree {
  var weight = Tensor([1, 2])
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    var column = weight.expandingShape(at: 1)
    visitor.visit(&column, "column")
    weight = column.squeezingShape(at: 1)
  }
}

/// Two names for the memory of one tensor.
private struct Shared: TensorTree {
  var a: Tensor
  var b: Tensor
  init(_ tensor: Tensor) { (a, b) = (tensor, tensor) }
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    visitor.visit(&b, "b")
    visitor.visit(&a, "a")
  }
}

private struct Forwarding: TensorTree {
  private var body = [Tensor(1), Tensor(2)]
  var numbers = [Double](repeating: 0, count: 100_000)
  var text = ["key": "value"]
  var next: @Sendable (Double) -> Double = { $0 }
  var type: Any.Type = Int.self
  mutating func visitTensors(_ visitor: inout TensorVisitor) { body.visitTensors(&visitor) }
}

private struct Existentials: TensorTree {
  var parts: [any TensorTree] = [Tensor(1), Forwarding(), IfPresent()]
  mutating func visitTensors(_ visitor: inout TensorVisitor) {
    for index in parts.indices { visitor.visit(&parts[index], at: index) }
  }
}

/// A tensor that a visit leaves out would silently be a constant: it is refused, by name.
@Suite("Visits compared with stored properties")
struct VisitComparisonTests {
  private func expect(_ result: ExitTest.Result?, _ parts: String...) {
    let text = errorText(result)
    for part in parts { #expect(text.contains(part), "“\(part)” is not in: \(text)") }
  }

  @Test("A forgotten tensor stops every transform and names type and property")
  func forgotten() async {
    let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = gradient(at: Forgetful()) { $0.weight * $0.bias }
    }
    expect(
      result, "TensorTree: Forgetful.bias is a tensor that visitTensors leaves out",
      "it would silently be a constant that is never trained", "@Constant")
    let copy = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = [VisitsCopy()].tensors
    }
    expect(copy, "VisitsCopy.weight is a tensor that visitTensors leaves out")
  }

  @Test("A property that was empty at first is refused when it is not")
  func laterValue() async {
    let optional = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ForgetsOptional().tensors
      _ = ForgetsOptional(bias: nil).tensors
      _ = ForgetsOptional(bias: Tensor(1)).tensors
    }
    expect(optional, "ForgetsOptional.bias is a tensor that visitTensors leaves out")
    let existential = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = HidesInExistentials().tensors
      _ = HidesInExistentials(parts: [Tensor(1)]).tensors
    }
    expect(existential, "HidesInExistentials.parts.0 is a tensor that visitTensors leaves out")
    let anEnum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HidesInClosedEnum().tensors
      _ = HidesInClosedEnum(mode: .shifted(by: Tensor(1))).tensors
    }
    expect(anEnum, "HidesInClosedEnum.mode.shifted", "which is no tree")
    let aCase = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ForgetsCase.good(Tensor(1)).tensors
      _ = ForgetsCase.bad(Tensor(1), extra: Tensor(2)).tensors
    }
    expect(aCase, "ForgetsCase.bad.extra is a tensor that visitTensors leaves out")
  }

  @Test("Nested trees and parts in containers")
  func nested() async {
    let whole = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = ForgetsNested().tensors
    }
    expect(whole, "ForgetsNested.parts.decoder.0.weight is a tensor that visitTensors leaves out")
    let optional = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      let tree: Forgetful? = Forgetful()
      _ = tree.tensors
    }
    expect(optional, "Forgetful.bias")
    let dictionary = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent])
    {
      var tree = ["a": Forgetful()]
      tree.tensors = [Tensor(1)]
    }
    expect(dictionary, "Forgetful.bias")
  }

  @Test("Tensors in types that are no trees")
  func hidden() async {
    let aStruct = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HidesInStruct().tensors
    }
    expect(aStruct, "HidesInStruct.rows.inputs", "in a property of type Rows, which is no tree")
    let tuple = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HidesInTuple().tensors
    }
    expect(tuple, "HidesInTuple.range.lower")
    let aClass = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = HidesInClass().tensors
    }
    expect(aClass, "HidesInClass.box holds tensors in Box, a class")
    let wrapper = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Wrapped().tensors
    }
    expect(wrapper, "Wrapped._weight.value", "of type Clamped, which is no tree")
  }

  @Test("A leaf that is state too, and an enum without a visit")
  func others() async {
    let state = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = StateAndLeaf().tensors
    }
    expect(state, "StateAndLeaf.mean is both a leaf and state")
    let anEnum = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Payload().tensors
    }
    expect(
      anEnum, "Kind is an enum, so its stored properties cannot be visited; write visitTensors")
  }

  @Test("State, constants and every other way to reach all tensors pass")
  func correct() {
    #expect(Stateful().tensorPaths == ["weight"])
    #expect(Marked().tensorPaths == ["weight"])
    #expect(IfPresent().tensors.isEmpty)
    #expect(IfPresent(bias: Tensor(1)).tensorPaths == ["bias"])
    #expect(Reshaping().mapTensors { $0 * 2 }.weight.scalars == [2, 4])
    #expect(Shared(Tensor(1)).tensorPaths == ["b", "a"])
    #expect(Forwarding().tensorPaths == ["0", "1"])
    #expect(Existentials().tensorPaths == ["0", "1.0", "1.1"])
    #expect(WrappedVisited().mapTensors { $0 - 5 }.weight.scalar == 0)
  }

  @Test("The comparison changes no value")
  func unchanged() {
    let big = Tensor.ones([300, 300])
    let tree = Shared(big)
    _ = tree.tensors
    #expect(tree.a.isBitwiseEqual(to: big))
    #expect(tree.b.sum().scalar == 90_000)
  }
}
