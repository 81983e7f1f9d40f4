import Autodiff
import Foundation
import TensorFiles
import TestSupport
import Testing

/// A part that is a tree and remembers more than its tensors.
private struct Averages: TensorTree, Checkpointable, Sendable {
  var count = 0
  var averages: [Tensor] = []

  mutating func visitTensors(_ visitor: inout TensorVisitor) { visitor.visit(&averages, "t") }

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&count, "count")
    visitor.visit(growing: &averages, "tensors")
    visitor.require(count >= 0, "a count cannot be negative")
  }
}

private struct Fold: Checkpointable {
  var best = 0.0

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) { visitor.visit(&best, "best") }
}

private struct Run: Checkpointable {
  var model = ["w": Tensor([1, 2] as [Float]), "b": Tensor(mask: [true, false])]
  var temperature = Tensor(0.5)
  var averages = Averages()
  var folds = [Fold(), Fold()]
  var generator = PhiloxGenerator(seed: 1)
  var step = 0
  var key: UInt64 = 0
  var best = 0.0
  var isDone = false
  var note = ""
  var losses: [Double] = []

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) {
    visitor.visit(&model, "model")
    visitor.visit(&temperature, "temperature")
    visitor.visit(&averages, "averages")
    visitor.visit(&folds, "folds")
    visitor.visit(&generator, "generator")
    visitor.visit(&step, "step")
    visitor.visit(&key, "key")
    visitor.visit(&best, "best")
    visitor.visit(&isDone, "isDone")
    visitor.visit(&note, "note")
    visitor.visit(&losses, "losses")
  }

  /// A state in which no part is what a new run has.
  static func advanced() -> Run {
    var run = Run()
    run.model["w"] = Tensor([Float(bitPattern: 0xFFA0_0001), -0.0])
    run.model["b"] = Tensor(mask: [false, true])
    run.temperature = Tensor(Double(bitPattern: 0x7FF0_0000_0000_0001))
    run.averages = Averages(count: 3, averages: [Tensor([1, 2]), .zeros([2, 0], .int32)])
    run.folds[1].best = -0.0
    run.generator = run.generator.split(key: 9)
    run.generator.skip(ahead: 12345)
    (run.step, run.key) = (.min, .max)
    run.best = Double(bitPattern: 0xFFF8_0000_0000_0007)
    run.isDone = true
    run.note = "é \"quoted\"\n\u{0} Int 3"
    run.losses = [0.1, -0.0, .infinity, Double(bitPattern: 0x7FF8_0000_0000_0003)]
    return run
  }
}

private struct Other: Checkpointable {
  var step = 0

  mutating func visitCheckpoint(_ visitor: inout CheckpointVisitor) { visitor.visit(&step, "step") }
}

@Suite("Checkpoints") struct CheckpointTests {
  @Test("Every part comes back bit for bit") func everyPartComesBackBitForBit() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/run"
      let written = Run.advanced()
      try written.writeCheckpoint(to: path)
      var read = Run()
      try read.readCheckpoint(from: path)
      for (a, b) in zip(written.model.tensors, read.model.tensors) {
        #expect(a.isBitwiseEqual(to: b))
      }
      #expect(read.temperature.isBitwiseEqual(to: written.temperature))
      #expect(read.averages.count == 3)
      #expect(read.averages.averages.count == 2)
      for (a, b) in zip(written.averages.averages, read.averages.averages) {
        #expect(a.isBitwiseEqual(to: b))
      }
      #expect(read.folds.map(\.best.bitPattern) == written.folds.map(\.best.bitPattern))
      #expect(read.step == .min && read.key == .max && read.isDone && read.note == written.note)
      #expect(read.best.bitPattern == written.best.bitPattern)
      #expect(read.losses.map(\.bitPattern) == written.losses.map(\.bitPattern))
      var (a, b) = (written.generator, read.generator)
      for _ in 0..<5 { #expect(a.next() == b.next()) }

      // The same state gives the same bytes, and nothing but the file is left.
      let first = try bytes(ofFile: path)
      try read.writeCheckpoint(to: path)
      #expect(try bytes(ofFile: path) == first)
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["run"])
    }
  }

  @Test("Parts have the names of their places") func partsHaveTheNamesOfTheirPlaces() throws {
    try withTemporaryDirectory { directory in
      try Run.advanced().writeCheckpoint(to: "\(directory)/run")
      let file = try SafeTensorsFile(contentsOfFile: "\(directory)/run")
      #expect(
        file.names.sorted() == [
          "averages/tensors/0", "averages/tensors/1", "losses", "model/b", "model/w", "temperature",
        ])
      #expect(file.metadata["value:folds/1/best"] == "Double 8000000000000000")
      #expect(file.metadata["value:step"] == "Int -9223372036854775808")
    }
  }

  @Test("A state that grew can shrink again") func aStateThatGrewCanShrinkAgain() throws {
    try withTemporaryDirectory { directory in
      try Run().writeCheckpoint(to: "\(directory)/run")
      var run = Run.advanced()
      try run.readCheckpoint(from: "\(directory)/run")
      #expect(run.averages.averages.isEmpty && run.losses.isEmpty && run.note.isEmpty)
    }
  }

  private func message(_ run: inout some Checkpointable, _ path: String) -> String {
    do {
      try run.readCheckpoint(from: path)
      return "no error"
    } catch {
      return "\(error)".replacing(path, with: "x")
    }
  }

  @Test("Other files are refused") func otherFilesAreRefused() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/run"
      var run = Run.advanced()
      #expect(message(&run, path) == "x: cannot be read: no such file or directory")
      try Tensor(1).writeSafeTensors(to: path)
      #expect(message(&run, path).hasPrefix("x: the file is no checkpoint"))
      #expect(
        message(&run, fixture("python.safetensors")).hasPrefix("x: the file is no checkpoint"))
      try Other().writeCheckpoint(to: path)
      #expect(
        message(&run, path)
          == "x: a checkpoint of \"Other\", but of \"Run\" was expected; choose the file of this "
          + "program")
      try SafeTensorsFile.write(
        [], allMetadata: ["adjoint.checkpoint": "2", "adjoint.checkpoint.type": "Run"], to: path)
      #expect(
        message(&run, path)
          == "x: version \"2\" of checkpoints, but 1 was expected; continue with the program that "
          + "wrote it")
      #expect(throws: FileError.self) { try run.writeCheckpoint(to: "/no/x") }
      #expect(run.note == Run.advanced().note)
    }
  }

  @Test("Another structure is refused and the run left alone")
  func anotherStructureIsRefusedAndTheRunLeftAlone() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/run"
      var written = Run.advanced()
      written.model = ["w": Tensor([1, 2, 3] as [Float]), "c": Tensor(1)]
      written.folds.append(Fold())
      written.averages.count = -1
      try written.writeCheckpoint(to: path)
      var run = Run()
      let found = message(&run, path)
      for part in [
        "of another configuration or version of the program",
        "Missing in the file: \"model/b\"", "Only in the file: \"model/c\"",
        "\"model/w\" is [3] float32, but [2] float32 was expected",
        "\"folds\" has 3 parts, but 2 were expected",
        "\"averages\": a count cannot be negative",
      ] { #expect(found.contains(part), "\(part): \(found)") }
      #expect(run.step == 0 && run.losses.isEmpty && run.averages.count == 0 && run.key == 0)
    }
  }

  @Test("Every truncation and every flipped byte is refused")
  func everyTruncationAndEveryFlippedByteIsRefused() throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/run"
      try Run.advanced().writeCheckpoint(to: path)
      let whole = try bytes(ofFile: path)
      // In memory, because a file for each of these bytes takes its time.
      var run = Run()
      func isRefused(_ bytes: [UInt8]) -> Bool {
        do {
          try run.readCheckpoint(SafeTensorsFile(parsing: bytes))
          return false
        } catch {
          return true
        }
      }
      #expect(!isRefused(whole))
      run = Run()
      for count in whole.indices { #expect(isRefused(Array(whole.prefix(count))), "\(count)") }
      var generator = SplitMix64(seed: 6)
      for index in whole.indices {
        for _ in 0..<4 {
          var damaged = whole
          damaged[index] ^= UInt8.random(in: 1...255, using: &generator)
          #expect(isRefused(damaged), "\(index): \(damaged[index])")
        }
      }
      #expect(run.step == 0)
    }
  }
}
