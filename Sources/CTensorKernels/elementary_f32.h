// exp, log, sin, cos and their relatives on vectors of floats, each within 2 ulp or so. The methods
// are those of elementary_f64.h, with shorter polynomials and 32-bit exponents.
#ifndef TK_ELEMENTARY_F32_H
#define TK_ELEMENTARY_F32_H

#include <math.h>

#include "elementary_f64.h"
#include "simd.h"

// x + 1.5 * 2^23 rounds x to an integer held, in two's complement, in the low bits of the sum.
#define ROUNDER_F32 0x1.8p23f

TK_INLINE f32v abs_f32(f32v x) { return __builtin_elementwise_abs(x); }
TK_INLINE f32v copysign_f32(f32v x, f32v sign) { return __builtin_elementwise_copysign(x, sign); }

// e^(hi + lo) = 2^k (1 + m).
typedef struct {
  f32v m;
  f32v k;
  f32v rounded_k;  // k + ROUNDER_F32
} exp_parts_f32;

TK_INLINE exp_parts_f32 exp_parts_of_f32(f32v hi, f32v lo) {
  // (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
  static const float c[] = {
    0x1.0p-1f, 0x1.5554dcp-3f, 0x1.55551ap-5f, 0x1.120b9p-7f, 0x1.6d112cp-10f,
  };
  exp_parts_f32 e;
  e.rounded_k = hi * 0x1.715476p+0f + ROUNDER_F32;
  e.k = e.rounded_k - ROUNDER_F32;
  // The high part of ln 2 has 14 bits: its product with k is exact.
  f32v r = (hi - e.k * 0x1.62ep-1f) - (e.k * 0x1.0bfbe8p-15f - lo);
  e.m = r + r * r * TK_POLYNOMIAL_F32(r, c);
  return e;
}

// x * 2^k for |k| < 250, in two factors as 2^k itself may overflow or be subnormal.
TK_INLINE f32v scale_f32(f32v x, exp_parts_f32 e) {
  u32v k = bits_f32(e.rounded_k);
  u32v half = bits_f32(e.k * 0.5f + ROUNDER_F32);
  return (x * from_bits_f32((half + 127) << 23)) * from_bits_f32((k - half + 127) << 23);
}

TK_INLINE f32v exp_f32(f32v x) {
  f32v y = x > 89.0f ? (f32v)89.0f : x;
  y = y < -105.0f ? (f32v)-105.0f : y;
  exp_parts_f32 e = exp_parts_of_f32(y, (f32v)0.0f);
  return scale_f32(1.0f + e.m, e);
}

TK_INLINE f32v expm1_f32(f32v x) {
  f32v y = x > 89.0f ? (f32v)89.0f : x;
  y = y < -20.0f ? (f32v)-20.0f : y;
  exp_parts_f32 e = exp_parts_of_f32(y, (f32v)0.0f);
  // 2^k (m + 1) - 1 = 2^k (m + (1 - 2^-k)); beyond k = 32 the 2^-k no longer counts.
  f32v capped = e.k > 32.0f ? (f32v)(32.0f + ROUNDER_F32) : e.rounded_k;
  f32v inverse_scale = from_bits_f32((127 - bits_f32(capped)) << 23);
  f32v y1 = scale_f32(e.m + (1.0f - inverse_scale), e);
  return copysign_f32(y1, x);
}

// u = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for normal u.
typedef struct {
  f32v f;
  f32v k;
} log_parts_f32;

TK_INLINE log_parts_f32 log_parts_of_f32(f32v u) {
  i32v shifted = (i32v)(bits_f32(u) - 0x3f3504f3);  // the bits of sqrt(1/2)
  log_parts_f32 parts;
  parts.k = __builtin_convertvector(shifted >> 23, f32v);
  parts.f = from_bits_f32(((u32v)shifted & 0x007fffff) + 0x3f3504f3) - 1.0f;
  return parts;
}

// log(1 + f) + k ln 2 + c, c being a small correction. log(1 + f) = 2 atanh(s), s = f / (2 + f).
TK_INLINE f32v log_sum_f32(f32v f, f32v k, f32v c) {
  // (2 atanh(s) / s - 2) / s^2 in s^2.
  static const float p[] = {0x1.555556p-1f, 0x1.9999ecp-2f, 0x1.245c42p-2f, 0x1.ddcf56p-3f};
  f32v s = f / (2.0f + f);
  f32v z = s * s;
  f32v half = 0.5f * f * f;
  f32v tail = s * (half + z * TK_POLYNOMIAL_F32(z, p)) + (k * 0x1.0bfbe8p-15f + c);
  return k * 0x1.62ep-1f - ((half - tail) - f);
}

TK_INLINE f32v log_f32(f32v x) {
  i32v subnormal = x < 0x1p-126f;
  log_parts_f32 parts = log_parts_of_f32(subnormal ? x * 0x1p25f : x);
  f32v k = subnormal ? parts.k - 25.0f : parts.k;
  f32v y = log_sum_f32(parts.f, k, (f32v)0.0f);
  y = x == INFINITY ? x : y;
  y = x == 0.0f ? (f32v)-INFINITY : y;
  return (x >= 0.0f) ? y : (f32v)NAN;
}

TK_INLINE f32v log1p_f32(f32v x) {
  f32v u = 1.0f + x;
  log_parts_f32 parts = log_parts_of_f32(u);
  i32v direct = parts.k == 0.0f;
  // What rounding 1 + x lost, taken in the order that is exact.
  f32v error = x > 1.0f ? 1.0f - (u - x) : x - (u - 1.0f);
  f32v c = direct ? (f32v)0.0f : error / u;
  f32v y = log_sum_f32(direct ? x : parts.f, parts.k, c);
  y = x == INFINITY ? x : y;
  y = x == -1.0f ? (f32v)-INFINITY : y;
  y = (x >= -1.0f) ? y : (f32v)NAN;
  return copysign_f32(y, x);
}

// 1 / cosh^2 x = 4 e / (1 + e)^2, e = e^(-2|x|): the derivative of tanh, which 1 - tanh^2 x loses in
// the tails.
TK_INLINE f32v sech_squared_f32(f32v x) {
  f32v e = exp_f32(-2.0f * abs_f32(x));
  return 4.0f * (e / (1.0f + e * (2.0f + e)));
}

TK_INLINE f32v tanh_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v m = expm1_f32(2.0f * (a > 12.0f ? (f32v)12.0f : a));
  return copysign_f32(m / (m + 2.0f), x);
}

// Both branches of 1 / (1 + e^-x) = e^x / (1 + e^x) are taken with the exponential below 1.
TK_INLINE f32v sigmoid_f32(f32v x) {
  f32v e = exp_f32(-abs_f32(x));
  return (x < 0.0f ? e : (f32v)1.0f) / (1.0f + e);
}

// x / (1 + e^-x). Below 0 that is x e^x / (1 + e^x), with the power of two applied last.
TK_INLINE f32v silu_f32(f32v x) {
  f32v a = abs_f32(x);
  f32v clamped = a > 120.0f ? (f32v)120.0f : a;
  exp_parts_f32 p = exp_parts_of_f32(-clamped, (f32v)0.0f);
  f32v d = 1.0f + scale_f32(1.0f + p.m, p);
  return x < 0.0f ? scale_f32(-clamped * (1.0f + p.m) / d, p) : x / d;
}

// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|, and log(1 + e) = 2 atanh(e / (2 + e)).
TK_INLINE f32v softplus_f32(f32v x) {
  // (2 atanh(s) / s - 2) / s^2 in s^2, s <= 1/3.
  static const float p[] = {
    0x1.555556p-1f, 0x1.9998d4p-2f, 0x1.24c926p-2f, 0x1.bc8cf8p-3f, 0x1.dba26p-3f,
  };
  f32v e = exp_f32(-abs_f32(x));
  // 2 s and not s, as the half of a subnormal e would lose its last bit.
  f32v s2 = (e + e) / (2.0f + e);
  f32v s = 0.5f * s2;
  f32v z = s * s;
  f32v tail = s2 + s * (z * TK_POLYNOMIAL_F32(z, p));
  return (x < 0.0f ? (f32v)0.0f : x) + tail;
}

// x - n pi/2, n being the nearest integer, reduced in double precision.
typedef struct {
  f32h r;
  u64v n;
} reduced_f32;

TK_INLINE reduced_f32 reduce_f32(f32h single) {
  f64v x = __builtin_convertvector(single, f64v);
  f64v rounded = x * 0x1.45f306dc9c883p-1 + ROUNDER_F64;
  f64v n = rounded - ROUNDER_F64;
  f64v r = (x - n * 0x1.921fb544p+0) - n * 0x1.0b4611a626331p-34;
  return (reduced_f32){__builtin_convertvector(r, f32h), bits_f64(rounded)};
}

// sin(x + offset pi/2).
TK_INLINE f32v small_sin_f32(f32v x, u32v offset) {
  // (sin r / r - 1) / r^2 and (cos r - 1 + r^2 / 2) / r^4, in r^2, |r| <= pi/4.
  static const float s[] = {
    -0x1.555556p-3f, 0x1.11110ep-7f, -0x1.a013a6p-13f, 0x1.6dbd7ep-19f,
  };
  static const float c[] = {0x1.555554p-5f, -0x1.6c12d2p-10f, 0x1.9bd80ep-16f};
  reduced_f32 a = reduce_f32(x.lo), b = reduce_f32(x.hi);
  f32v r;
  r.lo = a.r;
  r.hi = b.r;
  u32v quadrant;
  quadrant.lo = __builtin_convertvector(a.n, __typeof__(quadrant.lo));
  quadrant.hi = __builtin_convertvector(b.n, __typeof__(quadrant.lo));
  quadrant += offset;
  f32v z = r * r;
  f32v sine = r + r * (z * TK_POLYNOMIAL_F32(z, s));
  f32v cosine = (1.0f - 0.5f * z) + z * z * TK_POLYNOMIAL_F32(z, c);
  f32v y = (i32v)((quadrant & 1) != 0) ? cosine : sine;
  return from_bits_f32(bits_f32(y) ^ ((quadrant & 2) << 30));
}

TK_INLINE f32v sin_f32(f32v x) {
  f32v y = small_sin_f32(x, (u32v)0);
  y = x == 0.0f ? x : y;  // keeps the sign of zero
  i32v large = !(abs_f32(x) < (float)LIMIT_TRIG_F64);
  if (__builtin_reduce_or(large)) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < TK_LANES_F32; i++) y[i] = large[i] ? sinf(x[i]) : y[i];
  }
  return y;
}

TK_INLINE f32v cos_f32(f32v x) {
  f32v y = small_sin_f32(x, (u32v)1);
  i32v large = !(abs_f32(x) < (float)LIMIT_TRIG_F64);
  if (__builtin_reduce_or(large)) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < TK_LANES_F32; i++) y[i] = large[i] ? cosf(x[i]) : y[i];
  }
  return y;
}

#endif
