// Sums, dot products and running sums.
//
// The order of additions is fixed by the sizes alone: lanes of fixed width within a block, a binary
// tree over blocks. The same bits come out of every instruction set, number of threads and split of
// the rows, and the error grows with the logarithm of the number of blocks (N. Higham, "The
// accuracy of floating point summation", SIAM J. Sci. Comput. 14, 1993).
#include "sum.h"

#include "iterate.h"
#include "simd.h"

// A fused multiply-add would give the dot product other bits where the hardware has one.
#pragma STDC FP_CONTRACT OFF

// Elements of a row, and rows of a column, that are added without the tree.
enum { BLOCK = 512, BLOCK_ROWS = 128 };

#define SCALAR float
#define VECTOR f32v
#define NAME(x) x##_f32
#define LOAD load_f32
#include "sum_template.h"

#define SCALAR double
#define VECTOR f64v
#define NAME(x) x##_f64
#define LOAD load_f64
#include "sum_template.h"

// Integers are summed in 64 bits, exactly: 2^32 of them do not overflow.
TK_CLONES static int64_t row_sum_i32(const int32_t *x, ptrdiff_t n) {
  int64_t sum = 0;
  for (ptrdiff_t i = 0; i < n; i++) sum += x[i];
  return sum;
}

void tk_sum_int32(int rank, const ptrdiff_t *dims, const int32_t *x, int64_t *out,
                  const ptrdiff_t *out_strides) {
  tk_rows rows;
  if (!tk_rows_start(&rows, rank, dims)) return;
  tk_rows_add(&rows, rank, out_strides);
  ptrdiff_t n = rows.inner_dim, stride = rows.inner[0];
  do {
    int64_t *z = out + rows.offset[0];
    if (stride == 0) {
      *z += row_sum_i32(x, n);
    } else {
      for (ptrdiff_t i = 0; i < n; i++) z[i * stride] += x[i];
    }
    x += n;
  } while (tk_rows_next(&rows));
}

static int cumulative_i32(size_t outer, size_t n, size_t inner, int reverse, const int32_t *x,
                          int32_t *out) {
  int lost = 0;
  for (size_t o = 0; o < outer; o++, x += n * inner, out += n * inner) {
    for (size_t j = 0; j < inner; j++) {
      int32_t sum = 0;
      for (size_t i = 0; i < n; i++) {
        size_t place = (reverse ? n - 1 - i : i) * inner + j;
        lost |= __builtin_sadd_overflow(sum, x[place], &sum);
        out[place] = sum;
      }
    }
  }
  return lost;
}

#define SUM(T)                                             \
  if (inner == 1) {                                        \
    row_sums_##T(outer, n, x, out);                        \
  } else if (n == 0) {                                     \
    memset(out, 0, outer * inner * tk_element_size(type)); \
  } else {                                                 \
    column_sums_##T(outer, n, inner, x, out);              \
  }                                                        \
  return;

void tk_sum(tk_type type, size_t outer, size_t n, size_t inner, const void *x, void *out) {
  if (outer == 0 || inner == 0) return;
  switch (type) {
    case TK_FLOAT32: SUM(f32)
    case TK_FLOAT64: SUM(f64)
    default: __builtin_trap();
  }
}

int tk_cumulative_sum(tk_type type, size_t outer, size_t n, size_t inner, int reverse,
                      const void *x, void *out) {
  if (outer == 0 || n == 0 || inner == 0) return 0;
  switch (type) {
    case TK_FLOAT32: cumulative_f32(outer, n, inner, reverse, x, out); return 0;
    case TK_FLOAT64: cumulative_f64(outer, n, inner, reverse, x, out); return 0;
    case TK_INT32: return cumulative_i32(outer, n, inner, reverse, x, out);
    case TK_BOOL: __builtin_trap();
  }
}

// Products of floats and of 32-bit integers are exact in double precision.
#define DOT(name, T, LOAD8)                                                             \
  TK_CLONES static double name(const T *x, const T *y, size_t n) {                      \
    double stack[64];                                                                   \
    stack[0] = 0;                                                                       \
    int top = 0;                                                                        \
    for (size_t start = 0, count = 1; start < n; start += BLOCK, count++) {             \
      size_t end = n - start < BLOCK ? n : start + BLOCK;                               \
      f64v a = 0.0, b = 0.0;                                                            \
      size_t i = start;                                                                 \
      for (; i + 16 <= end; i += 16) {                                                  \
        a += LOAD8(x + i) * LOAD8(y + i);                                               \
        b += LOAD8(x + i + 8) * LOAD8(y + i + 8);                                       \
      }                                                                                 \
      double rest = 0;                                                                  \
      for (; i < end; i++) rest += (double)x[i] * (double)y[i];                         \
      stack[top++] = fold_f64(a + b) + rest;                                            \
      for (size_t c = count; c % 2 == 0; c /= 2, top--) stack[top - 2] += stack[top - 1]; \
    }                                                                                   \
    for (; top > 1; top--) stack[top - 2] += stack[top - 1];                            \
    return stack[0];                                                                    \
  }

TK_INLINE f64v widen_f32(const float *p) {
  f32h v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64v);
}

TK_INLINE f64v widen_i32(const int32_t *p) {
  i32h v;
  memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, f64v);
}

DOT(dot_f32, float, widen_f32)
DOT(dot_f64, double, load_f64)
DOT(dot_i32, int32_t, widen_i32)

double tk_dot(tk_type type, const void *x, const void *y, size_t count) {
  switch (type) {
    case TK_FLOAT32: return dot_f32(x, y, count);
    case TK_FLOAT64: return dot_f64(x, y, count);
    case TK_INT32: return dot_i32(x, y, count);
    case TK_BOOL: __builtin_trap();
  }
}
