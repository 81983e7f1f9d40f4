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

#define CAST(name, FROM, TO, EXPRESSION)                                                \
  TK_CLONES static void name(const FROM *x, TO *out, size_t n) {                        \
    for (size_t i = 0; i < n; i++) {                                                    \
      FROM v = x[i];                                                                    \
      out[i] = EXPRESSION;                                                              \
    }                                                                                   \
  }

CAST(f32_to_f64, float, double, (double)v)
CAST(f32_to_i32, float, int32_t, saturate((double)v))
CAST(f32_to_bool, float, uint8_t, v != 0)
CAST(f64_to_f32, double, float, (float)v)
CAST(f64_to_i32, double, int32_t, saturate(v))
CAST(f64_to_bool, double, uint8_t, v != 0)
CAST(i32_to_f32, int32_t, float, (float)v)
CAST(i32_to_f64, int32_t, double, (double)v)
CAST(i32_to_bool, int32_t, uint8_t, v != 0)
CAST(bool_to_f32, uint8_t, float, (float)v)
CAST(bool_to_f64, uint8_t, double, (double)v)
CAST(bool_to_i32, uint8_t, int32_t, (int32_t)v)

void tk_cast(tk_type from, tk_type to, const void *x, void *out, size_t count) {
#define PAIR(from, to) ((from) * 4 + (to))
  switch (PAIR(from, to)) {
    case PAIR(TK_FLOAT32, TK_FLOAT64): f32_to_f64(x, out, count); return;
    case PAIR(TK_FLOAT32, TK_INT32): f32_to_i32(x, out, count); return;
    case PAIR(TK_FLOAT32, TK_BOOL): f32_to_bool(x, out, count); return;
    case PAIR(TK_FLOAT64, TK_FLOAT32): f64_to_f32(x, out, count); return;
    case PAIR(TK_FLOAT64, TK_INT32): f64_to_i32(x, out, count); return;
    case PAIR(TK_FLOAT64, TK_BOOL): f64_to_bool(x, out, count); return;
    case PAIR(TK_INT32, TK_FLOAT32): i32_to_f32(x, out, count); return;
    case PAIR(TK_INT32, TK_FLOAT64): i32_to_f64(x, out, count); return;
    case PAIR(TK_INT32, TK_BOOL): i32_to_bool(x, out, count); return;
    case PAIR(TK_BOOL, TK_FLOAT32): bool_to_f32(x, out, count); return;
    case PAIR(TK_BOOL, TK_FLOAT64): bool_to_f64(x, out, count); return;
    case PAIR(TK_BOOL, TK_INT32): bool_to_i32(x, out, count); return;
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
