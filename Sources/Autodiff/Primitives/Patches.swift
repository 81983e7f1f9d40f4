/// The windows of a batch of images side by side: [n, h, w, c] to [n, oh, ow, kh, kw, c], with 0
/// where a window reaches into the padding.
///
/// The patches of a window times a matrix are a convolution ("im2col"), their maximum is pooling.
package struct ExtractPatches: LinearPrimitive {
  let vertical: PatchAxis
  let horizontal: PatchAxis

  package init(_ vertical: PatchAxis, _ horizontal: PatchAxis) {
    self.vertical = vertical
    self.horizontal = horizontal
  }

  package var name: String { "extractPatches" }

  package func evaluate(_ x: Tensor) -> Tensor {
    let layout = PatchLayout(vertical, horizontal, images: x.shape[0], channels: x.shape[3])
    let size = x.scalarType.byteCount
    return Tensor(layout.patchesShape, x.scalarType) { out in
      parallelFor(count: layout.images * vertical.outputSize, grain: layout.grain) { rows in
        for row in rows {
          layout.extractRow(
            row, from: x.bytes, to: out + row * layout.patchRowCount * size, elementSize: size)
        }
      }
    }
  }

  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(AccumulatePatches(vertical, horizontal), cotangent)
  }
}

/// Patches added where they were taken from: [n, oh, ow, kh, kw, c] to [n, h, w, c], the transpose
/// of `ExtractPatches`.
///
/// The terms of an element are added in the order of kernel rows, windows, kernel columns, on any
/// number of threads.
package struct AccumulatePatches: LinearPrimitive {
  let vertical: PatchAxis
  let horizontal: PatchAxis

  package init(_ vertical: PatchAxis, _ horizontal: PatchAxis) {
    self.vertical = vertical
    self.horizontal = horizontal
  }

  package var name: String { "accumulatePatches" }

  package func evaluate(_ x: Tensor) -> Tensor {
    let layout = PatchLayout(vertical, horizontal, images: x.shape[0], channels: x.shape[5])
    return Tensor(layout.imagesShape, x.scalarType) { out in
      switch x.scalarType {
      case .float64: layout.accumulate(x.bytes, to: out, as: Double.self)
      case .float32: layout.accumulate(x.bytes, to: out, as: Float.self)
      case .int32, .bool: stop(name, "expected floating-point patches, found \(x.scalarType)")
      }
    }
  }

  package func transposed(_ cotangent: Tensor, _ x: Tensor) -> Tensor {
    apply(ExtractPatches(vertical, horizontal), cotangent)
  }
}

extension Tensor {
  /// The windows of images [n, h, w, c] as a tensor [n, oh, ow, kh, kw, c].
  ///
  /// - Precondition: A floating-point tensor of four axes, of which the second and third have the
  ///   sizes that the windows were laid out for.
  package func patches(_ vertical: PatchAxis, _ horizontal: PatchAxis) -> Tensor {
    Kernels.requireFloat(self, "patches")
    guard rank == 4, shape[1] == vertical.inputSize, shape[2] == horizontal.inputSize else {
      stop(
        "patches",
        """
        expected images [n, \(vertical.inputSize), \(horizontal.inputSize), channels], found \
        shape \(shape)
        """)
    }
    return apply(ExtractPatches(vertical, horizontal), self)
  }
}

// MARK: - Loops

/// Where images and their patches lie in memory.
private struct PatchLayout {
  let vertical: PatchAxis
  let horizontal: PatchAxis
  let images: Int
  let channels: Int

  init(_ vertical: PatchAxis, _ horizontal: PatchAxis, images: Int, channels: Int) {
    self.vertical = vertical
    self.horizontal = horizontal
    self.images = images
    self.channels = channels
  }

  var imagesShape: Shape { [images, vertical.inputSize, horizontal.inputSize, channels] }

  var patchesShape: Shape {
    [
      images, vertical.outputSize, horizontal.outputSize, vertical.kernelSize,
      horizontal.kernelSize, channels,
    ]
  }

  /// Elements of one row of pixels.
  var imageRowCount: Int { horizontal.inputSize * channels }

  /// Elements of one row of a patch.
  var kernelRowCount: Int { horizontal.kernelSize * channels }

  /// Elements of one row of patches.
  var patchRowCount: Int {
    horizontal.outputSize * vertical.kernelSize * kernelRowCount
  }

  /// Rows of patches for one thread to copy at a time.
  var grain: Int { max(1, Kernels.grain / max(1, patchRowCount)) }

  /// Writes one row of patches; rows are numbered through all images.
  func extractRow(
    _ row: Int, from images: UnsafeRawPointer, to out: UnsafeMutableRawPointer, elementSize: Int
  ) {
    let (image, window) = row.quotientAndRemainder(dividingBy: vertical.outputSize)
    out.initializeMemory(as: UInt8.self, repeating: 0, count: patchRowCount * elementSize)
    let pixel = channels * elementSize
    for ky in vertical.inside(window: window) {
      let y = window * vertical.stride - vertical.before + ky * vertical.dilation
      let source = images + (image * vertical.inputSize + y) * imageRowCount * elementSize
      for column in 0..<horizontal.outputSize {
        let start = column * horizontal.stride - horizontal.before
        let target =
          out + (column * vertical.kernelSize + ky) * kernelRowCount * elementSize
        let inside = horizontal.inside(window: column)
        if horizontal.dilation == 1 {
          // Neighbours in the window are neighbours in the image.
          if inside.isEmpty { continue }
          (target + inside.lowerBound * pixel).copyMemory(
            from: source + (start + inside.lowerBound) * pixel, byteCount: inside.count * pixel)
        } else {
          for kx in inside {
            (target + kx * pixel).copyMemory(
              from: source + (start + kx * horizontal.dilation) * pixel, byteCount: pixel)
          }
        }
      }
    }
  }

  /// Writes the images: every row of pixels gathers what the windows took from it.
  func accumulate<S: FloatingPoint>(
    _ patches: UnsafeRawPointer, to out: UnsafeMutableRawPointer, as type: S.Type
  ) {
    let patches = patches.assumingMemoryBound(to: S.self)
    let out = out.assumingMemoryBound(to: S.self)
    parallelFor(count: images * vertical.inputSize, grain: grain) { rows in
      for row in rows { accumulateRow(row, from: patches, to: out + row * imageRowCount) }
    }
  }

  @inline(__always)
  private func accumulateRow<S: FloatingPoint>(
    _ row: Int, from patches: UnsafePointer<S>, to out: UnsafeMutablePointer<S>
  ) {
    let (image, y) = row.quotientAndRemainder(dividingBy: vertical.inputSize)
    out.initialize(repeating: 0, count: imageRowCount)
    for ky in 0..<vertical.kernelSize {
      let offset = y + vertical.before - ky * vertical.dilation
      guard offset >= 0, offset % vertical.stride == 0 else { continue }
      let window = offset / vertical.stride
      guard window < vertical.outputSize else { continue }
      let source = patches + (image * vertical.outputSize + window) * patchRowCount
      for column in 0..<horizontal.outputSize {
        let start = column * horizontal.stride - horizontal.before
        let patch = source + (column * vertical.kernelSize + ky) * kernelRowCount
        for kx in horizontal.inside(window: column) {
          let pixel = out + (start + kx * horizontal.dilation) * channels
          let term = patch + kx * channels
          for channel in 0..<channels { pixel[channel] += term[channel] }
        }
      }
    }
  }
}
