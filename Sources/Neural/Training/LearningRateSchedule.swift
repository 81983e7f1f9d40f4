import Autodiff

/// How the learning rate changes during training: a factor of the base rate for every step.
///
///     let schedule = LearningRateSchedule.warmUp(over: 100, then: .cosine(over: 10_000))
///     schedule.factor(at: 0)  // 1/101
///
/// A pure function of the number of steps taken before, so a run that resumes needs nothing but
/// that number.
public struct LearningRateSchedule: Sendable {
  /// The factor as a function of the number of steps taken before.
  public typealias Rule = @Sendable (_ step: Int) -> Double

  private let rule: Rule

  /// Creates a schedule of one's own.
  public init(_ rule: @escaping Rule) { self.rule = rule }

  /// The factor of the base rate for a step; the first step is 0.
  ///
  /// - Precondition: The step is not negative, and a rule of one's own gives a finite factor that is
  ///   not negative.
  public func factor(at step: Int) -> Double {
    guard step >= 0 else { Self.refuse("steps count from 0, found \(step)") }
    let factor = rule(step)
    guard factor >= 0, factor < .infinity else {
      Self.refuse("expected a finite factor of at least 0, found \(factor) at step \(step)")
    }
    return factor
  }

  /// Always 1.
  public static let constant = LearningRateSchedule { _ in 1 }

  /// `factor`^⌊t / n⌋: the rate is multiplied by `factor` after every n steps.
  ///
  /// - Precondition: `factor` is positive and finite, n above 0.
  public static func stepDecay(factor: Double, every n: Int) -> LearningRateSchedule {
    require(factor, n)
    return LearningRateSchedule { step in power(factor, Double(step / n)) }
  }

  /// `factor`^(t / n): as `stepDecay`, but continuously.
  ///
  /// - Precondition: `factor` is positive and finite, n above 0.
  public static func exponential(factor: Double, over n: Int) -> LearningRateSchedule {
    require(factor, n)
    return LearningRateSchedule { step in power(factor, Double(step) / Double(n)) }
  }

  /// m + (1 − m) (1 + cos(π t / n)) / 2, and m from step n on.
  ///
  /// Loshchilov and Hutter, SGDR: Stochastic gradient descent with warm restarts (2017), without
  /// the restarts.
  ///
  /// - Parameters:
  ///   - n: The number of steps from 1 to m.
  ///   - minimum: m.
  /// - Precondition: m is in [0, 1], n above 0.
  public static func cosine(over n: Int, minimum: Double = 0) -> LearningRateSchedule {
    require(1, n)
    guard minimum >= 0, minimum <= 1 else {
      refuse("expected a minimum in [0, 1], found \(minimum)")
    }
    return LearningRateSchedule { step in
      guard step < n else { return minimum }
      let angle = Tensor(Double.pi * Double(step) / Double(n))
      return minimum + (1 - minimum) * (1 + cos(angle).scalar) / 2
    }
  }

  /// (t + 1) / (n + 1) for the first n steps, times the first factor of another schedule, which
  /// then begins.
  ///
  /// Goyal and others, Accurate, large minibatch SGD: Training ImageNet in 1 hour (2017). No step is
  /// lost at rate 0, and none is taken twice at the full one.
  ///
  /// - Precondition: n is not negative.
  public static func warmUp(
    over n: Int, then next: LearningRateSchedule = .constant
  ) -> LearningRateSchedule {
    guard n >= 0 else { refuse("expected a warm-up of at least 0 steps, found \(n)") }
    return LearningRateSchedule { step in
      guard step < n else { return next.factor(at: step - n) }
      return next.factor(at: 0) * Double(step + 1) / Double(n + 1)
    }
  }

  private static func require(_ factor: Double, _ count: Int) {
    guard factor > 0, factor < .infinity else {
      refuse("expected a finite factor above 0, found \(factor)")
    }
    guard count > 0 else { refuse("expected a number of steps above 0, found \(count)") }
  }

  private static func refuse(_ message: String) -> Never { stop("LearningRateSchedule", message) }

  private static func power(_ base: Double, _ exponent: Double) -> Double {
    pow(Tensor(base), Tensor(exponent)).scalar
  }
}
