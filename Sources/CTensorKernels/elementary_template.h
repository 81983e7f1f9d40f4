// exp, log and their relatives on vectors, each within 2 ulp or so; included by elementary_f32.h and
// elementary_f64.h, which define
//   SCALAR, V, U, I   the element type, its vector, and the integer vectors of the same width
//   NAME(x)           x with the suffix of the type
//   POLYNOMIAL(x, c)  Horner's rule
//   HALF              1/2
// behind the constants and polynomials of series_f32.h or series_f64.h.
//
// Methods: J.-M. Muller et al., Handbook of Floating-Point Arithmetic (2nd ed., 2018), and the
// notes of FDLIBM (Sun Microsystems, 1993): Cody-Waite argument reduction, then a short polynomial.
// The polynomials are Chebyshev fits computed for this library at 60 digits.

TK_INLINE V NAME(abs)(V x) { return __builtin_elementwise_abs(x); }
TK_INLINE V NAME(copysign)(V x, V sign) { return __builtin_elementwise_copysign(x, sign); }

// e^(hi + lo) = 2^k (1 + m). k is left apart so that callers can multiply further factors in before
// the one rounding into the subnormal range.
typedef struct {
  V m;
  V k;
  V rounded_k;  // k + rounder
} NAME(exp_parts);

TK_INLINE NAME(exp_parts) NAME(exp_parts_of)(V hi, V lo) {
  NAME(exp_parts) e;
  e.rounded_k = hi * NAME(log2_e) + NAME(rounder);
  e.k = e.rounded_k - NAME(rounder);
  // The high part of ln 2 is so short that its product with k is exact.
  V r = (hi - e.k * NAME(ln2_high)) - (e.k * NAME(ln2_low) - lo);
  e.m = r + r * r * POLYNOMIAL(r, NAME(exp_series));
  return e;
}

// x * 2^k for |k| below twice the largest exponent, in two factors as 2^k itself may overflow or be
// subnormal.
TK_INLINE V NAME(scale)(V x, NAME(exp_parts) e) {
  U k = NAME(bits)(e.rounded_k);
  U half = NAME(bits)(e.k * HALF + NAME(rounder));
  // The shift drops the bits of rounder from `half`; in k - half they cancel.
  return (x * NAME(from_bits)((half + NAME(bias)) << NAME(mantissa))) *
         NAME(from_bits)((k - half + NAME(bias)) << NAME(mantissa));
}

TK_INLINE V NAME(exp)(V x) {
  V y = x > NAME(exp_max) ? (V)NAME(exp_max) : x;
  y = y < NAME(exp_min) ? (V)NAME(exp_min) : y;
  NAME(exp_parts) e = NAME(exp_parts_of)(y, (V)0);
  return NAME(scale)(1 + e.m, e);
}

TK_INLINE V NAME(expm1)(V x) {
  V y = x > NAME(exp_max) ? (V)NAME(exp_max) : x;
  y = y < NAME(expm1_min) ? (V)NAME(expm1_min) : y;
  NAME(exp_parts) e = NAME(exp_parts_of)(y, (V)0);
  // 2^k (m + 1) - 1 = 2^k (m + (1 - 2^-k)); beyond this k the 2^-k no longer counts.
  V capped = e.k > NAME(expm1_cap) ? (V)(NAME(expm1_cap) + NAME(rounder)) : e.rounded_k;
  V inverse_scale = NAME(from_bits)((NAME(bias) - NAME(bits)(capped)) << NAME(mantissa));
  V y1 = NAME(scale)(e.m + (1 - inverse_scale), e);
  return NAME(copysign)(y1, x);
}

// log(1 + f) + k ln 2 + c, c being a small correction. log(1 + f) = 2 atanh(s), s = f / (2 + f).
TK_INLINE V NAME(log_sum)(V f, V k, V c) {
  V s = f / (2 + f);
  V z = s * s;
  V half = HALF * f * f;
  V tail = s * (half + z * POLYNOMIAL(z, NAME(log_series))) + (k * NAME(ln2_low) + c);
  return k * NAME(ln2_high) - ((half - tail) - f);
}

TK_INLINE V NAME(log)(V x) {
  I subnormal = x < NAME(least_normal);
  NAME(log_parts) parts = NAME(log_parts_of)(subnormal ? x * NAME(subnormal_scale) : x);
  V k = subnormal ? parts.k - NAME(subnormal_shift) : parts.k;
  V y = NAME(log_sum)(parts.f, k, (V)0);
  y = x == INFINITY ? x : y;
  y = x == 0 ? (V)-INFINITY : y;
  return (x >= 0) ? y : (V)NAN;
}

TK_INLINE V NAME(log1p)(V x) {
  V u = 1 + x;
  NAME(log_parts) parts = NAME(log_parts_of)(u);
  I direct = parts.k == 0;
  // What rounding 1 + x lost, taken in the order that is exact.
  V error = x > 1 ? 1 - (u - x) : x - (u - 1);
  V c = direct ? (V)0 : error / u;
  V y = NAME(log_sum)(direct ? x : parts.f, parts.k, c);
  y = x == INFINITY ? x : y;
  y = x == -1 ? (V)-INFINITY : y;
  y = (x >= -1) ? y : (V)NAN;
  return NAME(copysign)(y, x);
}

// 1 / cosh^2 x = 4 e / (1 + e)^2, e = e^(-2|x|): the derivative of tanh, which 1 - tanh^2 x loses in
// the tails.
TK_INLINE V NAME(sech_squared)(V x) {
  V e = NAME(exp)(-2 * NAME(abs)(x));
  return 4 * (e / (1 + e * (2 + e)));
}

TK_INLINE V NAME(tanh)(V x) {
  V a = NAME(abs)(x);
  V m = NAME(expm1)(2 * (a > NAME(tanh_max) ? (V)NAME(tanh_max) : a));
  return NAME(copysign)(m / (m + 2), x);
}

// Both branches of 1 / (1 + e^-x) = e^x / (1 + e^x) are taken with the exponential below 1.
TK_INLINE V NAME(sigmoid)(V x) {
  V e = NAME(exp)(-NAME(abs)(x));
  return (x < 0 ? e : (V)1) / (1 + e);
}

// x / (1 + e^-x). Below 0 that is x e^x / (1 + e^x), with the power of two applied last.
TK_INLINE V NAME(silu)(V x) {
  V a = NAME(abs)(x);
  V clamped = a > NAME(silu_max) ? (V)NAME(silu_max) : a;
  NAME(exp_parts) p = NAME(exp_parts_of)(-clamped, (V)0);
  V d = 1 + NAME(scale)(1 + p.m, p);
  return x < 0 ? NAME(scale)(-clamped * (1 + p.m) / d, p) : x / d;
}

// log(1 + e^x) = max(x, 0) + log(1 + e), e = e^-|x|, and log(1 + e) = 2 atanh(e / (2 + e)).
TK_INLINE V NAME(softplus)(V x) {
  V e = NAME(exp)(-NAME(abs)(x));
  // 2 s and not s, as the half of a subnormal e would lose its last bit.
  V s2 = (e + e) / (2 + e);
  V s = HALF * s2;
  V z = s * s;
  V tail = s2 + s * (z * POLYNOMIAL(z, NAME(softplus_series)));
  return (x < 0 ? (V)0 : x) + tail;
}
