// The elementary functions on vectors of doubles, each within 2 ulp or so.
#ifndef TK_ELEMENTARY_F64_H
#define TK_ELEMENTARY_F64_H

#include <math.h>

#include "series_f64.h"
#include "simd.h"

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

// The upper half of the digits, so that products of two halves are exact.
TK_INLINE f64v upper_f64(f64v x) { return from_bits_f64(bits_f64(x) & 0xfffffffff8000000); }

#define SCALAR double
#define V f64v
#define U u64v
#define I i64v
#define NAME(x) x##_f64
#define POLYNOMIAL TK_POLYNOMIAL_F64
#define HALF ((SCALAR)0.5)
#include "elementary_template.h"
#include "gaussian_template.h"
#undef SCALAR
#undef V
#undef U
#undef I
#undef NAME
#undef POLYNOMIAL
#undef HALF

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
  f64v rounded = x * 0x1.45f306dc9c883p-1 + rounder_f64;
  f64v n = rounded - rounder_f64;
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

// y, the values of f by the C library where x is large.
#define OTHERWISE(f)                                                            \
  i64v large = !(abs_f64(x) < LIMIT_TRIG_F64);                              \
  if (__builtin_reduce_or(large)) {                                             \
    _Pragma("clang loop unroll(disable)")                                       \
    for (int i = 0; i < TK_LANES_F64; i++) y[i] = large[i] ? f(x[i]) : y[i];       \
  }                                                                             \
  return y;

TK_INLINE f64v sin_f64(f64v x) {
  f64v y = small_sin_f64(x);
  OTHERWISE(sin)
}

TK_INLINE f64v cos_f64(f64v x) {
  f64v y = small_cos_f64(x);
  OTHERWISE(cos)
}

#undef OTHERWISE

#endif
