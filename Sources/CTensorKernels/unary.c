// Elementwise functions of one tensor.
#include "CTensorKernels.h"
#include "elementary_f32.h"
#include "elementary_f64.h"
#include "simd.h"

// The functions that are one or two instructions, for both floating-point types.
#define SIMPLE_FUNCTIONS(T, V, I)                                                        \
  TK_INLINE V negate_##T(V x) { return -x; }                                             \
  TK_INLINE V sign_##T(V x) { return x > 0 ? (V)1 : x < 0 ? (V)-1 : x; }                 \
  TK_INLINE V reciprocal_##T(V x) { return 1 / x; }                                      \
  TK_INLINE V square_##T(V x) { return x * x; }                                          \
  TK_INLINE V sqrt_##T(V x) { return __builtin_elementwise_sqrt(x); }                    \
  TK_INLINE V rsqrt_##T(V x) { return 1 / __builtin_elementwise_sqrt(x); }               \
  TK_INLINE V relu_##T(V x) { return x <= 0 ? (V)0 : x; }                                \
  TK_INLINE V floor_##T(V x) { return __builtin_elementwise_floor(x); }                  \
  TK_INLINE V ceil_##T(V x) { return __builtin_elementwise_ceil(x); }                    \
  TK_INLINE V round_##T(V x) { return __builtin_elementwise_rint(x); }

SIMPLE_FUNCTIONS(f32, f32v, i32v)
SIMPLE_FUNCTIONS(f64, f64v, i64v)

#define FLOAT_OPERATIONS(X, T)                                                           \
  X(NEGATE, negate, T) X(ABS, abs, T) X(SIGN, sign, T) X(RECIPROCAL, reciprocal, T)      \
  X(SQUARE, square, T) X(SQRT, sqrt, T) X(RSQRT, rsqrt, T)                               \
  X(EXP, exp, T) X(EXPM1, expm1, T) X(LOG, log, T) X(LOG1P, log1p, T)                    \
  X(SIN, sin, T) X(COS, cos, T)                                                          \
  X(TANH, tanh, T) X(SIGMOID, sigmoid, T) X(SOFTPLUS, softplus, T)                       \
  X(RELU, relu, T) X(GELU, gelu, T) X(SILU, silu, T)                                     \
  X(ERF, erf, T) X(ERFC, erfc, T) X(NORMAL_CDF, normal_cdf, T)                           \
  X(SECH_SQUARED, sech_squared, T) X(GAUSSIAN, gaussian, T)                              \
  X(NORMAL_DENSITY, normal_density, T)                                                   \
  X(FLOOR, floor, T) X(CEIL, ceil, T) X(ROUND, round, T)

typedef float scalar_f32;
typedef double scalar_f64;

// The last, incomplete vector goes through a buffer, so each function is inlined once and no
// element takes a scalar path.
#define LOOP(NAME, name, T)                                                              \
  TK_CLONES static void name##_loop_##T(const scalar_##T *x, scalar_##T *out,            \
                                        size_t n) {                                      \
    enum { lanes = 64 / sizeof(scalar_##T) };                                            \
    for (size_t i = 0; i < n; i += lanes) {                                              \
      if (n - i >= lanes) {                                                              \
        store_##T(out + i, name##_##T(load_##T(x + i)));                                 \
      } else {                                                                           \
        scalar_##T rest[lanes] = {0};                                                    \
        memcpy(rest, x + i, (n - i) * sizeof(scalar_##T));                               \
        store_##T(rest, name##_##T(load_##T(rest)));                                     \
        memcpy(out + i, rest, (n - i) * sizeof(scalar_##T));                             \
      }                                                                                  \
    }                                                                                    \
  }

FLOAT_OPERATIONS(LOOP, f32)
FLOAT_OPERATIONS(LOOP, f64)

#define CASE(NAME, name, T) \
  case TK_##NAME: name##_loop_##T(x, out, count); return;

void tk_unary(tk_type type, tk_unary_op op, const void *x, void *out, size_t count) {
  if (type == TK_FLOAT32) {
    switch (op) { FLOAT_OPERATIONS(CASE, f32) }
  } else if (type == TK_FLOAT64) {
    switch (op) { FLOAT_OPERATIONS(CASE, f64) }
  } else {
    __builtin_trap();
  }
}
