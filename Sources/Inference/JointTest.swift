import Autodiff

/// A Wald test of all coordinates of an estimate together.
public struct JointTest: Sendable, Equatable, Codable {
  /// The distribution a statistic is compared with.
  public enum Reference: String, Sendable, Codable {
    /// χ² with r degrees of freedom, for large samples.
    case chiSquared
    /// Hotelling's: F with r and N − r degrees of freedom, exact for the mean of N normal units.
    case hotelling
  }

  /// W = (θ̂ − θ₀)ᵀ Cov⁺ (θ̂ − θ₀), or W (N − r) / ((N − 1) r) for Hotelling's reference.
  public let statistic: Double

  /// The rank r of the covariance.
  public let degreesOfFreedom: Int

  /// N − r for Hotelling's reference; nil for χ².
  public let denominatorDegreesOfFreedom: Int?

  /// The probability of a statistic as large where the hypothesis is true.
  public let pValue: Double

  /// The distribution that gave the p-value.
  public let reference: Reference
}

extension Estimate {
  /// The Wald test of θ = θ₀, all coordinates together.
  ///
  /// W = (θ̂ − θ₀)ᵀ Cov⁺ (θ̂ − θ₀) with as many degrees of freedom as the covariance has rank: the
  /// number of eigenvalues of the *correlation* matrix above 10⁻⁸ of the largest, whatever the units
  /// of the coordinates.
  ///
  /// It does not apply where the covariance is zero, or where θ̂ is off θ₀ in a direction without
  /// variance, which no multiple of the covariance explains.
  ///
  /// - Parameters:
  ///   - null: θ₀, [d]; 0 by default.
  ///   - reference: `.hotelling` takes a single sample of more than r independent units.
  /// - Complexity: O(n d² + d³).
  public func jointTest(
    null: Tensor? = nil, reference: JointTest.Reference = .chiSquared
  ) -> Statistic<JointTest> {
    let difference = difference(from: null, "Estimate.jointTest").scalars
    let spectrum: CovarianceSpectrum
    do {
      spectrum = try CovarianceSpectrum(self)
    } catch {
      return .unavailable(reason: "the covariance has no eigenvalues: \(error)")
    }
    let rank = spectrum.rank
    let varying = Set(spectrum.coordinates)
    if let fixed = names.indices.first(where: { !varying.contains($0) && difference[$0] != 0 }) {
      return .unavailable(
        reason:
          "\(names[fixed]) has no variance but is off its null by \(text(difference[fixed], 4))")
    }
    guard rank > 0 else { return .unavailable(reason: "no coordinate has variance") }

    let components = spectrum.components(of: difference)
    let size = components.reduce(0) { $0 + $1 * $1 }.squareRoot()
    // Directions dropped may have a variance up to the cutoff, and their vectors are rounded.
    let tolerance = max(6 * spectrum.cutoff.squareRoot(), 1e-8 * size)
    var statistic = 0.0
    for (component, eigenvalue) in zip(components, spectrum.eigenvalues) {
      if eigenvalue > spectrum.cutoff {
        statistic += component * component / eigenvalue
      } else if component.magnitude > tolerance {
        return .unavailable(
          reason: "the estimate is off the null in a direction without variance (\(sizes), a "
            + "covariance of rank \(rank))")
      }
    }
    return compared(statistic, rank, reference)
  }

  private func compared(
    _ statistic: Double, _ rank: Int, _ reference: JointTest.Reference
  ) -> Statistic<JointTest> {
    switch reference {
    case .chiSquared:
      return .value(
        JointTest(
          statistic: statistic, degreesOfFreedom: rank, denominatorDegreesOfFreedom: nil,
          pValue: TestDistributions.chiSquaredUpperTail(statistic, degrees: Double(rank)),
          reference: reference))
    case .hotelling:
      guard influence.count == 1 else {
        return .unavailable(
          reason:
            "Hotelling's reference distribution is that of one sample, and the estimate rests "
            + "on \(influence.count)")
      }
      let units = influence[0].unitCount
      guard units > rank else {
        return .unavailable(
          reason: "Hotelling's reference distribution takes more than \(rank) independent units, "
            + "found \(units)")
      }
      let scaled = statistic * Double(units - rank) / (Double(units - 1) * Double(rank))
      return .value(
        JointTest(
          statistic: scaled, degreesOfFreedom: rank, denominatorDegreesOfFreedom: units - rank,
          pValue: TestDistributions.fUpperTail(
            scaled, numerator: Double(rank), denominator: Double(units - rank)),
          reference: reference))
    }
  }

  private var sizes: String {
    let units = influence.reduce(0) { $0 + $1.unitCount }
    return "\(count) coordinates, \(units) independent units"
  }
}
