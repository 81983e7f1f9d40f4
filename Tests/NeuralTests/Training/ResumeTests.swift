import Autodiff
import Foundation
import Neural
import TensorFiles
import TestSupport
import Testing

@Suite("Resumed training")
final class ResumeTests {
  private let directory = FileManager.default.temporaryDirectory.appending(
    path: UUID().uuidString)
  private var path: String { directory.appending(path: "run").path }

  init() throws {
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  private static let x = Tensor((0..<66).map { Double($0 * 37 % 66) / 33 - 1 }, shape: [22, 3])

  /// Dropout, running statistics, power iterations, shuffled batches of 5 + 5 + 5 + 5 + 2, clipping,
  /// a schedule and validation; a checkpoint must replace what the seeds determine.
  private static func training(
    parameterSeed: UInt64 = 1, seed: UInt64 = 2,
    optimizer: any Optimizer & Checkpointable = Adam(learningRate: 0.02),
    rowCount: Int = 22, batchSize: Int = 5, width: Int = 8
  ) -> Training<Sequential, [Tensor]> {
    var generator = PhiloxGenerator(seed: parameterSeed)
    let network = Sequential {
      SpectralNormalization(
        Dense(inputSize: 3, outputSize: width, using: &generator), using: &generator)
      BatchNorm(featureCount: width)
      Activation.relu
      Dropout(probability: 0.4)
      Dense(inputSize: width, outputSize: 1, using: &generator)
    }
    let rows = x.slice(0..<rowCount, alongAxis: 0)
    let y = tanh(2 * rows.sum(alongAxis: 1, keepingDimension: true))
    var training = Training(
      network, optimizer: optimizer, rows: [rows, y], batchSize: batchSize, seed: seed
    ) { network, batch, pass in meanSquaredError(network(batch[0], &pass), batch[1]) }
    training.validate(on: [rows + 0.1, y]) { network, batch in
      meanSquaredError(network(batch[0]), batch[1])
    }
    training.schedule = .warmUp(over: 4, then: .cosine(over: 30))
    training.gradientNormLimit = 0.3
    return training
  }

  private func expectSame(
    _ a: Training<Sequential, [Tensor]>, _ b: Training<Sequential, [Tensor]>,
    sourceLocation: SourceLocation = #_sourceLocation
  ) {
    expectEqual(a.model, b.model, sourceLocation: sourceLocation)
    expectEqual(a.model.state, b.model.state, sourceLocation: sourceLocation)
    expectEqual(a.bestModel, b.bestModel, sourceLocation: sourceLocation)
    expectEqual(a.bestModel.state, b.bestModel.state, sourceLocation: sourceLocation)
    #expect(a.epochs == b.epochs, sourceLocation: sourceLocation)
    #expect(a.bestEpoch == b.bestEpoch, sourceLocation: sourceLocation)
    #expect(a.stepCount == b.stepCount, sourceLocation: sourceLocation)
  }

  @Test(
    "A run resumed after any step ends in the bits of the uninterrupted one",
    arguments: [0, 1, 3, 5, 7, 14, 15, 19, 20])
  func cuts(_ cut: Int) throws {
    var whole = Self.training()
    var interrupted = whole
    try whole.run(upTo: 4)
    #expect(whole.stepCount == 20)
    for _ in 0..<cut { try interrupted.step() }
    try interrupted.writeCheckpoint(to: path)
    // The optimiser's numbers are part of the checkpoint, too.
    var resumed = Self.training(parameterSeed: 3, seed: 4, optimizer: Adam(learningRate: 9))
    try resumed.readCheckpoint(from: path)
    expectSame(resumed, interrupted)
    try resumed.run(upTo: 4)
    expectSame(resumed, whole)
  }

  @Test("Every optimiser resumes")
  func optimizers() throws {
    let optimizers: [any Optimizer & Checkpointable] = [
      SGD(learningRate: 0.05, momentum: 0.9, isNesterov: true),
      Adam(learningRate: 0.02, weightDecay: 1e-2, isDecayDecoupled: true),
    ]
    for optimizer in optimizers {
      var whole = Self.training(optimizer: optimizer)
      for _ in 0..<6 { try whole.step() }
      try whole.writeCheckpoint(to: path)
      for _ in 0..<8 { try whole.step() }
      var resumed = Self.training(optimizer: optimizer)
      try resumed.readCheckpoint(from: path)
      for _ in 0..<8 { try resumed.step() }
      expectSame(resumed, whole)
    }
  }

  @Test("Checkpoints are written at their intervals and at the end")
  func intervals() throws {
    func stepOfFile() throws -> Int? {
      var reader = Self.training()
      reader.checkpoints = Checkpoints(at: path, every: .steps(1))
      return try reader.resume() ? reader.stepCount : nil
    }
    var training = Self.training()
    training.checkpoints = Checkpoints(at: path, every: .steps(3))
    #expect(try stepOfFile() == nil)
    let expected = [nil, nil, 3, 3, 3, 6, 6]
    for step in expected {
      try training.step()
      #expect(try stepOfFile() == step)
    }
    training.checkpoints = Checkpoints(at: path, every: .epochs(2))
    for _ in 7..<10 { try training.step() }
    #expect(try stepOfFile() == 10)
    try training.epoch()
    #expect(try stepOfFile() == 10)
    try training.run(upTo: 3)
    #expect(try stepOfFile() == 15)
  }

  @Test("Early stopping goes on counting")
  func earlyStopping() throws {
    func counting() -> Training<Number, Tensor> {
      var training = Number.training(rows: [1, 1], batchSize: 1, rate: 0.5)
      training.validate(on: Tensor([5])) { model, batch in square(model.w + batch).mean() }
      training.earlyStopping = EarlyStopping(patience: 3)
      return training
    }
    var training = counting()
    try training.run(upTo: 7)
    try training.step()
    try training.writeCheckpoint(to: path)
    var resumed = counting()
    try resumed.readCheckpoint(from: path)
    try resumed.run(upTo: 100)
    #expect(resumed.epochs.count == 8)
    #expect(resumed.bestEpoch == 5)
    #expect(resumed.bestModel.value == -5)
  }

  @Test("A damaged checkpoint is refused and changes nothing")
  func damage() throws {
    var training = Self.training()
    try training.run(upTo: 1)
    try training.writeCheckpoint(to: path)
    let bytes = [UInt8](try Data(contentsOf: URL(filePath: path)))
    var reader = Self.training(parameterSeed: 5)
    try reader.step()
    let before = reader
    for fraction in 0..<20 {
      let position = bytes.count * fraction / 20
      try Data(bytes[..<position]).write(to: URL(filePath: path))
      #expect(throws: (any Error).self, "cut at \(position)") {
        try reader.readCheckpoint(from: self.path)
      }
      var flipped = bytes
      flipped[position] ^= 1 << UInt8(fraction % 8)
      try Data(flipped).write(to: URL(filePath: path))
      #expect(throws: (any Error).self, "bit flipped at \(position)") {
        try reader.readCheckpoint(from: self.path)
      }
    }
    expectSame(reader, before)
    try Data(bytes).write(to: URL(filePath: path))
    try reader.readCheckpoint(from: path)
    expectSame(reader, training)
  }

  @Test("A checkpoint of another problem is refused, says what differs, and changes nothing")
  func otherProblem() throws {
    var training = Self.training()
    try training.step()
    try training.writeCheckpoint(to: path)
    func refusal(of training: Training<Sequential, [Tensor]>) -> String {
      var reader = training
      var message = ""
      do {
        try reader.readCheckpoint(from: path)
        Issue.record("not refused")
      } catch {
        message = "\(error)"
      }
      expectSame(reader, training)
      return message
    }
    #expect(
      refusal(of: Self.training(rowCount: 20)).contains("22 rows, but 20 were expected"))
    #expect(
      refusal(of: Self.training(batchSize: 11)).contains("batches of 5, but of 11 were expected"))
    #expect(
      refusal(of: Self.training(optimizer: Adam(weightDecay: 1e-2, isDecayDecoupled: true)))
        .contains("Adam, but AdamW was expected"))
    #expect(refusal(of: Self.training(width: 4)).contains("model/parameters/0.weight"))
  }

  @Test("A checkpoint that cannot be written is reported, and the step has been taken")
  func unwritable() throws {
    var training = Self.training()
    training.checkpoints = Checkpoints(
      at: directory.appending(path: "missing/run").path, every: .steps(1))
    do throws(TrainingFailure) {
      try training.step()
      Issue.record("the step did not throw")
    } catch {
      guard case .checkpoint(let cause) = error, cause.kind == .unwritable else {
        Issue.record("found \(error)")
        return
      }
      #expect("\(error)".contains("missing/run"))
    }
    #expect(training.stepCount == 1)
    #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path).isEmpty)
  }

  @Test("Refuses an interval of 0 and resuming without a file")
  func refusals() async {
    let interval = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      _ = Checkpoints(at: "x", every: .steps(0))
    }
    expectMessage(interval, "Checkpoints: expected an interval above 0, found steps(0)")
    let plan = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
      var training = Number.training(rows: [1], batchSize: 1)
      try training.resume()
    }
    expectMessage(plan, "Training: resume() reads the file of checkpoints: set that before")
  }
}
