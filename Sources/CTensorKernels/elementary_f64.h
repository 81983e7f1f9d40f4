// exp, log, sin, cos and their relatives on vectors of doubles, each within 2 ulp or so.
//
// Methods: J.-M. Muller et al., Handbook of Floating-Point Arithmetic (2nd ed., 2018), and the
// notes of FDLIBM (Sun Microsystems, 1993): Cody-Waite argument reduction, then a short polynomial.
// The polynomials are Chebyshev fits computed for this file at 60 digits.
#ifndef TK_ELEMENTARY_F64_H
#define TK_ELEMENTARY_F64_H

#include <math.h>

#include "simd.h"

// x + 1.5 * 2^52 rounds x to an integer held, in two's complement, in the low bits of the sum.
#define ROUNDER_F64 0x1.8p52

TK_INLINE f64v abs_f64(f64v x) { return __builtin_elementwise_abs(x); }
TK_INLINE f64v copysign_f64(f64v x, f64v sign) { return __builtin_elementwise_copysign(x, sign); }

// e^(hi + lo) = 2^k (1 + m). k is left apart so that callers can multiply further factors in before
// the one rounding into the subnormal range.
typedef struct {
  f64v m;
  f64v k;
  f64v rounded_k;  // k + ROUNDER_F64
} exp_parts_f64;

TK_INLINE exp_parts_f64 exp_parts_of_f64(f64v hi, f64v lo) {
  // (e^r - 1 - r) / r^2 on |r| <= ln(2) / 2.
  static const double c[] = {
    0x1.0000000000001p-1, 0x1.5555555555556p-3, 0x1.5555555553d56p-5, 0x1.11111111109afp-7,
    0x1.6c16c17890eb4p-10, 0x1.a01a01a7c73cp-13, 0x1.a019b8f9792eep-16, 0x1.71de0da24602dp-19,
    0x1.28919ccaf9211p-22, 0x1.af38c67fbb53ep-26,
  };
  exp_parts_f64 e;
  e.rounded_k = hi * 0x1.71547652b82fep+0 + ROUNDER_F64;
  e.k = e.rounded_k - ROUNDER_F64;
  // The high part of ln 2 has 32 bits: its product with k is exact.
  f64v r = (hi - e.k * 0x1.62e42feep-1) - (e.k * 0x1.a39ef35793c76p-33 - lo);
  e.m = r + r * r * TK_POLYNOMIAL_F64(r, c);
  return e;
}

// x * 2^k for |k| < 2040, in two factors as 2^k itself may overflow or be subnormal.
TK_INLINE f64v scale_f64(f64v x, exp_parts_f64 e) {
  u64v k = bits_f64(e.rounded_k);
  u64v half = bits_f64(e.k * 0.5 + ROUNDER_F64);
  // The shift drops the bits of ROUNDER_F64 from `half`; in k - half they cancel.
  return (x * from_bits_f64((half + 1023) << 52)) * from_bits_f64((k - half + 1023) << 52);
}

TK_INLINE f64v exp_f64(f64v x) {
  f64v y = x > 710.0 ? (f64v)710.0 : x;
  y = y < -750.0 ? (f64v)-750.0 : y;
  exp_parts_f64 e = exp_parts_of_f64(y, (f64v)0.0);
  return scale_f64(1.0 + e.m, e);
}

TK_INLINE f64v expm1_f64(f64v x) {
  f64v y = x > 710.0 ? (f64v)710.0 : x;
  y = y < -40.0 ? (f64v)-40.0 : y;
  exp_parts_f64 e = exp_parts_of_f64(y, (f64v)0.0);
  // 2^k (m + 1) - 1 = 2^k (m + (1 - 2^-k)); beyond k = 64 the 2^-k no longer counts.
  f64v capped = e.k > 64.0 ? (f64v)(64.0 + ROUNDER_F64) : e.rounded_k;
  f64v inverse_scale = from_bits_f64((1023 - bits_f64(capped)) << 52);
  f64v y1 = scale_f64(e.m + (1.0 - inverse_scale), e);
  return copysign_f64(y1, x);
}

// u = 2^k (1 + f) with sqrt(1/2) <= 1 + f < sqrt(2), for normal u.
typedef struct {
  f64v f;
  f64v k;
} log_parts_f64;

TK_INLINE log_parts_f64 log_parts_of_f64(f64v u) {
  u64v shifted = bits_f64(u) - 0x3fe6a09e667f3bcd;  // the bits of sqrt(1/2)
  // 64-bit integers do not convert before AVX-512: place the biased exponent in a double instead.
  u64v biased = ((shifted + (1023ull << 52)) >> 52) | 0x4330000000000000;
  log_parts_f64 parts;
  parts.k = from_bits_f64(biased) - (0x1p52 + 1023);
  parts.f = from_bits_f64((shifted & 0x000fffffffffffff) + 0x3fe6a09e667f3bcd) - 1.0;
  return parts;
}

// log(1 + f) + k ln 2 + c, c being a small correction. log(1 + f) = 2 atanh(s), s = f / (2 + f).
TK_INLINE f64v log_sum_f64(f64v f, f64v k, f64v c) {
  // (2 atanh(s) / s - 2) / s^2 in s^2.
  static const double p[] = {
    0x1.5555555555558p-1, 0x1.99999999952d9p-2, 0x1.2492492df24c9p-2, 0x1.c71c62e434baap-3,
    0x1.7462b50978d9ap-3, 0x1.39fe54273fda1p-3, 0x1.2b58e1fea16c6p-3,
  };
  f64v s = f / (2.0 + f);
  f64v z = s * s;
  f64v half = 0.5 * f * f;
  f64v tail = s * (half + z * TK_POLYNOMIAL_F64(z, p)) + (k * 0x1.a39ef35793c76p-33 + c);
  return k * 0x1.62e42feep-1 - ((half - tail) - f);
}

TK_INLINE f64v log_f64(f64v x) {
  i64v subnormal = x < 0x1p-1022;
  log_parts_f64 parts = log_parts_of_f64(subnormal ? x * 0x1p54 : x);
  f64v k = subnormal ? parts.k - 54.0 : parts.k;
  f64v y = log_sum_f64(parts.f, k, (f64v)0.0);
  y = x == INFINITY ? x : y;
  y = x == 0.0 ? (f64v)-INFINITY : y;
  return (x >= 0.0) ? y : (f64v)NAN;
}

TK_INLINE f64v log1p_f64(f64v x) {
  f64v u = 1.0 + x;
  log_parts_f64 parts = log_parts_of_f64(u);
  i64v direct = parts.k == 0.0;
  // What rounding 1 + x lost, taken in the order that is exact.
  f64v error = x > 1.0 ? 1.0 - (u - x) : x - (u - 1.0);
  f64v c = direct ? (f64v)0.0 : error / u;
  f64v y = log_sum_f64(direct ? x : parts.f, parts.k, c);
  y = x == INFINITY ? x : y;
  y = x == -1.0 ? (f64v)-INFINITY : y;
  y = (x >= -1.0) ? y : (f64v)NAN;
  return copysign_f64(y, x);
}

// 1 / cosh^2 x = 4 e / (1 + e)^2, e = e^(-2|x|): the derivative of tanh, which 1 - tanh^2 x loses in
// the tails.
TK_INLINE f64v sech_squared_f64(f64v x) {
  f64v e = exp_f64(-2.0 * abs_f64(x));
  return 4.0 * (e / (1.0 + e * (2.0 + e)));
}

TK_INLINE f64v tanh_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v m = expm1_f64(2.0 * (a > 22.0 ? (f64v)22.0 : a));
  return copysign_f64(m / (m + 2.0), x);
}

// Both branches of 1 / (1 + e^-x) = e^x / (1 + e^x) are taken with the exponential below 1.
TK_INLINE f64v sigmoid_f64(f64v x) {
  f64v e = exp_f64(-abs_f64(x));
  return (x < 0.0 ? e : (f64v)1.0) / (1.0 + e);
}

// x / (1 + e^-x). Below 0 that is x e^x / (1 + e^x), with the power of two applied last.
TK_INLINE f64v silu_f64(f64v x) {
  f64v a = abs_f64(x);
  f64v clamped = a > 760.0 ? (f64v)760.0 : a;
  exp_parts_f64 p = exp_parts_of_f64(-clamped, (f64v)0.0);
  f64v d = 1.0 + scale_f64(1.0 + p.m, p);
  return x < 0.0 ? scale_f64(-clamped * (1.0 + p.m) / d, p) : x / d;
}

// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|, and log(1 + e) = 2 atanh(e / (2 + e)).
TK_INLINE f64v softplus_f64(f64v x) {
  // (2 atanh(s) / s - 2) / s^2 in s^2, s <= 1/3.
  static const double p[] = {
    0x1.5555555555555p-1, 0x1.9999999999944p-2, 0x1.2492492499d46p-2, 0x1.c71c71bedea97p-3,
    0x1.745d19937b1fcp-3, 0x1.3b13515f6f9efp-3, 0x1.111abdc8abe16p-3, 0x1.e0a2d581ab68fp-4,
    0x1.bc37f0140c19ep-4, 0x1.32e0d25c9c761p-4, 0x1.401d3e65cdc48p-3,
  };
  f64v e = exp_f64(-abs_f64(x));
  // 2 s and not s, as the half of a subnormal e would lose its last bit.
  f64v s2 = (e + e) / (2.0 + e);
  f64v s = 0.5 * s2;
  f64v z = s * s;
  f64v tail = s2 + s * (z * TK_POLYNOMIAL_F64(z, p));
  return (x < 0.0 ? (f64v)0.0 : x) + tail;
}

// x - n pi/2 as a sum, n being the nearest integer; exact products as each part of pi/2 has 33 bits
// and n has at most 20. Beyond LIMIT_TRIG_F64 callers fall back to the C library.
#define LIMIT_TRIG_F64 0x1.9p19

typedef struct {
  f64v sin;
  f64v cos;
  u64v quadrant;
} sincos_f64;

TK_INLINE sincos_f64 sincos_of_f64(f64v x) {
  // (sin r / r - 1) / r^2 and (cos r - 1 + r^2 / 2) / r^4, in r^2, |r| <= pi/4.
  static const double s[] = {
    -0x1.5555555555555p-3, 0x1.1111111110bafp-7, -0x1.a01a019e82d53p-13,
    0x1.71de37957503dp-19, -0x1.ae6009e2148ep-26, 0x1.5e0ab20641569p-33,
  };
  static const double c[] = {
    0x1.5555555555555p-5, -0x1.6c16c16c16965p-10, 0x1.a01a019f4e451p-16,
    -0x1.27e4fa174f62cp-22, 0x1.1eeb6858c7e58p-29, -0x1.907d3b5c05656p-37,
  };
  f64v rounded = x * 0x1.45f306dc9c883p-1 + ROUNDER_F64;
  f64v n = rounded - ROUNDER_F64;
  f64v t = x - n * 0x1.921fb544p+0;
  f64v w = n * 0x1.0b4611a6p-34;
  f64v u = t - w;
  f64v rest = n * 0x1.3198a2e037073p-69 - ((t - u) - w);
  f64v r = u - rest;
  f64v low = (u - r) - rest;
  f64v z = r * r;
  sincos_f64 y;
  y.quadrant = bits_f64(rounded);
  y.sin = r + (r * z * TK_POLYNOMIAL_F64(z, s) + low * (1.0 - 0.5 * z));
  // 1 - z/2 loses bits when rounded; (1 - h) - z/2 recovers them.
  f64v h = 1.0 - 0.5 * z;
  y.cos = h + (((1.0 - h) - 0.5 * z) + (z * z * TK_POLYNOMIAL_F64(z, c) - r * low));
  return y;
}

TK_INLINE f64v quadrant_f64(sincos_f64 y, u64v quadrant) {
  f64v r = (i64v)((quadrant & 1) != 0) ? y.cos : y.sin;
  return from_bits_f64(bits_f64(r) ^ ((quadrant & 2) << 62));
}

TK_INLINE f64v small_sin_f64(f64v x) {
  sincos_f64 y = sincos_of_f64(x);
  f64v r = quadrant_f64(y, y.quadrant);
  return x == 0.0 ? x : r;  // keeps the sign of zero
}

TK_INLINE f64v small_cos_f64(f64v x) {
  sincos_f64 y = sincos_of_f64(x);
  return quadrant_f64(y, y.quadrant + 1);
}

TK_INLINE f64v sin_f64(f64v x) {
  f64v y = small_sin_f64(x);
  i64v large = !(abs_f64(x) < LIMIT_TRIG_F64);
  if (__builtin_reduce_or(large)) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < TK_LANES_F64; i++) y[i] = large[i] ? sin(x[i]) : y[i];
  }
  return y;
}

TK_INLINE f64v cos_f64(f64v x) {
  f64v y = small_cos_f64(x);
  i64v large = !(abs_f64(x) < LIMIT_TRIG_F64);
  if (__builtin_reduce_or(large)) {
#pragma clang loop unroll(disable)
    for (int i = 0; i < TK_LANES_F64; i++) y[i] = large[i] ? cos(x[i]) : y[i];
  }
  return y;
}

#endif
