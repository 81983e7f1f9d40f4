// Powers on vectors.
#ifndef TK_POW_H
#define TK_POW_H

#include "elementary_f64.h"

// x^y with the special cases of C11 annex F. In double precision e^(y log x) keeps single precision
// even at the largest exponents.
TK_INLINE f32h pow_f32(f32h x, f32h y) {
  f32h magnitude = __builtin_elementwise_abs(x);
  f64v wide = __builtin_convertvector(y, f64v) *
              log_f64(__builtin_convertvector(magnitude, f64v));
  f32h p = __builtin_convertvector(exp_f64(wide), f32h);
  // A negative base needs an integer exponent, and an odd one gives a negative power.
  f32h half = 0.5f * y;
  i32h whole = __builtin_elementwise_floor(y) == y;
  i32h odd = whole & (__builtin_elementwise_floor(half) != half);
  i32h undefined = (x < 0.0f) & (x > -INFINITY) & ~whole;
  p = undefined ? (f32h)NAN : __builtin_elementwise_copysign(p, odd ? x : (f32h)1.0f);
  // (-1)^inf is 1 where the product above is inf * 0; and x^0 = 1^y = 1 even when the other is NaN.
  i32h one = ((magnitude == 1.0f) & (__builtin_elementwise_abs(y) == INFINITY)) |
             (x == 1.0f) | (y == 0.0f);
  return one ? (f32h)1.0f : p;
}

#endif
