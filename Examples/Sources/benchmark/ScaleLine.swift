import ArgumentParser
import ExampleSupport
import Foundation

/// A line that is wanted.
struct ScaleRequest: Codable {
  enum Layer: String, Codable {
    case aid = "AID"
    case unrolled = "ITD"
    case checkpointed = "ITD, checkpointed"
    case solved = "AID, L-BFGS to 1e-4"
  }

  let layer: Layer
  let rows: Int
  let features: Int
  let innerSteps: Int

  /// The line, measured by this program run again.
  func measuredInOwnProcess() throws -> ScaleLine {
    let process = Process()
    process.executableURL = Bundle.main.executableURL
    let text = String(decoding: try JSONEncoder().encode(self), as: UTF8.self)
    process.arguments = ["scale", "--line", text]
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let data = output.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw ValidationError(
        "\(layer.rawValue) with \(rows) rows and \(features) features ended with status "
          + "\(process.terminationStatus); is there enough memory? The data take "
          + "\(rows * features / 250_000) MB")
    }
    return try JSONDecoder().decode(ScaleLine.self, from: data)
  }
}

/// One line of the table.
struct ScaleLine: Codable {
  let layer: String
  let rows: Int
  let features: Int
  let innerSteps: Int
  let seconds: Double
  let memoryMiB: Double?
  let innerResidual: Double
  let adjointResidual: Double?

  var cells: [String] {
    [
      layer, "\(rows)", "\(features)", "\(innerSteps)", Numbers.significant(seconds, digits: 3),
      memoryMiB.map { Numbers.significant($0, digits: 3) } ?? "?",
      Numbers.significant(innerResidual, digits: 2),
      adjointResidual.map { Numbers.significant($0, digits: 2) } ?? "",
    ]
  }
}
