// Walking the outer dimensions of broadcast operands.
#ifndef TK_ITERATE_H
#define TK_ITERATE_H

#include "CTensorKernels.h"
#include "simd.h"

// The innermost dimension is left to the caller's loop; a counter per outer dimension moves the
// operand offsets (in elements). At most four operands, the last may be a destination.
typedef struct {
  int rank;  // of the outer dimensions
  int operands;
  const ptrdiff_t *dims;
  const ptrdiff_t *strides[4];
  ptrdiff_t index[TK_MAX_RANK];
  ptrdiff_t offset[4];
  ptrdiff_t inner_dim;
  ptrdiff_t inner[4];  // strides of the innermost dimension
} tk_rows;

// Returns 0 when a dimension is 0, so that there is nothing to visit.
TK_INLINE int tk_rows_start(tk_rows *rows, int rank, const ptrdiff_t *dims) {
  rows->dims = dims;
  rows->rank = rank > 0 ? rank - 1 : 0;
  rows->operands = 0;
  rows->inner_dim = rank > 0 ? dims[rank - 1] : 1;
  for (int d = 0; d < rank; d++) {
    if (dims[d] == 0) return 0;
    rows->index[d] = 0;
  }
  return 1;
}

TK_INLINE void tk_rows_add(tk_rows *rows, int rank, const ptrdiff_t *strides) {
  int operand = rows->operands++;
  rows->strides[operand] = strides;
  rows->offset[operand] = 0;
  rows->inner[operand] = rank > 0 ? strides[rank - 1] : 0;
}

// Moves to the next row; returns 0 after the last.
TK_INLINE int tk_rows_next(tk_rows *rows) {
  for (int d = rows->rank - 1; d >= 0; d--) {
    if (++rows->index[d] < rows->dims[d]) {
      for (int o = 0; o < rows->operands; o++) rows->offset[o] += rows->strides[o][d];
      return 1;
    }
    rows->index[d] = 0;
    for (int o = 0; o < rows->operands; o++) {
      rows->offset[o] -= (rows->dims[d] - 1) * rows->strides[o][d];
    }
  }
  return 0;
}

// One row of two operands x of a and y of b, each of which is contiguous, a single element, or
// strided: BODY computes element i. The loops differ in what the compiler knows of the strides.
#define TK_ROW(T, BODY)                                                          \
  if (sa == 1 && sb == 1) {                                                      \
    TK_VECTORIZE TK_ROW_LOOP(T x = a[i] COMMA y = b[i], BODY)                    \
  } else if (sa == 1 && sb == 0) {                                               \
    T y = *b;                                                                    \
    TK_VECTORIZE TK_ROW_LOOP(T x = a[i], BODY)                                   \
  } else if (sa == 0 && sb == 1) {                                               \
    T x = *a;                                                                    \
    TK_VECTORIZE TK_ROW_LOOP(T y = b[i], BODY)                                   \
  } else {                                                                       \
    TK_ROW_LOOP(T x = a[i * sa] COMMA y = b[i * sb], BODY)                       \
  }
#define TK_ROW_LOOP(OPERANDS, BODY)         \
  for (ptrdiff_t i = 0; i < n; i++) {       \
    OPERANDS;                               \
    BODY;                                   \
  }
#define COMMA ,

// `row` over all rows of operands p and q, whose places in `rows` are l and r.
#define TK_EACH_ROW(row, p, q, l, r, out)                                                  \
  do {                                                                                     \
    row(p + rows.offset[l], rows.inner[l], q + rows.offset[r], rows.inner[r], out, n);     \
    out += n;                                                                              \
  } while (tk_rows_next(&rows));

#endif
