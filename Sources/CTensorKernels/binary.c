// Arithmetic of two tensors with broadcasting.
#include <math.h>

#include "CTensorKernels.h"
#include "iterate.h"
#include "pow.h"
#include "simd.h"

#define MAXIMUM(a, b) ((a) > (b) || (a) != (a) ? (a) : (b))
#define MINIMUM(a, b) ((a) < (b) || (a) != (a) ? (a) : (b))

#define ROW(name, T, EXPRESSION)                                                            \
  TK_CLONES static void name(const T *a, ptrdiff_t sa, const T *b, ptrdiff_t sb, T *out,    \
                             ptrdiff_t n) {                                                 \
    TK_ROW(T, out[i] = EXPRESSION)                                                          \
  }

#define FLOAT_ROWS(S, T)                 \
  ROW(add_##S, T, x + y)                 \
  ROW(subtract_##S, T, x - y)            \
  ROW(multiply_##S, T, x *y)             \
  ROW(divide_##S, T, x / y)              \
  ROW(maximum_##S, T, MAXIMUM(x, y))     \
  ROW(minimum_##S, T, MINIMUM(x, y))

FLOAT_ROWS(f32, float)
FLOAT_ROWS(f64, double)

// Returns whether a result does not fit. T is unsigned where the arithmetic wraps, and 64 bits wide
// where it does not; LOST is negative where r lost something.
#define CHECKED_ROW(name, T, EXPRESSION, LOST)                                              \
  TK_CLONES static int name(const int32_t *a, ptrdiff_t sa, const int32_t *b, ptrdiff_t sb, \
                            int32_t *out, ptrdiff_t n) {                                    \
    int32_t lost = 0;                                                                       \
    TK_ROW(T, T r = EXPRESSION; out[i] = (int32_t)r; lost |= (int32_t)(LOST))               \
    return lost < 0;                                                                        \
  }

// A sum is lost where both terms have the sign that it has not; a product where its upper half is
// not the sign of the lower.
CHECKED_ROW(add_i32, uint32_t, x + y, (x ^ r) & (y ^ r))
CHECKED_ROW(subtract_i32, uint32_t, x - y, (x ^ y) & (x ^ r))
CHECKED_ROW(multiply_i32, int64_t, x *y, -((int32_t)(r >> 32) != (int32_t)r >> 31))
ROW(maximum_i32, int32_t, x > y ? x : y)
ROW(minimum_i32, int32_t, x < y ? x : y)

static void pow_f64_row(const double *a, ptrdiff_t sa, const double *b, ptrdiff_t sb, double *out,
                        ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i++) out[i] = pow(a[i * sa], b[i * sb]);
}

// m <= 8 elements of an operand; the lanes behind are 1.
TK_INLINE f32h take(const float *p, ptrdiff_t stride, ptrdiff_t m) {
  f32h v = stride == 0 ? *p : 1.0f;
  if (stride == 1 && m == 8) {
    memcpy(&v, p, sizeof v);
  } else if (stride != 0) {
    for (ptrdiff_t j = 0; j < m; j++) v[j] = p[j * stride];
  }
  return v;
}

TK_CLONES static void pow_f32_row(const float *a, ptrdiff_t sa, const float *b, ptrdiff_t sb,
                                  float *out, ptrdiff_t n) {
  for (ptrdiff_t i = 0; i < n; i += 8) {
    ptrdiff_t m = n - i < 8 ? n - i : 8;
    f32h p = pow_f32(take(a + i * sa, sa, m), take(b + i * sb, sb, m));
    memcpy(out + i, &p, (size_t)m * sizeof(float));
  }
}

#define FLOAT_CASES(T)                       \
  case TK_ADD: ROWS(add_##T)                 \
  case TK_SUBTRACT: ROWS(subtract_##T)       \
  case TK_MULTIPLY: ROWS(multiply_##T)       \
  case TK_DIVIDE: ROWS(divide_##T)           \
  case TK_POW: ROWS(pow_##T##_row)           \
  case TK_MAXIMUM: ROWS(maximum_##T)         \
  case TK_MINIMUM: ROWS(minimum_##T)

#define ROWS(row) TK_EACH_ROW(row, x, y, 0, 1, z) return 0;
#define CHECKED_ROWS(row) TK_EACH_ROW(lost |= row, x, y, 0, 1, z) return lost;

int tk_binary(tk_type type, tk_binary_op op, int rank, const ptrdiff_t *dims,
              const void *a, const ptrdiff_t *a_strides,
              const void *b, const ptrdiff_t *b_strides, void *out) {
  tk_rows rows;
  if (!tk_rows_start(&rows, rank, dims)) return 0;
  tk_rows_add(&rows, rank, a_strides);
  tk_rows_add(&rows, rank, b_strides);
  ptrdiff_t n = rows.inner_dim;
  if (type == TK_FLOAT32) {
    const float *x = a, *y = b;
    float *z = out;
    switch (op) { FLOAT_CASES(f32) }
  } else if (type == TK_FLOAT64) {
    const double *x = a, *y = b;
    double *z = out;
    switch (op) { FLOAT_CASES(f64) }
  } else {
    const int32_t *x = a, *y = b;
    int32_t *z = out;
    int lost = 0;
    switch (op) {
      case TK_ADD: CHECKED_ROWS(add_i32)
      case TK_SUBTRACT: CHECKED_ROWS(subtract_i32)
      case TK_MULTIPLY: CHECKED_ROWS(multiply_i32)
      case TK_MAXIMUM: ROWS(maximum_i32)
      case TK_MINIMUM: ROWS(minimum_i32)
      default: break;
    }
  }
  __builtin_trap();
}
