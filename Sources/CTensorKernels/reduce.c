// Sums, maxima and minima over one axis, and the positions of the latter two.
#include "CTensorKernels.h"
#include "simd.h"
#include "sum.h"

#define SCALAR float
#define VECTOR f32v
#define LOAD load_f32
#define IS_NAN(a) ((a) != (a))
#define NAME(x) max_f32_##x
#define BETTER(a, b) (((a) > (b)) | IS_NAN(a))
#include "extremum_template.h"
#define NAME(x) min_f32_##x
#define BETTER(a, b) (((a) < (b)) | IS_NAN(a))
#include "extremum_template.h"
#undef SCALAR
#undef VECTOR
#undef LOAD
#undef IS_NAN

#define SCALAR double
#define VECTOR f64v
#define LOAD load_f64
#define IS_NAN(a) ((a) != (a))
#define NAME(x) max_f64_##x
#define BETTER(a, b) (((a) > (b)) | IS_NAN(a))
#include "extremum_template.h"
#define NAME(x) min_f64_##x
#define BETTER(a, b) (((a) < (b)) | IS_NAN(a))
#include "extremum_template.h"
#undef SCALAR
#undef VECTOR
#undef LOAD
#undef IS_NAN

#define SCALAR int32_t
#define VECTOR i32v
#define LOAD load_i32
#define IS_NAN(a) (0)
#define NAME(x) max_i32_##x
#define BETTER(a, b) (((a) > (b)) | IS_NAN(a))
#include "extremum_template.h"
#define NAME(x) min_i32_##x
#define BETTER(a, b) (((a) < (b)) | IS_NAN(a))
#include "extremum_template.h"
#undef SCALAR
#undef VECTOR
#undef LOAD
#undef IS_NAN

#define REDUCE(T, of_rows, of_columns)                                               \
  if (op == TK_MAX && inner == 1) max_##T##_##of_rows(outer, n, x, out);             \
  else if (op == TK_MAX) max_##T##_##of_columns(outer, n, inner, x, out);            \
  else if (inner == 1) min_##T##_##of_rows(outer, n, x, out);                        \
  else min_##T##_##of_columns(outer, n, inner, x, out);                              \
  return;

void tk_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
               const void *x, void *out) {
  if (outer == 0 || inner == 0) return;
  if (op == TK_SUM) {
    tk_sum(type, outer, n, inner, x, out);
    return;
  }
  switch (type) {
    case TK_FLOAT32: REDUCE(f32, rows, columns)
    case TK_FLOAT64: REDUCE(f64, rows, columns)
    case TK_INT32: REDUCE(i32, rows, columns)
    case TK_BOOL: __builtin_trap();
  }
}

void tk_arg_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
                   const void *x, int32_t *out) {
  if (outer == 0 || inner == 0) return;
  switch (type) {
    case TK_FLOAT32: REDUCE(f32, row_positions, column_positions)
    case TK_FLOAT64: REDUCE(f64, row_positions, column_positions)
    case TK_INT32: REDUCE(i32, row_positions, column_positions)
    case TK_BOOL: __builtin_trap();
  }
}
