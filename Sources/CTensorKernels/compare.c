// Comparison, logic on masks, and selection, with broadcasting.
#include "CTensorKernels.h"
#include "iterate.h"
#include "simd.h"

// One row of out[i] = a[i] RELATION b[i], a byte each.
#define ROW(name, T, RELATION)                                                                  \
  TK_CLONES static void name(const T *a, ptrdiff_t sa, const T *b, ptrdiff_t sb, uint8_t *out,  \
                             ptrdiff_t n) {                                                     \
    TK_ROW(T, out[i] = x RELATION y)                                                            \
  }

#define COMPARISONS(S, T)    \
  ROW(equal_##S, T, ==)      \
  ROW(not_equal_##S, T, !=)  \
  ROW(less_##S, T, <)        \
  ROW(less_equal_##S, T, <=)

COMPARISONS(f32, float)
COMPARISONS(f64, double)
COMPARISONS(i32, int32_t)
COMPARISONS(u8, uint8_t)

ROW(and_u8, uint8_t, &)
ROW(or_u8, uint8_t, |)
ROW(xor_u8, uint8_t, ^)

// The operands are exchanged for > and >=.
#define ROWS(row, p, q, l, r) TK_EACH_ROW(row, p, q, l, r, out) return;

#define COMPARE(S, T)                                                \
  {                                                                  \
    const T *x = a, *y = b;                                          \
    switch (op) {                                                    \
      case TK_EQUAL: ROWS(equal_##S, x, y, 0, 1)                     \
      case TK_NOT_EQUAL: ROWS(not_equal_##S, x, y, 0, 1)             \
      case TK_LESS: ROWS(less_##S, x, y, 0, 1)                       \
      case TK_LESS_EQUAL: ROWS(less_equal_##S, x, y, 0, 1)           \
      case TK_GREATER: ROWS(less_##S, y, x, 1, 0)                    \
      case TK_GREATER_EQUAL: ROWS(less_equal_##S, y, x, 1, 0)        \
    }                                                                \
    return;                                                          \
  }

void tk_compare(tk_type type, tk_compare_op op, int rank, const ptrdiff_t *dims,
                const void *a, const ptrdiff_t *a_strides,
                const void *b, const ptrdiff_t *b_strides, uint8_t *out) {
  tk_rows rows;
  if (!tk_rows_start(&rows, rank, dims)) return;
  tk_rows_add(&rows, rank, a_strides);
  tk_rows_add(&rows, rank, b_strides);
  ptrdiff_t n = rows.inner_dim;
  switch (type) {
    case TK_FLOAT32: COMPARE(f32, float)
    case TK_FLOAT64: COMPARE(f64, double)
    case TK_INT32: COMPARE(i32, int32_t)
    case TK_BOOL: COMPARE(u8, uint8_t)
  }
}

void tk_logical(tk_logical_op op, int rank, const ptrdiff_t *dims,
                const uint8_t *a, const ptrdiff_t *a_strides,
                const uint8_t *b, const ptrdiff_t *b_strides, uint8_t *out) {
  tk_rows rows;
  if (!tk_rows_start(&rows, rank, dims)) return;
  tk_rows_add(&rows, rank, a_strides);
  tk_rows_add(&rows, rank, b_strides);
  ptrdiff_t n = rows.inner_dim;
  switch (op) {
    case TK_AND: ROWS(and_u8, a, b, 0, 1)
    case TK_OR: ROWS(or_u8, a, b, 0, 1)
    case TK_XOR: ROWS(xor_u8, a, b, 0, 1)
  }
}

TK_CLONES static void not_loop(const uint8_t *x, uint8_t *out, size_t count) {
  TK_VECTORIZE for (size_t i = 0; i < count; i++) out[i] = x[i] ^ 1;
}

void tk_logical_not(const uint8_t *x, uint8_t *out, size_t count) { not_loop(x, out, count); }

// Selection moves bits, so one loop per element size. A dense mask is the case that matters; dense
// or single operands cover masking by a constant.
#define SELECT(name, T)                                                                       \
  TK_CLONES static void name(const uint8_t *m, ptrdiff_t sm, const T *a, ptrdiff_t sa,        \
                             const T *b, ptrdiff_t sb, T *out, ptrdiff_t n) {                 \
    if (sm == 1) {                                                                            \
      TK_ROW(T, out[i] = m[i] ? x : y)                                                        \
    } else {                                                                                  \
      for (ptrdiff_t i = 0; i < n; i++) out[i] = m[i * sm] ? a[i * sa] : b[i * sb];           \
    }                                                                                         \
  }

SELECT(select_u8, uint8_t)
SELECT(select_u32, uint32_t)
SELECT(select_u64, uint64_t)

#define SELECT_ROWS(row, T)                                                                  \
  {                                                                                          \
    const T *x = a, *y = b;                                                                  \
    T *z = out;                                                                              \
    do {                                                                                     \
      row(mask + rows.offset[0], rows.inner[0], x + rows.offset[1], rows.inner[1],           \
          y + rows.offset[2], rows.inner[2], z, n);                                          \
      z += n;                                                                                \
    } while (tk_rows_next(&rows));                                                           \
    return;                                                                                  \
  }

void tk_select(tk_type type, int rank, const ptrdiff_t *dims,
               const uint8_t *mask, const ptrdiff_t *mask_strides,
               const void *a, const ptrdiff_t *a_strides,
               const void *b, const ptrdiff_t *b_strides, void *out) {
  tk_rows rows;
  if (!tk_rows_start(&rows, rank, dims)) return;
  tk_rows_add(&rows, rank, mask_strides);
  tk_rows_add(&rows, rank, a_strides);
  tk_rows_add(&rows, rank, b_strides);
  ptrdiff_t n = rows.inner_dim;
  switch (type) {
    case TK_FLOAT32:
    case TK_INT32: SELECT_ROWS(select_u32, uint32_t)
    case TK_FLOAT64: SELECT_ROWS(select_u64, uint64_t)
    case TK_BOOL: SELECT_ROWS(select_u8, uint8_t)
  }
}
