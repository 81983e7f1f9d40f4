// Scaled addition, conversion between types, filling.
#include <math.h>

#include "CTensorKernels.h"
#include "simd.h"

#define AXPY(name, T)                                                                   \
  TK_CLONES static void name(T alpha, const T *x, T *y, size_t n) {                     \
    TK_VECTORIZE for (size_t i = 0; i < n; i++) y[i] += alpha * x[i];                   \
  }

AXPY(axpy_f32, float)
AXPY(axpy_f64, double)

void tk_axpy(tk_type type, double alpha, const void *x, void *y, size_t count) {
  switch (type) {
    case TK_FLOAT32: axpy_f32((float)alpha, x, y, count); return;
    case TK_FLOAT64: axpy_f64(alpha, x, y, count); return;
    default: __builtin_trap();
  }
}

// C leaves a float outside the range of an integer undefined.
TK_INLINE int32_t saturate(double x) {
  double low = x < -2147483648.0 ? -2147483648.0 : x;
  double high = low > 2147483647.0 ? 2147483647.0 : low;
  return x == x ? (int32_t)high : 0;
}

#define CAST(FROM, T, TO, U, EXPRESSION)                                                \
  TK_CLONES static void cast_##FROM##_##TO(const T *x, U *out, size_t n) {              \
    for (size_t i = 0; i < n; i++) {                                                    \
      T v = x[i];                                                                       \
      out[i] = EXPRESSION;                                                              \
    }                                                                                   \
  }

#define CASTS(X)                                       \
  X(FLOAT32, float, FLOAT64, double, v)                \
  X(FLOAT32, float, INT32, int32_t, saturate(v))       \
  X(FLOAT32, float, BOOL, uint8_t, v != 0)             \
  X(FLOAT64, double, FLOAT32, float, (float)v)         \
  X(FLOAT64, double, INT32, int32_t, saturate(v))      \
  X(FLOAT64, double, BOOL, uint8_t, v != 0)            \
  X(INT32, int32_t, FLOAT32, float, (float)v)          \
  X(INT32, int32_t, FLOAT64, double, v)                \
  X(INT32, int32_t, BOOL, uint8_t, v != 0)             \
  X(BOOL, uint8_t, FLOAT32, float, v)                  \
  X(BOOL, uint8_t, FLOAT64, double, v)                 \
  X(BOOL, uint8_t, INT32, int32_t, v)

CASTS(CAST)

#define PAIR(from, to) ((from) * 4 + (to))
#define CASE(FROM, T, TO, U, EXPRESSION) \
  case PAIR(TK_##FROM, TK_##TO): cast_##FROM##_##TO(x, out, count); return;

void tk_cast(tk_type from, tk_type to, const void *x, void *out, size_t count) {
  switch (PAIR(from, to)) {
    CASTS(CASE)
    default:
      if (count > 0) memmove(out, x, count * tk_element_size(from));
  }
}

#define FILL(name, T)                                                                   \
  TK_CLONES static void name(T value, T *out, size_t n) {                               \
    for (size_t i = 0; i < n; i++) out[i] = value;                                      \
  }

FILL(fill_f32, float)
FILL(fill_f64, double)
FILL(fill_i32, int32_t)

void tk_fill(tk_type type, double value, void *out, size_t count) {
  switch (type) {
    case TK_FLOAT32: fill_f32((float)value, out, count); return;
    case TK_FLOAT64: fill_f64(value, out, count); return;
    case TK_INT32: fill_i32(saturate(value), out, count); return;
    case TK_BOOL:
      if (count > 0) memset(out, value != 0, count);
      return;
  }
}

const char *tk_instruction_set(void) {
#if defined(__aarch64__)
  return "arm64";
#elif TK_HAS_CLONES
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4")   ? "x86-64-v4"
         : __builtin_cpu_supports("x86-64-v3") ? "x86-64-v3"
                                               : "x86-64";
#else
  return "x86-64";
#endif
}
