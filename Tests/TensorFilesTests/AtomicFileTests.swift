import Foundation
import TensorFiles
import TestSupport
import Testing

@Suite("Files in one piece") struct AtomicFileTests {
  @Test(
    "a file is the old one until it is committed, and nothing else remains",
    arguments: [true, false])
  func appearsInOnePiece(usesNamelessFiles: Bool) throws {
    try withTemporaryDirectory { directory in
      let path = "\(directory)/x"
      try AtomicFile.write([[1]], to: path)
      do {
        let abandoned = try AtomicFile(replacing: path, usesNamelessFiles: usesNamelessFiles)
        try abandoned.write([2, 2])
        #expect(try bytes(ofFile: path) == [1])
      }
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x"])
      let file = try AtomicFile(replacing: path, usesNamelessFiles: usesNamelessFiles)
      try file.write([3])
      try file.write([4, 5])
      try file.commit()
      #expect(try bytes(ofFile: path) == [3, 4, 5])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x"])
    }
  }

  @Test("what a killed program left is taken over by the next writing of the same file")
  func takesOverLeftovers() throws {
    try withTemporaryDirectory { directory in
      try Data([9, 9, 9]).write(to: URL(fileURLWithPath: "\(directory)/.x.tmp"))
      let file = try AtomicFile(replacing: "\(directory)/x", usesNamelessFiles: false)
      try file.write([1])
      try file.commit()
      #expect(try bytes(ofFile: "\(directory)/x") == [1])
      #expect(try FileManager.default.contentsOfDirectory(atPath: directory) == ["x"])
    }
  }

  @Test("the reason is the system's: no directory, a file in the way, a directory of the name")
  func namesTheReason() throws {
    func reason(_ path: String) -> String? {
      #expect(throws: FileError.self) { try AtomicFile.write([[1]], to: path) }?.detail
    }
    #expect(reason("/no/x") == "the directory it should be in does not exist")
    #expect(reason("/dev/null/x") == "a part of its path is a file, not a directory")
    #expect(reason("/") == "it is a directory")
    #expect(FileError.reason(ofCode: EROFS) == "the disk is read-only")
    #expect(FileError.reason(ofCode: EACCES) == "permission denied")
  }

  #if os(Linux)
    @Test("a device is written directly, and its error is told")
    func devices() throws {
      try AtomicFile.write([[1, 2, 3]], to: "/dev/null")
      #expect(throws: FileError(.unwritable, "/dev/full", "the disk is full")) {
        try AtomicFile.write([[1, 2, 3]], to: "/dev/full")
      }
      #expect(FileManager.default.fileExists(atPath: "/dev/full"))
    }
  #endif
}
