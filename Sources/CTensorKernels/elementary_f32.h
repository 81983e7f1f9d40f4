// The elementary functions on vectors of floats, each within 2 ulp or so.
#ifndef TK_ELEMENTARY_F32_H
#define TK_ELEMENTARY_F32_H

#include <math.h>

#include "elementary_f64.h"
#include "series_f32.h"
#include "simd.h"

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

// The upper half of the digits, so that products of two halves are exact.
TK_INLINE f32v upper_f32(f32v x) { return from_bits_f32(bits_f32(x) & 0xfffff000); }

#define SCALAR float
#define V f32v
#define U u32v
#define I i32v
#define NAME(x) x##_f32
#define POLYNOMIAL TK_POLYNOMIAL_F32
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

// x - n pi/2, n being the nearest integer, reduced in double precision.
typedef struct {
  f32h r;
  u64v n;
} reduced_f32;

TK_INLINE reduced_f32 reduce_f32(f32h single) {
  f64v x = __builtin_convertvector(single, f64v);
  f64v rounded = x * 0x1.45f306dc9c883p-1 + rounder_f64;
  f64v n = rounded - rounder_f64;
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

// y, the values of f by the C library where x is large.
#define OTHERWISE(f)                                                            \
  i32v large = !(abs_f32(x) < (float)LIMIT_TRIG_F64);                              \
  if (__builtin_reduce_or(large)) {                                             \
    _Pragma("clang loop unroll(disable)")                                       \
    for (int i = 0; i < TK_LANES_F32; i++) y[i] = large[i] ? f(x[i]) : y[i];       \
  }                                                                             \
  return y;

TK_INLINE f32v sin_f32(f32v x) {
  f32v y = small_sin_f32(x, (u32v)0);
  y = x == 0.0f ? x : y;  // keeps the sign of zero
  OTHERWISE(sinf)
}

TK_INLINE f32v cos_f32(f32v x) {
  f32v y = small_sin_f32(x, (u32v)1);
  OTHERWISE(cosf)
}

#undef OTHERWISE

#endif
