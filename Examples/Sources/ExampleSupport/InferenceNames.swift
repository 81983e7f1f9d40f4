// Numbers and tables of text are those of the library's summaries.
@_exported import Inference
