import Autodiff
import Foundation
import Neural

/// A training for tests to kill: `TrainingProgram <checkpoint> <result>`.
///
/// It resumes where there is a checkpoint and writes one after every step. Before each step it waits
/// for a byte of input, after each step it writes a byte. In the end it writes the bits of everything
/// that training has made.
@main
enum TrainingProgram {
  static let epochCount = 16

  static func main() throws {
    let paths = CommandLine.arguments.dropFirst()
    guard let checkpoint = paths.first, let result = paths.dropFirst().first else {
      FileHandle.standardError.write(Data("usage: TrainingProgram <checkpoint> <result>\n".utf8))
      exit(64)
    }
    var training = Self.training()
    training.checkpoints = Checkpoints(at: checkpoint, every: .steps(1))
    try training.resume()
    while training.epochs.count < epochCount {
      _ = try FileHandle.standardInput.read(upToCount: 1)
      try training.step()
      try FileHandle.standardOutput.write(contentsOf: Data([UInt8(ascii: ".")]))
    }
    try Data(report(training).utf8).write(to: URL(filePath: result))
  }

  /// Dropout, running statistics, shuffled batches, Adam, clipping, a schedule and validation.
  static func training() -> Training<Sequential, [Tensor]> {
    var generator = PhiloxGenerator(seed: 12)
    let x = Tensor.normal([50, 3], using: &generator)
    let y = sin(x.sum(alongAxis: 1, keepingDimension: true))
    let network = Sequential {
      Dense(inputSize: 3, outputSize: 16, using: &generator)
      BatchNorm(featureCount: 16)
      Activation.relu
      Dropout(probability: 0.3)
      Dense(inputSize: 16, outputSize: 1, using: &generator)
    }
    var training = Training(
      network, optimizer: Adam(learningRate: 0.01), rows: [x, y], batchSize: 12, seed: 7
    ) { network, batch, pass in meanSquaredError(network(batch[0], &pass), batch[1]) }
    training.validate(on: [x + 0.1, y]) { network, batch in
      meanSquaredError(network(batch[0]), batch[1])
    }
    training.schedule = .warmUp(over: 8, then: .cosine(over: 72, minimum: 0.1))
    training.gradientNormLimit = 0.5
    return training
  }

  /// Bits as hexadecimal numbers, a tensor or an epoch to a line.
  static func report(_ training: Training<Sequential, [Tensor]>) -> String {
    let best = training.bestModel
    let tensors =
      training.model.tensors + training.model.state.tensors + best.tensors + best.state.tensors
    let epochs = training.epochs.map { [$0.loss, $0.validationLoss ?? 0, $0.learningRate] }
    let lines = (tensors.map(\.scalars) + epochs).map { numbers in
      numbers.map { String($0.bitPattern, radix: 16) }.joined(separator: " ")
    }
    return lines.joined(separator: "\n") + "\n\(training.stepCount) \(training.bestEpoch ?? 0)\n"
  }
}
