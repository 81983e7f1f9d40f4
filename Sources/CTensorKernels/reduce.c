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

#define SCALAR float
#define VECTOR f32v
#define LOAD load_f32
#define IS_NAN(a) ((a) != (a))
#define NAME(x) min_f32_##x
#define BETTER(a, b) (((a) < (b)) | IS_NAN(a))
#include "extremum_template.h"

#define SCALAR double
#define VECTOR f64v
#define LOAD load_f64
#define IS_NAN(a) ((a) != (a))
#define NAME(x) max_f64_##x
#define BETTER(a, b) (((a) > (b)) | IS_NAN(a))
#include "extremum_template.h"

#define SCALAR double
#define VECTOR f64v
#define LOAD load_f64
#define IS_NAN(a) ((a) != (a))
#define NAME(x) min_f64_##x
#define BETTER(a, b) (((a) < (b)) | IS_NAN(a))
#include "extremum_template.h"

#define SCALAR int32_t
#define VECTOR i32v
#define LOAD load_i32
#define IS_NAN(a) 0
#define NAME(x) max_i32_##x
#define BETTER(a, b) ((a) > (b))
#include "extremum_template.h"

#define SCALAR int32_t
#define VECTOR i32v
#define LOAD load_i32
#define IS_NAN(a) 0
#define NAME(x) min_i32_##x
#define BETTER(a, b) ((a) < (b))
#include "extremum_template.h"

#define VALUES(T)                                                                    \
  if (op == TK_MAX && inner == 1) max_##T##_rows(outer, n, x, out);                  \
  else if (op == TK_MAX) max_##T##_columns(outer, n, inner, x, out);                 \
  else if (inner == 1) min_##T##_rows(outer, n, x, out);                             \
  else min_##T##_columns(outer, n, inner, x, out);                                   \
  return;

void tk_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
               const void *x, void *out) {
  if (outer == 0 || inner == 0) return;
  if (op == TK_SUM) {
    tk_sum(type, outer, n, inner, x, out);
    return;
  }
  switch (type) {
    case TK_FLOAT32: VALUES(f32)
    case TK_FLOAT64: VALUES(f64)
    case TK_INT32: VALUES(i32)
    case TK_BOOL: __builtin_trap();
  }
}

#define POSITIONS(T)                                                                 \
  if (op == TK_MAX && inner == 1) max_##T##_row_positions(outer, n, x, out);         \
  else if (op == TK_MAX) max_##T##_column_positions(outer, n, inner, x, out);        \
  else if (inner == 1) min_##T##_row_positions(outer, n, x, out);                    \
  else min_##T##_column_positions(outer, n, inner, x, out);                          \
  return;

void tk_arg_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
                   const void *x, int32_t *out) {
  if (outer == 0 || inner == 0) return;
  switch (type) {
    case TK_FLOAT32: POSITIONS(f32)
    case TK_FLOAT64: POSITIONS(f64)
    case TK_INT32: POSITIONS(i32)
    case TK_BOOL: __builtin_trap();
  }
}
