// erf, erfc, the normal distribution function and gelu on vectors; included behind
// elementary_template.h with the same definitions.
//
// The tails: for x >= 0, erfc(x) = e^(-x^2) g / (1 + 2x), where g = (1 + 2x) e^(x^2) erfc(x) hardly
// varies and is one polynomial in (x - K) / (x + K) on the whole half line: M. M. Shepherd and
// J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math.
// Comp. 36 (1981). The normal distribution has its own polynomial of the same form, as scaling x
// by sqrt(1/2) would cost accuracy. The square is formed as a sum of two numbers, for its rounding
// error would be magnified by x^2, and the power of two is applied last, so that tails keep their
// accuracy down to the smallest subnormal. Near 0, erf is x times a polynomial in x^2.

// factor g / (1 + 2x) e^(power x^2), for x >= 1/2. The errors of rounding d = 1 + 2x and the
// quotient q are computed (T. Dekker, Numer. Math. 18, 1971) and made good to first order, with
// `mean` for 1 / g.
TK_INLINE V NAME(tail)(V x, V g, SCALAR mean, SCALAR power, V factor) {
  V h = NAME(upper)(x);
  NAME(exp_parts) e = NAME(exp_parts_of)(power * (h * h), power * ((x - h) * (x + h)));
  V d = 1 + 2 * x;
  V q = g / d;
  V dh = NAME(upper)(d), dl = d - dh, qh = NAME(upper)(q), ql = q - qh;
  V residual = ((g - qh * dh) - qh * dl) - ql * d;
  V d_error = 1 - (d - 2 * x);
  V y = q + q * (e.m + (residual - q * d_error) * mean);
  return NAME(scale)(factor * y, e);
}

// factor e^(power x^2), for 0 <= x with |power| x^2 below the range of exp.
TK_INLINE V NAME(bell)(V x, SCALAR power, SCALAR factor) {
  V h = NAME(upper)(x);
  NAME(exp_parts) e = NAME(exp_parts_of)(power * (h * h), power * ((x - h) * (x + h)));
  return NAME(scale)(factor + factor * e.m, e);
}

// e^(-x^2)
TK_INLINE V NAME(gaussian)(V x) {
  V a = NAME(abs)(x);
  return NAME(bell)(a > NAME(gaussian_max) ? (V)NAME(gaussian_max) : a, -1, 1);
}

// e^(-x^2 / 2) / sqrt(2 pi)
TK_INLINE V NAME(normal_density)(V x) {
  V a = NAME(abs)(x);
  return NAME(bell)(a > NAME(normal_max) ? (V)NAME(normal_max) : a, -HALF, NAME(inverse_root_2_pi));
}

TK_INLINE V NAME(erfc_tail_of)(V x) {
  V g = POLYNOMIAL((x - NAME(erfc_center)) / (x + NAME(erfc_center)), NAME(erfc_tail));
  return NAME(tail)(x, g, (SCALAR)0.85, -1, (V)1);
}

// factor * Phi(-x)
TK_INLINE V NAME(phi_tail_of)(V x, V factor) {
  V g = POLYNOMIAL((x - NAME(phi_center)) / (x + NAME(phi_center)), NAME(phi_tail));
  return NAME(tail)(x, g, (SCALAR)1.28, -HALF, factor);
}

TK_INLINE V NAME(erfc)(V x) {
  V a = NAME(abs)(x);
  V tail = NAME(erfc_tail_of)(a > NAME(erfc_max) ? (V)NAME(erfc_max) : a);
  V near = 1 - (x + x * POLYNOMIAL(x * x, NAME(erf_near)));
  return a < HALF ? near : x < 0 ? 2 - tail : tail;
}

TK_INLINE V NAME(erf)(V x) {
  V a = NAME(abs)(x);
  V far = 1 - NAME(erfc_tail_of)(a > NAME(erf_max) ? (V)NAME(erf_max) : a);
  V near = a + a * POLYNOMIAL(a * a, NAME(erf_near));
  return NAME(copysign)(a < 1 ? near : far, x);
}

TK_INLINE V NAME(normal_cdf)(V x) {
  V a = NAME(abs)(x);
  V tail = NAME(phi_tail_of)(a > NAME(normal_max) ? (V)NAME(normal_max) : a, (V)1);
  V near = HALF + x * POLYNOMIAL(x * x, NAME(phi_near));
  return a < (SCALAR)0.7 ? near : x > 0 ? 1 - tail : tail;
}

TK_INLINE V NAME(gelu)(V x) {
  V a = NAME(abs)(x);
  V clamped = a > NAME(normal_max) ? (V)NAME(normal_max) : a;
  V tail = NAME(phi_tail_of)(clamped, clamped);
  V near = x * (HALF + x * POLYNOMIAL(x * x, NAME(phi_near)));
  return a < (SCALAR)0.7 ? near : x > 0 ? x - tail : -tail;
}
