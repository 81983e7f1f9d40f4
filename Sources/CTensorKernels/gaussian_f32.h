// erf, erfc, the normal distribution function and gelu on vectors of floats, as gaussian_f64.h.
#ifndef TK_GAUSSIAN_F32_H
#define TK_GAUSSIAN_F32_H

#include "elementary_f32.h"

// (1 + 2x) e^(x^2) erfc(x) in (x - 2.5) / (x + 2.5), x >= 1/2.
static const float erfc_tail_f32[] = {
  0x1.43cc7p+0f, -0x1.f52c62p-4f, -0x1.959abep-4f, 0x1.42d3d8p-3f, -0x1.a5c11ep-4f, 0x1.0c4d66p-5f,
  0x1.e9f93ap-11f, -0x1.1bf9e2p-8f, 0x1.f9b676p-12f, 0x1.0db206p-11f, -0x1.35c2dap-14f,
};

// (1 + 2x) e^(x^2 / 2) Phi(-x) in (x - 3.5) / (x + 3.5), x >= 0.69.
static const float phi_tail_f32[] = {
  0x1.b396fap-1f, -0x1.0f7f4ep-7f, -0x1.fd0e9ep-4f, 0x1.1a14b2p-3f, -0x1.45f4a6p-4f, 0x1.6dabbp-6f,
  0x1.f67452p-10f, -0x1.a57b9cp-9f, 0x1.1834e4p-13f, 0x1.aafa9ep-12f,
};

// erf(x) / x - 1 in x^2, |x| <= 1.
static const float erf_near_f32[] = {
  0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2d1p-4f, -0x1.b7fabap-6f, 0x1.54127p-8f, -0x1.a45088p-11f,
  0x1.4a569p-14f,
};

// (Phi(x) - 1/2) / x in x^2, |x| <= 0.7.
static const float phi_near_f32[] = {
  0x1.988454p-2f, -0x1.10582ap-4f, 0x1.46c98cp-7f, -0x1.360aeap-10f, 0x1.b6421ap-14f,
};

// The upper half of the digits, so that products of two halves are exact.
TK_INLINE f32v upper_f32(f32v x) { return from_bits_f32(bits_f32(x) & 0xfffff000); }

// factor g / (1 + 2x) e^(power x^2), for x >= 1/2. The errors of rounding d = 1 + 2x and the
// quotient q are computed (T. Dekker, Numer. Math. 18, 1971) and made good to first order, with
// `mean` for 1 / g.
TK_INLINE f32v tail_f32(f32v x, f32v g, float mean, float power, f32v factor) {
  f32v h = upper_f32(x);
  exp_parts_f32 e = exp_parts_of_f32(power * (h * h), power * ((x - h) * (x + h)));
  f32v d = 1.0f + 2.0f * x;
  f32v q = g / d;
  f32v dh = upper_f32(d), dl = d - dh, qh = upper_f32(q), ql = q - qh;
  f32v residual = ((g - qh * dh) - qh * dl) - ql * d;
  f32v d_error = 1.0f - (d - 2.0f * x);
  f32v y = q + q * (e.m + (residual - q * d_error) * mean);
  return scale_f32(factor * y, e);
}

// factor e^(power x^2), for 0 <= x with |power| x^2 below the range of exp.
TK_INLINE f32v bell_f32(f32v x, float power, float factor) {
  f32v h = upper_f32(x);
  exp_parts_f32 e = exp_parts_of_f32(power * (h * h), power * ((x - h) * (x + h)));
  return scale_f32(factor + factor * e.m, e);
}

// e^(-x^2)
TK_INLINE f32v gaussian_f32(f32v x) {
  f32v a = abs_f32(x);
  return bell_f32(a > 12.0f ? (f32v)12.0f : a, -1.0f, 1.0f);
}

// e^(-x^2 / 2) / sqrt(2 pi)
TK_INLINE f32v normal_density_f32(f32v x) {
  f32v a = abs_f32(x);
  return bell_f32(a > 16.0f ? (f32v)16.0f : a, -0.5f, 0x1.988454p-2f);
}

TK_INLINE f32v erfc_tail_of_f32(f32v x) {
  f32v g = TK_POLYNOMIAL_F32((x - 2.5f) / (x + 2.5f), erfc_tail_f32);
  return tail_f32(x, g, 0.85f, -1.0f, (f32v)1.0f);
}

// factor * Phi(-x)
TK_INLINE f32v phi_tail_of_f32(f32v x, f32v factor) {
  f32v g = TK_POLYNOMIAL_F32((x - 3.5f) / (x + 3.5f), phi_tail_f32);
  return tail_f32(x, g, 1.28f, -0.5f, factor);
}

TK_INLINE f32v erfc_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v tail = erfc_tail_of_f32(a > 12.0f ? (f32v)12.0f : a);
  f32v near = 1.0f - (x + x * TK_POLYNOMIAL_F32(x * x, erf_near_f32));
  return a < 0.5f ? near : x < 0.0f ? 2.0f - tail : tail;
}

TK_INLINE f32v erf_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v far = 1.0f - erfc_tail_of_f32(a > 4.0f ? (f32v)4.0f : a);
  f32v near = a + a * TK_POLYNOMIAL_F32(a * a, erf_near_f32);
  return copysign_f32(a < 1.0f ? near : far, x);
}

TK_INLINE f32v normal_cdf_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v tail = phi_tail_of_f32(a > 16.0f ? (f32v)16.0f : a, (f32v)1.0f);
  f32v near = 0.5f + x * TK_POLYNOMIAL_F32(x * x, phi_near_f32);
  return a < 0.7f ? near : x > 0.0f ? 1.0f - tail : tail;
}

TK_INLINE f32v gelu_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v clamped = a > 16.0f ? (f32v)16.0f : a;
  f32v tail = phi_tail_of_f32(clamped, clamped);
  f32v near = x * (0.5f + x * TK_POLYNOMIAL_F32(x * x, phi_near_f32));
  return a < 0.7f ? near : x > 0.0f ? x - tail : -tail;
}

#endif
