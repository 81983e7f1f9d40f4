import Autodiff
import ExampleSupport
import InferenceDesigns
import TensorFiles

/// The kernel baseline along its penalty, beside methods without one.
struct PathReport: Report {
  /// The baseline at one λ.
  struct Level: Encodable {
    let ridge: Double
    let total: PathError
    /// The norm of what the baseline is off with any amount of data, of the gradient and of the root.
    let exactBias: Double?
    let exactRootBias: Double?
    /// The root mean square of the gradient less its limit at this λ.
    let estimation: Double?
  }

  /// Root mean squares of norms of errors.
  struct PathError: Encodable {
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
    (self.specification, self.size) = (specification, size)
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
        ridge: ridge, total: PathError(records), exactBias: bias?.norm,
        exactRootBias: root.map { ($0 - design.stationaryPoint).scalars.norm },
        estimation: bias.map { bias in
          ErrorTable(records.map { zip($0.errors, bias).map { $0 - $1 } }).rootMeanSquare
        })
    }
    obigrad = PathError(rows.map(\.obigrad))
    plugin = PathError(rows.map(\.plugin))
    oracle = PathError(rows.map(\.oracle))
  }
}

extension PathReport {
  /// A row of the tables: the baseline at a λ, or another method.
  private struct Row {
    let name: String
    var level: Level?
    let error: PathError
  }

  private var rows: [Row] {
    levels.map { Row(name: "KBO", level: $0, error: $0.total) }
      + [("OBiGrad", obigrad), ("plug-in", plugin), ("oracle", oracle)].map {
        Row(name: $0, error: $1)
      }
  }

  private var columns: [Column<Row>] {
    func ofLevel(
      _ title: String, _ csv: String, _ value: @escaping (Level) -> Double?
    ) -> Column<Row> {
      .init(title, csv: csv, .fixed(4), missing: "") { $0.level.flatMap(value) }
    }
    return [
      .init("λ") { row in row.level.map { "KBO, λ = \(Numbers.short($0.ridge))" } ?? row.name },
      .init(nil, csv: "method") { $0.name.lowercased() },
      .init(nil, csv: "lambda") { $0.level?.ridge },
      .init("RMSE (MC se)") {
        "\(Numbers.fixed($0.error.rootMeanSquare, decimals: 4)) "
          + "(\(Numbers.fixed($0.error.rootMeanSquareError, decimals: 4)))"
      },
      .init(nil, csv: "rmse") { $0.error.rootMeanSquare },
      .init(nil, csv: "rmse_se") { $0.error.rootMeanSquareError },
      ofLevel("exact bias", "exact_bias", \.exactBias),
      ofLevel("estimation", "estimation", \.estimation),
      .init("root RMSE", csv: "root_rmse", .fixed(4)) { $0.error.root },
      ofLevel("exact root bias", "exact_root_bias", \.exactRootBias),
    ]
  }

  /// The text for the terminal.
  var text: String {
    """
    The kernel baseline along its penalty: \(specification.design.summary)
      Samples     \(Numbers.count(size)) inner and \(Numbers.count(size)) outer rows, \
    \(replications) replications
      Repeat with \(Repetition.text(seed: specification.seed))
      KBO         Gaussian kernel, length scale \(Numbers.short(specification.lengthScale))
      OBiGrad     \(specification.design.defaults.learner), fitted on inner rows

    \(rows.table(columns, omitsEmpty: true))

    \(wrapped(
      "Norms of errors of the gradient at one ω and of its root. 'exact bias' is the distance of "
        + "KBO's limit from the truth at this λ, whatever the amount of data; 'estimation' the "
        + "error around that limit.", width: 100))
    """
  }

  var csv: CSVWriter { rows.csv(columns) }

  /// Errors against λ.
  var figure: SVGFigure {
    func line(
      _ label: String, _ color: String, isDashed: Bool = false, _ value: (Level) -> Double?
    ) -> SVGMark {
      .line(
        levels.compactMap { level in value(level).map { SVGPoint(level.ridge, $0) } },
        label: label, color: color, isDashed: isDashed)
    }
    var marks = [
      line("KBO", SVGColor.vermilion, \.total.rootMeanSquare),
      line("OBiGrad", SVGColor.blue) { _ in obigrad.rootMeanSquare },
      line("oracle", SVGColor.black, isDashed: true) { _ in oracle.rootMeanSquare },
    ]
    if levels.contains(where: { $0.exactBias != nil }) {
      marks += [
        line("KBO's exact bias", SVGColor.green, isDashed: true, \.exactBias),
        line("KBO's estimation error", SVGColor.orange, \.estimation),
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
