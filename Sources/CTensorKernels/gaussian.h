// erf, erfc, the normal distribution function and gelu on vectors.
//
// For x >= 0, erfc(x) = e^(-x^2) g / (1 + 2x), where g = (1 + 2x) e^(x^2) erfc(x) varies between 1
// and 1.3 and is one polynomial in (x - K) / (x + K) on the whole half line: M. M. Shepherd and
// J. G. Laframboise, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x in 0 <= x < inf", Math.
// Comp. 36 (1981). The square is formed as a sum of two numbers, for its rounding error would be
// magnified by x^2; the power of two is applied last, so that tails keep their accuracy down to the
// smallest subnormal.
#ifndef TK_GAUSSIAN_H
#define TK_GAUSSIAN_H

#include "elementary_f32.h"
#include "elementary_f64.h"

// factor * erfc(unit * x) for x in 0...40; power is -unit^2, given apart as it must be exact.
TK_INLINE f64v tail_f64(f64v x, double unit, double power, f64v factor) {
  static const double p[] = {
    0x1.3ba5916e9fd7fp+0, -0x1.1df1ad154a28ep-3, 0x1.f7f5df66fd7b2p-7, 0x1.16ecefcfa539cp-4,
    -0x1.9ddb23c3e90a8p-4, 0x1.7fee004e1241ep-4, -0x1.0fb06dfe49506p-4, 0x1.3079edf6859f1p-5,
    -0x1.0962388524353p-6, 0x1.49c672851786fp-8, -0x1.8d4a99ba26c14p-11, -0x1.a1df24631e272p-13,
    0x1.3be036b41304bp-13, -0x1.99597284d995ap-16, -0x1.788280b994aadp-17, 0x1.7f2ba05f1b243p-18,
    0x1.38b0fd9174e26p-22, -0x1.bb54f20cc5cfcp-21, 0x1.5082793880bbfp-24, 0x1.dd263473d0156p-24,
    -0x1.6bf7697837a56p-26, -0x1.09440cac857dp-26, 0x1.d43ef9fca7699p-29, 0x1.1ead0766ccdbfp-29,
    -0x1.4948e9dbca0b1p-32, -0x1.9735b2ca707b4p-33,
  };
  f64v h = from_bits_f64(bits_f64(x) & 0xfffffffff8000000);
  exp_parts_f64 e = exp_parts_of_f64(power * (h * h), power * ((x - h) * (x + h)));
  f64v t = unit * x;
  f64v g = TK_POLYNOMIAL_F64((t - 4.0) / (t + 4.0), p);
  f64v q = factor * g / (1.0 + 2.0 * t);
  return scale_f64(q + q * e.m, e);
}

TK_INLINE f64v erfc_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v tail = tail_f64(a > 30.0 ? (f64v)30.0 : a, 1.0, -1.0, (f64v)1.0);
  return x < 0.0 ? 2.0 - tail : tail;
}

TK_INLINE f64v erf_f64(f64v x) {
  // erf(x) / x - 1 in x^2, |x| <= 1.
  static const double p[] = {
    0x1.06eba8214db69p-3, -0x1.812746b0379e6p-2, 0x1.ce2f21a042b3p-4, -0x1.b82ce31284ep-6,
    0x1.565bcd0dbaa38p-8, -0x1.c02db3dac435fp-11, 0x1.f9a321d5b8e1ep-14, -0x1.f4d1e3183f7aep-17,
    0x1.b9df224ca4b97p-20, -0x1.5f1ecb6f0764cp-23, 0x1.f7b4bf3b13964p-27, -0x1.389d4f2641625p-30,
    0x1.05ffd737fb32ep-34,
  };
  f64v a = abs_f64(x);
  f64v far = 1.0 - tail_f64(a > 6.0 ? (f64v)6.0 : a, 1.0, -1.0, (f64v)1.0);
  f64v near = a + a * TK_POLYNOMIAL_F64(a * a, p);
  return copysign_f64(a < 1.0 ? near : far, x);
}

TK_INLINE f64v normal_cdf_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v tail = tail_f64(a > 40.0 ? (f64v)40.0 : a, 0x1.6a09e667f3bcdp-1, -0.5, (f64v)0.5);
  return x > 0.0 ? 1.0 - tail : tail;
}

TK_INLINE f64v gelu_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v clamped = a > 40.0 ? (f64v)40.0 : a;
  f64v tail = tail_f64(clamped, 0x1.6a09e667f3bcdp-1, -0.5, 0.5 * clamped);
  return x > 0.0 ? x - tail : copysign_f64(tail, x);
}

// The same in single precision; x is in 0...16.
TK_INLINE f32v tail_f32(f32v x, float unit, float power, f32v factor) {
  static const float p[] = {
    0x1.40c522p+0f, -0x1.15c084p-3f, -0x1.85a1ap-5f, 0x1.09835cp-3f, -0x1.e888f2p-4f,
    0x1.17cc06p-4f, -0x1.85bb16p-6f, 0x1.497926p-9f, 0x1.fb9d7ep-10f, -0x1.7ad7eap-11f,
    -0x1.3e12b6p-13f, 0x1.8a2c7p-15f,
  };
  f32v h = from_bits_f32(bits_f32(x) & 0xfffff000);
  exp_parts_f32 e = exp_parts_of_f32(power * (h * h), power * ((x - h) * (x + h)));
  f32v t = unit * x;
  f32v g = TK_POLYNOMIAL_F32((t - 3.0f) / (t + 3.0f), p);
  f32v q = factor * g / (1.0f + 2.0f * t);
  return scale_f32(q + q * e.m, e);
}

TK_INLINE f32v erfc_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v tail = tail_f32(a > 12.0f ? (f32v)12.0f : a, 1.0f, -1.0f, (f32v)1.0f);
  return x < 0.0f ? 2.0f - tail : tail;
}

TK_INLINE f32v erf_f32(f32v x) {
  // erf(x) / x - 1 in x^2, |x| <= 1.
  static const float p[] = {
    0x1.06eba8p-3f, -0x1.81273ep-2f, 0x1.ce2d1p-4f, -0x1.b7fabap-6f, 0x1.54127p-8f,
    -0x1.a45088p-11f, 0x1.4a569p-14f,
  };
  f32v a = abs_f32(x);
  f32v far = 1.0f - tail_f32(a > 4.0f ? (f32v)4.0f : a, 1.0f, -1.0f, (f32v)1.0f);
  f32v near = a + a * TK_POLYNOMIAL_F32(a * a, p);
  return copysign_f32(a < 1.0f ? near : far, x);
}

TK_INLINE f32v normal_cdf_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v tail = tail_f32(a > 16.0f ? (f32v)16.0f : a, 0x1.6a09e6p-1f, -0.5f, (f32v)0.5f);
  return x > 0.0f ? 1.0f - tail : tail;
}

TK_INLINE f32v gelu_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v clamped = a > 16.0f ? (f32v)16.0f : a;
  f32v tail = tail_f32(clamped, 0x1.6a09e6p-1f, -0.5f, 0.5f * clamped);
  return x > 0.0f ? x - tail : copysign_f32(tail, x);
}

#endif
