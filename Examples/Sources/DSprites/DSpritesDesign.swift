import Autodiff

/// The instrumental-variable benchmark on dSprites of Xu, Chen, Srinivasan, de Freitas, Doucet and
/// Gretton, *Learning deep features in instrumental variable regression* (2021).
///
/// Scale, orientation and place of a heart are uniform and independent. The treatment t is its
/// image with N(0, 0.1²) added to each of the 4096 pixels; the instrument is (scale, orientation,
/// x); the place y, which the image shows and the instrument does not, confounds:
///
///     f(t) = ((1/10) Σⱼ (t · Aⱼ)² − 5000) / 1000,   ε = (yIndex − 16) + N(0, 0.5²)
///     outcome = f(t) + ε
///
/// with A [4096, 10] of independent U(0, 1). A fit is judged by its mean squared error against f on
/// 588 images without noise.
///
/// **Streams.** A sample is a function of its seed alone; latents and noise have the same bits on
/// every machine, and whether images are drawn or read. Training and validation draws take streams
/// 101 and 102 of the seed, splits stream 103; each variable has a child of its own, so a shorter
/// sample is the beginning of a longer one.
public struct DSpritesDesign: Sendable {
  /// The standard deviation of the noise of each pixel.
  static let pixelNoise = 0.1
  /// The standard deviation of the part of the confounder that is not in the image.
  static let confounderNoise = 0.5
  /// How many columns A has.
  static let projectionCount = 10

  /// A [4096, 10], float64.
  public let projection: Tensor

  /// Creates the design with an A that is drawn once and for all.
  ///
  /// It is not the matrix of the authors' file, but has the same distribution. Seed and stream are
  /// constants, so that all seeds of all methods meet the same structural function; of the seeds
  /// from 0 on, this is the first with which a constant predictor scores what it does with the
  /// authors' matrix, 24.75.
  public init() {
    var generator = PhiloxGenerator(seed: 33, stream: 4)
    projection = Tensor.uniform(
      [SpriteImages.pixelCount, Self.projectionCount], using: &generator)
  }

  /// Creates the design with a given A [4096, 10], such as that of the authors' file.
  ///
  /// - Throws: `DSpritesError.projection`, if it has another shape or numbers that are not finite.
  public init(projection: Tensor) throws(DSpritesError) {
    let expected: Shape = [SpriteImages.pixelCount, Self.projectionCount]
    guard projection.shape == expected, projection.scalarType.isFloatingPoint else {
      throw .projection(found: "\(projection.scalarType) \(projection.shape)")
    }
    if let bad = projection.scalars.first(where: { !$0.isFinite }) {
      throw .projection(found: "the element \(bad)")
    }
    self.projection = projection.cast(to: .float64)
  }

  /// f of each row of treatments [n, 4096]: [n, 1], computed in float64.
  ///
  /// - Precondition: Rows have 4096 elements.
  public func structuralValues(of treatments: Tensor) -> Tensor {
    let products = matmul(treatments.cast(to: .float64), projection)
    return (square(products).mean(alongAxis: 1, keepingDimension: true) - 5000) / 1000
  }

  /// Observations to fit to.
  public func trainingSample(
    count: Int, seed: UInt64, images: some SpriteSource = SpriteRenderer(),
    _ scalarType: ScalarType = .float32
  ) -> DSpritesSample {
    sample(
      count: count, root: PhiloxGenerator(seed: seed, stream: 101), images: images, scalarType)
  }

  /// Observations to choose settings by, independent of every training sample.
  public func validationSample(
    count: Int, seed: UInt64, images: some SpriteSource = SpriteRenderer(),
    _ scalarType: ScalarType = .float32
  ) -> DSpritesSample {
    sample(
      count: count, root: PhiloxGenerator(seed: seed, stream: 102), images: images, scalarType)
  }

  /// The 588 images without noise on which a fit is judged: 7 × 7 places, 3 scales, 4 orientations.
  public func evaluation(
    images: some SpriteSource = SpriteRenderer(), _ scalarType: ScalarType = .float32
  ) -> DSpritesEvaluation {
    var latents: [SpriteLatents] = []
    for x in stride(from: 0, through: 30, by: 5) {
      for y in stride(from: 0, through: 30, by: 5) {
        for scale in [0, 3, 5] {
          for orientation in [0, 10, 20, 30] {
            latents.append(
              SpriteLatents(
                shape: .heart, scaleIndex: scale, orientationIndex: orientation, xIndex: x,
                yIndex: y))
          }
        }
      }
    }
    let treatments = images.images(of: latents).tensor(0..<latents.count, scalarType)
    return DSpritesEvaluation(
      latents: latents, treatments: treatments,
      structuralValues: structuralValues(of: treatments).cast(to: scalarType))
  }

  private func sample(
    count: Int, root: PhiloxGenerator, images source: some SpriteSource, _ scalarType: ScalarType
  ) -> DSpritesSample {
    guard count > 0, scalarType.isFloatingPoint else {
      fatalError(
        "DSpritesDesign: expected rows of a floating-point type, found \(count) of \(scalarType)")
    }
    let latents = Self.latents(count: count, root: root)
    var pixelNoise = root.split(key: 4)
    let images = source.images(of: latents)
    // In parts, because float64 copies of all treatments at once would be the peak of memory.
    let parts = stride(from: 0, to: count, by: 512).map { start in
      let range = start..<min(start + 512, count)
      let noise = Tensor.normal(
        [range.count, SpriteImages.pixelCount], standardDeviation: Self.pixelNoise, scalarType,
        using: &pixelNoise)
      let treatments = images.tensor(range, scalarType) + noise
      return (treatments: treatments, values: structuralValues(of: treatments))
    }
    let values = Tensor.concatenated(parts.map(\.values))
    let confounders = Self.confounders(of: latents, root: root)
    let instruments = Tensor(
      latents.flatMap { [$0.scale, $0.orientation, $0.x] }, shape: [count, 3])
    return DSpritesSample(
      latents: latents, treatments: Tensor.concatenated(parts.map(\.treatments)),
      instruments: instruments.cast(to: scalarType),
      outcomes: (values + confounders).cast(to: scalarType),
      structuralValues: values.cast(to: scalarType))
  }

  private static func latents(count: Int, root: PhiloxGenerator) -> [SpriteLatents] {
    func draw(key: UInt64, below bound: Int) -> [Int32] {
      var generator = root.split(key: key)
      return Tensor.integers([count], in: 0..<bound, using: &generator).elements(as: Int32.self)
    }
    let scales = draw(key: 0, below: SpriteLatents.scaleCount)
    let orientations = draw(key: 1, below: SpriteLatents.orientationCount)
    let x = draw(key: 2, below: SpriteLatents.positionCount)
    let y = draw(key: 3, below: SpriteLatents.positionCount)
    return (0..<count).map { row in
      SpriteLatents(
        shape: .heart, scaleIndex: Int(scales[row]), orientationIndex: Int(orientations[row]),
        xIndex: Int(x[row]), yIndex: Int(y[row]))
    }
  }

  private static func confounders(of latents: [SpriteLatents], root: PhiloxGenerator) -> Tensor {
    var generator = root.split(key: 5)
    let places = latents.map { Double($0.yIndex - SpriteLatents.positionCount / 2) }
    return Tensor(places, shape: [latents.count, 1])
      + Tensor.normal(
        [latents.count, 1], standardDeviation: confounderNoise, using: &generator)
  }
}

/// Observations of the dSprites benchmark, one row each.
public struct DSpritesSample: Sendable {
  /// What the images show.
  public let latents: [SpriteLatents]
  /// Images with noise, [n, 4096].
  public let treatments: Tensor
  /// Scale, orientation in radians and x, [n, 3].
  public let instruments: Tensor
  /// f(t) + ε, [n, 1].
  public let outcomes: Tensor
  /// f(t), which no estimator may see, [n, 1].
  public let structuralValues: Tensor

  /// The number of observations.
  public var count: Int { latents.count }

  /// The observations of some rows, in their order.
  ///
  /// - Precondition: Every row exists.
  public func rows(_ rows: [Int]) -> DSpritesSample {
    let indices = Tensor(indices: rows)
    return DSpritesSample(
      latents: rows.map { latents[$0] },
      treatments: treatments.gathering(indices, alongAxis: 0),
      instruments: instruments.gathering(indices, alongAxis: 0),
      outcomes: outcomes.gathering(indices, alongAxis: 0),
      structuralValues: structuralValues.gathering(indices, alongAxis: 0))
  }

  /// Two halves by a random permutation, for the first and the second stage; of an odd number of
  /// rows the second half has one more.
  public func split(seed: UInt64) -> (first: DSpritesSample, second: DSpritesSample) {
    var generator = PhiloxGenerator(seed: seed, stream: 103)
    let order = Tensor.permutation(count, using: &generator).elements(as: Int32.self).map(Int.init)
    return (rows(Array(order[..<(count / 2)])), rows(Array(order[(count / 2)...])))
  }
}

/// Images without noise and the values of the structural function, to judge a fit by.
public struct DSpritesEvaluation: Sendable {
  /// What the images show.
  public let latents: [SpriteLatents]
  /// Images, [n, 4096].
  public let treatments: Tensor
  /// f(t), [n, 1].
  public let structuralValues: Tensor
}
