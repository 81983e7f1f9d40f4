import Autodiff
import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("SafeTensors files") struct SafeTensorsFileTests {
  @Test("Reads what Python writes") func readsWhatPythonWrites() throws {
    let file = try SafeTensorsFile(contentsOfFile: fixture("python.safetensors"))
    #expect(file.metadata == ["format": "np", "text": "é \"quoted\"\n😀"])
    let expected: [String: Tensor] = [
      "encoder.weight": Tensor([1.5, -2, Float(bitPattern: 0x7FC0_0000)], shape: [1, 3]),
      "bias": Tensor([1e300]), "half": Tensor([1, -0.0, 65504, 1364 * 0x1p-12] as [Float]),
      "count": Tensor(indices: [3, -4]), "pixels": Tensor(indices: [0, 255], shape: [1, 2]),
      "short": Tensor(indices: [-32768]), "index": Tensor(indices: [7]),
      "mask": Tensor(mask: [true, false]), "scalar": Tensor(2.5), "none": .zeros([0, 3], .float32),
    ]
    #expect(Set(file.names) == Set(expected.keys).union(["large"]))
    for (name, tensor) in expected {
      #expect(try file.tensor(named: name).isBitwiseEqual(to: tensor), "\(name)")
    }
    #expect(file.scalarType(named: "half") == .float16)
    #expect(file.shape(named: "pixels") == [1, 2])
    #expect(file.shape(named: "x") == nil)
    let error = #expect(throws: FileError.self) { try file.tensor(named: "large") }
    #expect(
      error?.description.hasSuffix(
        "the tensor \"large\" has the element 2147483648 at 0, but a number of 32 bits was "
          + "expected; convert it") == true)
    let unknown = #expect(throws: FileError.self) { try file.tensor(named: "bia") }
    #expect(unknown?.description.contains("did you mean \"bias\"?") == true)
  }

  @Test("Reads bfloat16") func readsBrainFloats() throws {
    let file = try SafeTensorsFile(contentsOfFile: fixture("bfloat16.safetensors"))
    #expect(try file.tensor(named: "b").scalars == [1.5, -2, .infinity])
  }

  @Test("Every bit comes back") func everyBitComesBack() throws {
    let tensors: [(name: String, tensor: Tensor)] = [
      ("mask", Tensor(mask: [true, false, true])),
      ("a \"name\"\n\\ é", Tensor([Float(bitPattern: 0xFFA0_0001), -0.0, .infinity])),
      ("", Tensor([Double(bitPattern: 0x7FF0_0000_0000_0001), .leastNonzeroMagnitude])),
      ("none", .zeros([2, 0, 3], .int32)), ("scalar", Tensor(-1, .int32)),
    ]
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x.safetensors"
      let metadata = ["epoch": "3", "note": "\u{1} é 😀 \"\\/"]
      try SafeTensorsFile.write(tensors, metadata: metadata, to: path)
      let file = try SafeTensorsFile(contentsOfFile: path)
      #expect(file.metadata == metadata)
      #expect(Set(file.names) == Set(tensors.map(\.name)))
      for (name, tensor) in tensors {
        #expect(try file.tensor(named: name).isBitwiseEqual(to: tensor))
      }
      try SafeTensorsFile.write([], to: path)
      #expect(try SafeTensorsFile(contentsOfFile: path).names == [])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x.safetensors"])
    }
  }

  private struct Model: TensorTree, Sendable {
    var layers = [Tensor([1, 2]), Tensor([3], shape: [1, 1])]
    var mask = Tensor(mask: [true])

    mutating func visitTensors(_ visitor: inout TensorVisitor) {
      visitor.visit(&layers, "layers")
      visitor.visit(&mask, "mask")
    }
  }

  @Test("Trees come back") func treesComeBack() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x.safetensors"
      let model = Model()
      try model.writeSafeTensors(to: path, metadata: ["epoch": "7"])
      #expect(try SafeTensorsFile(contentsOfFile: path).metadata == ["epoch": "7"])
      var other = model.mapTensors { Tensor.zeros(like: $0) }
      try other.readSafeTensors(from: path)
      for (a, b) in zip(model.tensors, other.tensors) { #expect(a.isBitwiseEqual(to: b)) }

      // Half precision and 64-bit integers fit the types a tree has.
      var tree = ["half": Tensor.zeros([4], .float32), "count": .zeros([2], .int32)]
      let python = try SafeTensorsFile(contentsOfFile: fixture("python.safetensors"))
      for name in tree.keys { tree[name] = try python.tensor(named: name) }
      #expect(tree["count"]?.scalars == [3, -4])
    }
  }

  @Test("Another tree is refused and left alone") func anotherTreeIsRefusedAndLeftAlone() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x.safetensors"
      let content: [(name: String, tensor: Tensor)] = [
        ("layers.0", Tensor([5, 6])), ("layers.1", Tensor([7])), ("extra", Tensor(1)),
      ]
      try SafeTensorsFile.write(content, to: path)
      var model = Model()
      let error = #expect(throws: FileError.self) { try model.readSafeTensors(from: path) }
      #expect(
        error?.description
          == "\(path): the file is not of this model; load it into one of the same structure\n"
          + "Missing in the file: \"mask\"\nOnly in the file: \"extra\"\n"
          + "\"layers.1\" is [1] float64, but [1, 1] float64 was expected")
      #expect(model.layers[0].scalars == [1, 2])

      var narrow = [Tensor.zeros([2], .float32), Tensor([7])]
      try SafeTensorsFile.write([("0", Tensor([5, 6])), ("1", Tensor([8]))], to: path)
      let other = #expect(throws: FileError.self) { try narrow.readSafeTensors(from: path) }
      #expect(other?.description.hasSuffix("is [2] float64, but [2] float32 was expected") == true)
      #expect(narrow[1].scalars == [7])
    }
  }
}
