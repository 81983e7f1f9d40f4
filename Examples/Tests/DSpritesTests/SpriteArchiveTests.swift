import Autodiff
import DSprites
import Foundation
import TensorFiles
import Testing

/// Archives of the published layout with the first few scales, orientations and positions.
@Suite("The archive of sprites") struct SpriteArchiveTests {
  private let layout = SpriteLayout(scaleCount: 2, orientationCount: 3, positionCount: 4)

  /// What the archive of a layout holds; tests damage it.
  private struct Members {
    var imageNames = "imgs"
    var pixels: [UInt8]
    var pixelShape: [Int]
    var classes: Tensor
    var values: Tensor

    init(_ layout: SpriteLayout) {
      let latents = (0..<layout.imageCount).map { layout.latents(at: $0) }
      let images = SpriteRenderer().images(of: latents)
      pixels = latents.indices.flatMap { images.pixels($0) }
      pixelShape = [layout.imageCount, 64, 64]
      classes = Tensor(
        indices: latents.flatMap {
          [0, $0.shape.rawValue, $0.scaleIndex, $0.orientationIndex, $0.xIndex, $0.yIndex]
        }, shape: [layout.imageCount, 6])
      values = Tensor(
        latents.flatMap {
          [1, Double($0.shape.rawValue + 1), $0.scale, $0.orientation, $0.x, $0.y]
        }, shape: [layout.imageCount, 6])
    }
  }

  /// Writes an archive, hands its path over and removes it.
  private func withArchive(
    _ members: Members, compressed: Bool = true, _ body: (String) throws -> Void
  ) throws {
    let path = FileManager.default.temporaryDirectory
      .appending(path: "sprites-\(UUID().uuidString).npz").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    var writer = NPZWriter(isCompressed: compressed)
    writer.append(
      NPYArray(bytes: members.pixels, shape: members.pixelShape), named: members.imageNames)
    writer.append(members.classes, named: "latents_classes")
    writer.append(members.values, named: "latents_values")
    try writer.write(toFile: path)
    try body(path)
  }

  private func failure(_ members: Members) throws -> DSpritesError? {
    var failure: DSpritesError?
    try withArchive(members) { path in
      failure = #expect(throws: DSpritesError.self) {
        try SpriteArchive(contentsOfFile: path, shape: .heart, layout: layout)
      }
    }
    return failure
  }

  @Test("Holds the images of a shape", arguments: SpriteShape.allCases)
  func holdsTheImagesOfAShape(shape: SpriteShape) throws {
    var members = Members(layout)
    // One pixel that no renderer lights, so that images must come from the file.
    let first = shape.rawValue * layout.imagesPerShape
    let (image, pixel) = (first + 17, 63 * 64 + 61)
    members.pixels[image * 4096 + pixel] = 1
    for compressed in [true, false] {
      try withArchive(members, compressed: compressed) { path in
        let archive = try SpriteArchive(contentsOfFile: path, shape: shape, layout: layout)
        let indices = Array(first..<first + layout.imagesPerShape).reversed()
        let images = archive.images(of: indices.map { layout.latents(at: $0) })
        #expect(images.count == layout.imagesPerShape)
        for (position, index) in indices.enumerated() {
          let expected = Array(members.pixels[index * 4096..<(index + 1) * 4096])
          #expect(images.pixels(position) == expected, "image \(index)")
        }
      }
    }
  }

  /// A seed gives the same latents and noise, whatever the source of the images.
  @Test("Samples as the renderer does") func samplesAsTheRendererDoes() throws {
    // The small archive lacks most images of the design: its first image stands for each.
    struct FirstImage: SpriteSource {
      let archive: SpriteArchive
      func images(of latents: [SpriteLatents]) -> SpriteImages {
        archive.images(
          of: latents.map { _ in
            SpriteLatents(
              shape: .heart, scaleIndex: 0, orientationIndex: 0, xIndex: 0, yIndex: 0)
          })
      }
    }
    try withArchive(Members(layout)) { path in
      let archive = try SpriteArchive(contentsOfFile: path, shape: .heart, layout: layout)
      let design = DSpritesDesign()
      let drawn = design.trainingSample(count: 20, seed: 4, .float64)
      let read = design.trainingSample(
        count: 20, seed: 4, images: FirstImage(archive: archive), .float64)
      #expect(drawn.latents == read.latents)
      #expect(drawn.instruments.isBitwiseEqual(to: read.instruments))
      let renderer = SpriteRenderer()
      let corner = SpriteLatents(
        shape: .heart, scaleIndex: 0, orientationIndex: 0, xIndex: 0, yIndex: 0)
      let noise = drawn.treatments - renderer.images(of: drawn.latents).tensor(0..<20, .float64)
      let other = read.treatments - renderer.images(of: [corner]).tensor(0..<1, .float64)
      #expect(abs(noise - other).max().scalar < 1e-12)
    }
  }

  @Test("Refuses what is not there") func refusesWhatIsNotThere() throws {
    #expect {
      try SpriteArchive(contentsOfFile: "/nowhere/sprites.npz")
    } throws: { error in
      if case DSpritesError.archive(let cause) = error { cause.kind == .unreadable } else { false }
    }
    var members = Members(layout)
    members.imageNames = "images"
    let failure = try failure(members)
    guard case .archive(let cause) = failure, cause.kind == .unknownName,
      cause.detail.contains("imgs")
    else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }

  @Test("Refuses another size") func refusesAnotherSize() throws {
    // The small archive where the published one is expected.
    try withArchive(Members(layout)) { path in
      #expect(
        throws: DSpritesError.otherArray(
          source: path, member: "latents_classes", expected: "shape [737280, 6]",
          found: "[288, 6]")
      ) { try SpriteArchive(contentsOfFile: path) }
    }
    var members = Members(layout)
    members.pixelShape = [layout.imageCount, 4096]
    let failure = try failure(members)
    guard case .otherArray(_, "imgs", "shape [288, 64, 64]", "[288, 4096]") = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
  }

  @Test("Refuses another order") func refusesAnotherOrder() throws {
    var members = Members(layout)
    var classes = members.classes.scalars.map { Int($0) }
    classes.swapAt(40 * 6 + 5, 41 * 6 + 5)
    members.classes = Tensor(indices: classes, shape: [layout.imageCount, 6])
    guard
      case .otherLatents(_, "latents_classes", 40, let expected, let found) =
        try failure(members)
    else {
      Issue.record("the order was not refused")
      return
    }
    #expect(expected == [0, 0, 0, 2, 2, 0])
    #expect(found == [0, 0, 0, 2, 2, 1])

    members = Members(layout)
    var values = members.values.scalars
    values[200 * 6 + 2] = .nan
    members.values = Tensor(values, shape: [layout.imageCount, 6])
    guard case .otherLatents(_, "latents_values", 200, _, _) = try failure(members) else {
      Issue.record("the values were not refused")
      return
    }
  }

  /// Wherever it is, among the images kept or not.
  @Test("Refuses other pixels", arguments: [3, 287])
  func refusesOtherPixels(image: Int) throws {
    var members = Members(layout)
    members.pixels[image * 4096 + 4095] = 255
    let failure = try failure(members)
    guard case .otherPixel(_, image, 4095, 255) = failure else {
      Issue.record("\(String(describing: failure))")
      return
    }
    #expect(failure?.description.contains("expected 0 or 1, found 255") == true)
  }

  @Test("Refuses a damaged file") func refusesADamagedFile() throws {
    try withArchive(Members(layout), compressed: false) { path in
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      try whole.prefix(whole.count / 2).write(to: URL(fileURLWithPath: path))
      #expect {
        try SpriteArchive(contentsOfFile: path, shape: .heart, layout: layout)
      } throws: { error in
        if case DSpritesError.archive = error { true } else { false }
      }
      // A pixel of the last third, still 0 or 1: only the checksum tells.
      var changed = whole
      let offset = 250 * 4096 + 128
      changed[offset] ^= 1
      try changed.write(to: URL(fileURLWithPath: path))
      #expect {
        try SpriteArchive(contentsOfFile: path, shape: .heart, layout: layout)
      } throws: { error in
        if case DSpritesError.archive(let cause) = error { cause.kind == .damaged } else { false }
      }
    }
  }
}
