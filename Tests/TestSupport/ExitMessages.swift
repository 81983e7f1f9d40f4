import Testing

/// What a stopped process wrote.
package func errorText(_ result: ExitTest.Result?) -> String {
  String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
}

/// Expects that what a stopped process wrote contains every part.
package func expectMessage(
  _ result: ExitTest.Result?, _ parts: String..., fileID: String = #fileID,
  filePath: String = #filePath, line: Int = #line, column: Int = #column
) {
  let text = errorText(result)
  for part in parts where !text.contains(part) {
    Issue.record(
      "“\(part)” is not in: \(text)",
      sourceLocation: SourceLocation(
        fileID: fileID, filePath: filePath, line: line, column: column))
  }
}
