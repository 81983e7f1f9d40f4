import Autodiff
import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("NPY arrays") struct NPYArrayTests {
  private func numpy(_ name: String) throws -> Tensor {
    try NPYArray(contentsOfFile: fixture("\(name).npy")).tensor()
  }

  private func expect(
    _ name: String, _ expected: Tensor, sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let found = try numpy(name)
    #expect(
      found.isBitwiseEqual(to: expected), "\(found) \(expected)", sourceLocation: sourceLocation)
  }

  @Test("Reads what NumPy writes") func readsWhatNumPyWrites() throws {
    let float32: [Float] = [
      1.5, -2, Float(bitPattern: 0x7FC0_0000), .infinity, 0, Float.leastNormalMagnitude / 4,
    ]
    try expect("float32", Tensor(float32, shape: [2, 3]))
    try expect("float64be", Tensor([1.5, -2.25, 1e300]))
    try expect("int64", Tensor(indices: [1, -2, 2_147_483_647, -2_147_483_648], shape: [2, 2]))
    try expect("int32be", Tensor(indices: [1, -2, 70000]))
    try expect("int16", Tensor(indices: [1, -32768]))
    try expect("uint16be", Tensor(indices: [1, 65535]))
    try expect("int8", Tensor(indices: [-128, 127]))
    try expect("bool", Tensor(mask: [true, false, false, true], shape: [2, 2]))
    try expect("scalar", Tensor(7))
    try expect("empty", .zeros([0, 3]))
    // The multiples of 2⁻²⁴ and 2⁻¹² nearest to 6e-8 and 0.333.
    let half: [Float] = [1, -0.0, 65504, 0x1p-24, .infinity, 1364 * 0x1p-12]
    try expect("float16", Tensor(half))
  }

  @Test("Fortran order is transposed") func fortranOrderIsTransposed() throws {
    try expect("float64fortran", Tensor([0, 1, 2, 3, 4, 5], shape: [2, 3]))
    let array = try NPYArray(contentsOfFile: fixture("uint8fortran.npy"))
    #expect(array.header.isFortranOrder)
    #expect(array.header.shape == [2, 3, 4])
    #expect(try array.bytes() == Array(0..<24))
    try expect("uint8fortran", Tensor(indices: Array(0..<24), shape: [2, 3, 4]))
  }

  @Test("Integers that do not fit are refused") func integersThatDoNotFitAreRefused() {
    let path = fixture("int64tooLarge.npy")
    let tooLarge = FileError(
      .invalidValue, path,
      "element 1 of type int64 is 2147483648, but a number of 32 bits was expected; rescale the "
        + "array or save it as float64")
    #expect(throws: tooLarge) { try numpy("int64tooLarge") }
    #expect(throws: FileError.self) { try numpy("uint64") }
  }

  @Test("Every type comes back") func everyTypeComesBack() throws {
    let nan = Double(bitPattern: 0x7FF0_0000_0000_0001)
    let tensors = [
      Tensor(
        [Float(bitPattern: 0xFF80_0001), -0.0, .infinity, .leastNonzeroMagnitude], shape: [2, 2]),
      Tensor([nan, -0.0, -.infinity, .leastNonzeroMagnitude]),
      Tensor(indices: [-7, 0, 7], shape: [3, 1, 1]),
      Tensor(mask: [true, false]), Tensor(3), .zeros([2, 0], .int32),
    ]
    try withTemporaryDirectory { directory in
      for tensor in tensors {
        let path = "\(directory)/x.npy"
        try NPYArray(tensor).write(toFile: path)
        let read = try NPYArray(contentsOfFile: path)
        #expect(try read.tensor().isBitwiseEqual(to: tensor))
        #expect((try bytes(ofFile: path).count - read.header.byteCount) % 64 == 0)
      }
      let path = "\(directory)/bytes.npy"
      try NPYArray(bytes: [1, 2, 255, 0], shape: [2, 2]).write(toFile: path)
      #expect(try NPYArray(contentsOfFile: path).bytes() == [1, 2, 255, 0])
      // Nothing but the files is left.
      let names = try FileManager.default.contentsOfDirectory(atPath: directory)
      #expect(names.sorted() == ["bytes.npy", "x.npy"])
    }
  }

  @Test("An array read in Fortran order is written in row major order")
  func anArrayReadInFortranOrderIsWrittenInRowMajorOrder() throws {
    try withTemporaryDirectory { directory in
      let array = try NPYArray(contentsOfFile: fixture("float64fortran.npy"))
      try array.write(toFile: "\(directory)/x.npy")
      let read = try NPYArray(contentsOfFile: "\(directory)/x.npy")
      #expect(!read.header.isFortranOrder)
      #expect(try read.tensor().scalars == [0, 1, 2, 3, 4, 5])
    }
  }

  @Test("Later versions differ in the length of the header")
  func laterVersionsDifferInTheLengthOfTheHeader() throws {
    var file = try bytes(ofFile: fixture("scalar.npy"))
    for version: UInt8 in [2, 3] {
      file[6] = version
      var longer = file
      longer.insert(contentsOf: [0, 0], at: 10)
      #expect(try NPYArray(parsing: longer).tensor().scalar == 7)
    }
  }
}
