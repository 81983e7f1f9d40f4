// The elementary functions in extended precision, and the distance of a result from them.
#ifndef CREFERENCEMATH_H
#define CREFERENCEMATH_H

#include <stddef.h>

typedef enum {
  REFERENCE_NEGATE, REFERENCE_ABS, REFERENCE_SIGN, REFERENCE_RECIPROCAL, REFERENCE_SQUARE,
  REFERENCE_SQRT, REFERENCE_RSQRT, REFERENCE_EXP, REFERENCE_EXPM1, REFERENCE_LOG, REFERENCE_LOG1P,
  REFERENCE_SIN, REFERENCE_COS, REFERENCE_TANH, REFERENCE_SIGMOID, REFERENCE_SOFTPLUS,
  REFERENCE_RELU, REFERENCE_GELU, REFERENCE_SILU, REFERENCE_ERF, REFERENCE_ERFC,
  REFERENCE_NORMAL_CDF, REFERENCE_SECH_SQUARED, REFERENCE_GAUSSIAN, REFERENCE_NORMAL_DENSITY,
  REFERENCE_FLOOR, REFERENCE_CEIL, REFERENCE_ROUND,
} reference_function;

/// Whether `long double` is wider than `double` here; otherwise the double functions below are no
/// better than what they judge.
int reference_is_extended(void);

/// The largest error of got[i] against f(x[i]), in units in the last place of the correctly rounded
/// result; `worst` receives its index. A wrong NaN, infinity or sign of zero is an infinite error.
double reference_error_f32(reference_function f, const float *x, const float *got, size_t count,
                           size_t *worst);
double reference_error_f64(reference_function f, const double *x, const double *got, size_t count,
                           size_t *worst);

/// The same for got[i] against x[i] to the power y[i].
double reference_pow_error_f32(const float *x, const float *y, const float *got, size_t count,
                               size_t *worst);
double reference_pow_error_f64(const double *x, const double *y, const double *got, size_t count,
                               size_t *worst);

#endif
