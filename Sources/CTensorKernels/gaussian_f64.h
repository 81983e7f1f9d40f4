// erf, erfc, the normal distribution function and gelu on vectors of doubles.
//
// The tails: for x >= 0, erfc(x) = e^(-x^2) g / (1 + 2x), where g = (1 + 2x) e^(x^2) erfc(x) hardly
// varies and is one polynomial in (x - K) / (x + K) on the whole half line: M. M. Shepherd and
// J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math.
// Comp. 36 (1981). The normal distribution has its own polynomial of the same form, as scaling x
// by sqrt(1/2) would cost accuracy. The square is formed as a sum of two numbers, for its rounding
// error would be magnified by x^2, and the power of two is applied last, so that tails keep their
// accuracy down to the smallest subnormal. Near 0, erf is x times a polynomial in x^2.
#ifndef TK_GAUSSIAN_F64_H
#define TK_GAUSSIAN_F64_H

#include "elementary_f64.h"

// (1 + 2x) e^(x^2) erfc(x) in (x - 3.5) / (x + 3.5), x >= 1/2.
static const double erfc_tail_f64[] = {
  0x1.3e0a99a0ee914p+0, -0x1.1ebd220ea593bp-3, -0x1.59e2c284b1192p-7, 0x1.8f702ec6b328bp-4,
  -0x1.d76830c35353cp-4, 0x1.6861060470beap-4, -0x1.8ff5ef76c6102p-5, 0x1.38ec6670737e7p-6,
  -0x1.143c4cac5057fp-8, -0x1.3cf3677c28a4dp-12, 0x1.27e66629d9cffp-11, -0x1.fda9475fc1bd6p-14,
  -0x1.66e2913c7b62fp-15, 0x1.970d6ce57b72cp-16, 0x1.3897afa70ce63p-19, -0x1.003b9aa513bb1p-18,
  -0x1.88d231bd6055cp-25, 0x1.46234352905c6p-21, -0x1.99329d7ffc0afp-28, -0x1.b5ef4aca70f54p-24,
  -0x1.e6ab688d45524p-31, 0x1.1df26172bd9bdp-26, 0x1.fb1c6ad8258p-32, -0x1.04da0441fb3c7p-29,
};

// (1 + 2x) e^(x^2 / 2) Phi(-x) in (x - 5.0) / (x + 5.0), x >= 0.69.
static const double phi_tail_f64[] = {
  0x1.b135a378924a6p-1, -0x1.44c9cd8f57979p-5, -0x1.ba6f247fb88acp-5, 0x1.9d3d58860d59p-4,
  -0x1.9c4af953d6a09p-4, 0x1.28e8fee3818e7p-4, -0x1.42359ad044e5p-5, 0x1.f96034e81b2fp-7,
  -0x1.d42635f9f7e5dp-9, -0x1.f1d63dadfc7fdp-14, 0x1.bdbec1975c9c2p-12, -0x1.c5ba11bd2b306p-14,
  -0x1.bb872faf74fe7p-16, 0x1.455466cc9d68cp-16, 0x1.1e8baf8fede24p-21, -0x1.800c39e8658a7p-19,
  0x1.81be869662677p-23, 0x1.d472aec74336p-22, -0x1.6d0cf1e4cb6e5p-25, -0x1.348781b88e10cp-24,
  0x1.97365505b802fp-28, 0x1.9141a26508be8p-27, -0x1.eee74b33f2a2p-32, -0x1.6b3a6cedec16dp-30,
};

// erf(x) / x - 1 in x^2, |x| <= 1.
static const double erf_near_f64[] = {
  0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b3p-4, -0x1.b82ce31284ep-6,
  0x1.565bcd0dbaa38p-8, -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
  0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27, -0x1.389d4f2641625p-30,
  0x1.05ffd737fb32ep-34,
};

// (Phi(x) - 1/2) / x in x^2, |x| <= 0.7.
static const double phi_near_f64[] = {
  0x1.9884533d43651p-2, -0x1.1058377e2cec2p-4, 0x1.46d0429765e4ep-7, -0x1.37403f698455ap-10,
  0x1.e42b0bee9d5a3p-14, -0x1.3ce8b90a38d8ep-17, 0x1.657bd43b93102p-21, -0x1.60502c514d727p-25,
  0x1.182314842ed38p-29,
};

// The upper half of the digits, so that products of two halves are exact.
TK_INLINE f64v upper_f64(f64v x) { return from_bits_f64(bits_f64(x) & 0xfffffffff8000000); }

// factor g / (1 + 2x) e^(power x^2), for x >= 1/2. The errors of rounding d = 1 + 2x and the
// quotient q are computed (T. Dekker, Numer. Math. 18, 1971) and made good to first order, with
// `mean` for 1 / g.
TK_INLINE f64v tail_f64(f64v x, f64v g, double mean, double power, f64v factor) {
  f64v h = upper_f64(x);
  exp_parts_f64 e = exp_parts_of_f64(power * (h * h), power * ((x - h) * (x + h)));
  f64v d = 1.0 + 2.0 * x;
  f64v q = g / d;
  f64v dh = upper_f64(d), dl = d - dh, qh = upper_f64(q), ql = q - qh;
  f64v residual = ((g - qh * dh) - qh * dl) - ql * d;
  f64v d_error = 1.0 - (d - 2.0 * x);
  f64v y = q + q * (e.m + (residual - q * d_error) * mean);
  return scale_f64(factor * y, e);
}

// factor e^(power x^2), for 0 <= x with |power| x^2 below the range of exp.
TK_INLINE f64v bell_f64(f64v x, double power, double factor) {
  f64v h = upper_f64(x);
  exp_parts_f64 e = exp_parts_of_f64(power * (h * h), power * ((x - h) * (x + h)));
  return scale_f64(factor + factor * e.m, e);
}

// e^(-x^2)
TK_INLINE f64v gaussian_f64(f64v x) {
  f64v a = abs_f64(x);
  return bell_f64(a > 28.0 ? (f64v)28.0 : a, -1.0, 1.0);
}

// e^(-x^2 / 2) / sqrt(2 pi)
TK_INLINE f64v normal_density_f64(f64v x) {
  f64v a = abs_f64(x);
  return bell_f64(a > 40.0 ? (f64v)40.0 : a, -0.5, 0x1.9884533d43651p-2);
}

TK_INLINE f64v erfc_tail_of_f64(f64v x) {
  f64v g = TK_POLYNOMIAL_F64((x - 3.5) / (x + 3.5), erfc_tail_f64);
  return tail_f64(x, g, 0.85, -1.0, (f64v)1.0);
}

// factor * Phi(-x)
TK_INLINE f64v phi_tail_of_f64(f64v x, f64v factor) {
  f64v g = TK_POLYNOMIAL_F64((x - 5.0) / (x + 5.0), phi_tail_f64);
  return tail_f64(x, g, 1.28, -0.5, factor);
}

TK_INLINE f64v erfc_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v tail = erfc_tail_of_f64(a > 30.0 ? (f64v)30.0 : a);
  f64v near = 1.0 - (x + x * TK_POLYNOMIAL_F64(x * x, erf_near_f64));
  return a < 0.5 ? near : x < 0.0 ? 2.0 - tail : tail;
}

TK_INLINE f64v erf_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v far = 1.0 - erfc_tail_of_f64(a > 6.0 ? (f64v)6.0 : a);
  f64v near = a + a * TK_POLYNOMIAL_F64(a * a, erf_near_f64);
  return copysign_f64(a < 1.0 ? near : far, x);
}

TK_INLINE f64v normal_cdf_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v tail = phi_tail_of_f64(a > 40.0 ? (f64v)40.0 : a, (f64v)1.0);
  f64v near = 0.5 + x * TK_POLYNOMIAL_F64(x * x, phi_near_f64);
  return a < 0.7 ? near : x > 0.0 ? 1.0 - tail : tail;
}

TK_INLINE f64v gelu_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v clamped = a > 40.0 ? (f64v)40.0 : a;
  f64v tail = phi_tail_of_f64(clamped, clamped);
  f64v near = x * (0.5 + x * TK_POLYNOMIAL_F64(x * x, phi_near_f64));
  return a < 0.7 ? near : x > 0.0 ? x - tail : -tail;
}

#endif
