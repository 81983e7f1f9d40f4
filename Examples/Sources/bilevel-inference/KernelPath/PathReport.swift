import Autodiff
import ExampleSupport
import InferenceDesigns

/// The kernel baseline along its penalty, beside methods without one.
struct PathReport: Encodable, Sendable {
  /// The baseline at one λ.
  struct Level: Encodable, Sendable {
    let ridge: Double
    let total: PathError
    /// The norm of what the baseline is off with any amount of data, of the gradient and of the root.
    let exactBias: Double?
    let exactRootBias: Double?
    /// The root mean square of the gradient less its limit at this λ.
    let estimation: Double?
  }

  /// Root mean squares of norms of errors.
  struct PathError: Encodable, Sendable {
    let rootMeanSquare: Double
    let rootMeanSquareError: Double
    let root: Double?

    init(_ records: [PathRecord]) {
      let table = ErrorTable(records.map(\.errors))
      (rootMeanSquare, rootMeanSquareError) = (table.rootMeanSquare, table.rootMeanSquareError)
      let roots = records.compactMap(\.rootErrors)
      root = roots.isEmpty ? nil : ErrorTable(roots).rootMeanSquare
    }
  }

  let specification: PathSpecification
  /// The library of linear algebra and its threads, on which the rounding depends.
  let linearAlgebra = Repetition.linearAlgebra
  let size: Int
  let replications: Int
  let levels: [Level]
  let obigrad: PathError
  let plugin: PathError
  let oracle: PathError

  init(_ specification: PathSpecification, _ rows: [PathReplication], size: Int) throws {
    self.specification = specification
    self.size = size
    replications = rows.count
    let design = specification.design.design
    let limit = try specification.design.limit(lengthScale: specification.lengthScale)
    let point = design.evaluationPoint
    levels = specification.ridges.enumerated().map { position, ridge in
      let records = rows.map { $0.path[position] }
      let bias = limit.map {
        ($0.gradient(at: point, ridge: ridge) - design.gradient(at: point)).scalars
      }
      let root = limit.flatMap { limit in
        records.contains { $0.rootErrors != nil } ? try? limit.root(ridge: ridge) : nil
      }
      return Level(
        ridge: ridge, total: PathError(records), exactBias: bias.map(Self.norm),
        exactRootBias: root.map { Self.norm(($0 - design.stationaryPoint).scalars) },
        estimation: bias.map { bias in
          ErrorTable(records.map { zip($0.errors, bias).map { $0 - $1 } }).rootMeanSquare
        })
    }
    obigrad = PathError(rows.map(\.obigrad))
    plugin = PathError(rows.map(\.plugin))
    oracle = PathError(rows.map(\.oracle))
  }

  private static func norm(_ values: [Double]) -> Double {
    values.reduce(0) { $0 + $1 * $1 }.squareRoot()
  }
}

extension PathReport {
  /// The text for the terminal.
  var text: String {
    let header = ["λ", "RMSE (MC se)", "exact bias", "estimation", "root RMSE", "exact root bias"]
    var rows: [[String]] = []
    func number(_ value: Double?) -> String {
      value.map { Numbers.fixed($0, decimals: 4) } ?? "—"
    }
    func shown(_ error: PathError) -> String {
      "\(number(error.rootMeanSquare)) (\(number(error.rootMeanSquareError)))"
    }
    for level in levels {
      rows.append([
        "KBO, λ = \(Numbers.short(level.ridge))", shown(level.total), number(level.exactBias),
        number(level.estimation), number(level.total.root), number(level.exactRootBias),
      ])
    }
    for (name, error) in others {
      rows.append([name, shown(error), "", "", number(error.root), ""])
    }
    let columns = header.indices.filter { column in
      rows.contains { !["", "—"].contains($0[column]) }
    }
    var table = TextTable(header: columns.map { header[$0] })
    for row in rows { table.append(columns.map { row[$0] }) }
    return """
      The kernel baseline along its penalty: \(specification.design.summary)
        Samples     \(Numbers.count(size)) inner and \(Numbers.count(size)) outer rows, \
      \(replications) replications
        Repeat with \(Repetition.text(seed: specification.seed))
        KBO         Gaussian kernel, length scale \(Numbers.short(specification.lengthScale))
        OBiGrad     \(specification.design.learner), fitted on inner rows

      \(table.text())

      \(wrapped(
        "Norms of errors of the gradient at one ω and of its root. 'exact bias' is the distance of "
          + "KBO's limit from the truth at this λ, whatever the amount of data; 'estimation' the "
          + "error around that limit.", width: 100))
      """
  }

  /// The table as a file.
  var csv: String {
    func number(_ value: Double?) -> String { value.map { Numbers.short($0) } ?? "" }
    let lines =
      levels.map {
        [
          "kbo", number($0.ridge), number($0.total.rootMeanSquare),
          number($0.total.rootMeanSquareError), number($0.exactBias), number($0.estimation),
          number($0.total.root), number($0.exactRootBias),
        ]
      }
      + others.map { name, error in
        [
          name.lowercased(), "", number(error.rootMeanSquare), number(error.rootMeanSquareError),
          "", "", number(error.root), "",
        ]
      }
    let header = "method,lambda,rmse,rmse_se,exact_bias,estimation,root_rmse,exact_root_bias"
    return ([header] + lines.map { $0.joined(separator: ",") }).joined(separator: "\n") + "\n"
  }

  private var others: [(String, PathError)] {
    [("OBiGrad", obigrad), ("plug-in", plugin), ("oracle", oracle)]
  }

  /// Errors against λ.
  var figure: SVGFigure {
    func line(_ value: (Level) -> Double?) -> [SVGPoint] {
      levels.compactMap { level in value(level).map { SVGPoint(level.ridge, $0) } }
    }
    func level(_ error: PathError) -> [SVGPoint] {
      levels.map { SVGPoint($0.ridge, error.rootMeanSquare) }
    }
    var marks: [SVGMark] = [
      .line(line(\.total.rootMeanSquare), label: "KBO", color: SVGColor.vermilion),
      .line(level(obigrad), label: "OBiGrad", color: SVGColor.blue),
      .line(level(oracle), label: "oracle", color: SVGColor.black, isDashed: true),
    ]
    if levels.contains(where: { $0.exactBias != nil }) {
      marks += [
        .line(
          line(\.exactBias), label: "KBO's exact bias", color: SVGColor.green, isDashed: true),
        .line(line(\.estimation), label: "KBO's estimation error", color: SVGColor.orange),
      ]
    }
    return SVGFigure(
      title: "The kernel baseline along its penalty",
      subtitle:
        "\(specification.design.summary); n = \(size) + \(size), \(replications) replications",
      panels: [
        SVGPanel(
          xAxis: SVGAxis("λ", scale: .logarithmic),
          yAxis: SVGAxis("RMSE of the gradient", scale: .logarithmic), marks: marks,
          plotWidth: 560, plotHeight: 380)
      ])
  }
}
