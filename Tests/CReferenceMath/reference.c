#include "CReferenceMath.h"

#include <float.h>
#include <math.h>

int reference_is_extended(void) { return LDBL_MANT_DIG > DBL_MANT_DIG; }

// erfc(-x / sqrt 2) / 2. The rounding error of the argument is magnified by x^2 in the tail, so it
// is computed and corrected for to first order.
static long double normal_cdf(long double x) {
  long double c = 0.70710678118654752440084436210484903928L;
  long double c_error = -fmal(c, c, -0.5L) / (2 * c);
  long double t = -x * c;
  long double y = erfcl(t);
  if (fabsl(x) > 1e4L || isnan(x)) return y / 2;
  long double t_error = fmal(-x, c, -t) - x * c_error;
  return (y - t_error * 1.12837916709551257389615890312154517L * expl(-t * t)) / 2;
}

static long double evaluate(reference_function f, long double x) {
  switch (f) {
    case REFERENCE_NEGATE: return -x;
    case REFERENCE_ABS: return fabsl(x);
    case REFERENCE_SIGN: return x > 0 ? 1 : x < 0 ? -1 : x;
    case REFERENCE_RECIPROCAL: return 1 / x;
    case REFERENCE_SQUARE: return x * x;
    case REFERENCE_SQRT: return sqrtl(x);
    case REFERENCE_RSQRT: return 1 / sqrtl(x);
    case REFERENCE_EXP: return expl(x);
    case REFERENCE_EXPM1: return expm1l(x);
    case REFERENCE_LOG: return logl(x);
    case REFERENCE_LOG1P: return log1pl(x);
    case REFERENCE_SIN: return sinl(x);
    case REFERENCE_COS: return cosl(x);
    case REFERENCE_TANH: return tanhl(x);
    case REFERENCE_SIGMOID: return x < 0 ? expl(x) / (1 + expl(x)) : 1 / (1 + expl(-x));
    case REFERENCE_SOFTPLUS: return (x < 0 ? 0 : x) + log1pl(expl(-fabsl(x)));
    case REFERENCE_RELU: return x <= 0 ? 0 : x;
    // The limit at minus infinity, where the product is not a number.
    case REFERENCE_GELU: return x == -INFINITY ? -0.0L : x * normal_cdf(x);
    case REFERENCE_SILU: return x == -INFINITY ? -0.0L : x * evaluate(REFERENCE_SIGMOID, x);
    case REFERENCE_SECH_SQUARED: return 1 / (coshl(x) * coshl(x));
    case REFERENCE_GAUSSIAN: return expl(-x * x);
    case REFERENCE_NORMAL_DENSITY: return 0.39894228040143267793994605993438187L * expl(-x * x / 2);
    case REFERENCE_ERF: return erfl(x);
    case REFERENCE_ERFC: return erfcl(x);
    case REFERENCE_NORMAL_CDF: return normal_cdf(x);
    case REFERENCE_FLOOR: return floorl(x);
    case REFERENCE_CEIL: return ceill(x);
    case REFERENCE_ROUND: return rintl(x);
  }
  return NAN;
}

// `digits` is the precision and `top` the exponent just beyond the range of the result's type.
static double error_in_ulp(long double exact, long double got, int digits, int top) {
  if (isnan(exact) || isnan(got)) return isnan(exact) && isnan(got) ? 0 : INFINITY;
  if (got == 0 && signbit(got) != signbit(exact)) return INFINITY;
  if (exact == 0) return got == 0 ? 0 : INFINITY;
  // What is beyond the range counts as the power of two just above it.
  long double limit = ldexpl(1, top);
  exact = fminl(fmaxl(exact, -limit), limit);
  got = fminl(fmaxl(got, -limit), limit);
  int exponent;
  frexpl(exact, &exponent);
  if (exponent > top) exponent = top;
  if (exponent < 3 - top) exponent = 3 - top;
  return (double)(fabsl(got - exact) / ldexpl(1, exponent - digits));
}

#define LARGEST(EXACT, DIGITS, TOP)                                   \
  double largest = -1;                                                \
  for (size_t i = 0; i < count; i++) {                                \
    double error = error_in_ulp(EXACT, got[i], DIGITS, TOP);          \
    if (error > largest) {                                            \
      largest = error;                                                \
      *worst = i;                                                     \
    }                                                                 \
  }                                                                   \
  return largest;

double reference_error_f32(reference_function f, const float *x, const float *got, size_t count,
                           size_t *worst) {
  LARGEST(evaluate(f, x[i]), FLT_MANT_DIG, FLT_MAX_EXP)
}

double reference_error_f64(reference_function f, const double *x, const double *got, size_t count,
                           size_t *worst) {
  LARGEST(evaluate(f, x[i]), DBL_MANT_DIG, DBL_MAX_EXP)
}

double reference_pow_error_f32(const float *x, const float *y, const float *got, size_t count,
                               size_t *worst) {
  LARGEST(powl(x[i], y[i]), FLT_MANT_DIG, FLT_MAX_EXP)
}

double reference_pow_error_f64(const double *x, const double *y, const double *got, size_t count,
                               size_t *worst) {
  LARGEST(powl(x[i], y[i]), DBL_MANT_DIG, DBL_MAX_EXP)
}
