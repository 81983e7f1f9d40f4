import HyperparameterProblems

/// What a report says of the data beside their sizes.
struct DataSummary: Encodable {
  /// The column with the labels; nil where columns have no names.
  let label: String?
  /// The names of the classes -1 and 1; nil for numbers.
  let classes: [String]?
  let droppedRows: [DroppedRows]

  init(_ split: DataSplit) {
    let notes = split.training.notes
    label = notes.labelName
    classes = notes.classNames
    let both = [notes.dropped, split.validation.notes.dropped].compactMap { $0 }
    // Two parts of one file have the same note.
    droppedRows = both.count == 2 && both[0] == both[1] ? [both[0]] : both
  }

  /// The label for a line of facts, after a comma; empty if there is nothing to say.
  var labelText: String {
    let mapping = classes.map { "\($0[0]) = -1, \($0[1]) = 1" }
    // The numbers -1 and 1 say nothing new.
    let shown = classes == ["-1", "1"] ? nil : mapping
    switch (label, shown) {
    case (let label?, let shown?): return ", label: \(label) (\(shown))"
    case (let label?, nil): return ", label: \(label)"
    case (nil, let shown?): return ", label: \(shown)"
    case (nil, nil): return ""
    }
  }

  /// A line to each file that lost rows; empty if none did.
  var droppedText: String {
    droppedRows.map { "  \($0)" }.joined(separator: "\n")
  }
}
