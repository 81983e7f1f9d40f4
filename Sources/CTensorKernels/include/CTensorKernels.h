// Vectorised loops under Autodiff's tensors. Every decision (shapes, collapsing of dimensions,
// threading, errors) is taken in Swift; these functions only loop.
//
// Conventions: sizes and strides count elements; tensors are dense row-major unless a stride
// argument says otherwise; `out` is always dense; strides of broadcast dimensions are 0; rank is at
// most TK_MAX_RANK and may be 0 (one element). `bool` is one byte, 0 or 1. Results never depend on
// the number of threads or on how callers split independent rows among them.
#ifndef CTENSORKERNELS_H
#define CTENSORKERNELS_H

#include <stddef.h>
#include <stdint.h>

#define TK_MAX_RANK 8

typedef enum { TK_FLOAT32 = 0, TK_FLOAT64 = 1, TK_INT32 = 2, TK_BOOL = 3 } tk_type;

/// The instruction set chosen at run time: "x86-64-v4", "x86-64-v3", "x86-64" or "arm64".
const char *tk_instruction_set(void);

// MARK: Elementwise. x and out may be the same buffer.

typedef enum {
  TK_NEGATE, TK_ABS, TK_SIGN, TK_RECIPROCAL, TK_SQUARE, TK_SQRT, TK_RSQRT,
  TK_EXP, TK_EXPM1, TK_LOG, TK_LOG1P, TK_SIN, TK_COS,
  TK_TANH, TK_SIGMOID, TK_SOFTPLUS, TK_RELU, TK_GELU, TK_SILU,
  TK_ERF, TK_ERFC, TK_NORMAL_CDF,
  TK_SECH_SQUARED, TK_GAUSSIAN, TK_NORMAL_DENSITY,
  TK_FLOOR, TK_CEIL, TK_ROUND,
} tk_unary_op;

/// out[i] = op(x[i]) for float32 and float64.
/// Errors are below 4 ulp over the whole range; an element's value does not depend on its place.
/// ROUND takes ties to even. SIGN keeps zeros and NaN; RELU turns -0 into 0 and keeps NaN; GELU is
/// x times NORMAL_CDF(x) and SILU x times SIGMOID(x), and both are -0 at minus infinity. GAUSSIAN is
/// e^(-x^2), NORMAL_DENSITY the derivative of NORMAL_CDF and SECH_SQUARED that of TANH.
void tk_unary(tk_type type, tk_unary_op op, const void *x, void *out, size_t count);

typedef enum {
  TK_ADD, TK_SUBTRACT, TK_MULTIPLY, TK_DIVIDE, TK_POW, TK_MAXIMUM, TK_MINIMUM,
} tk_binary_op;

/// out = a op b with broadcasting strides. float32, float64, int32 (no DIVIDE, no POW).
/// MAXIMUM and MINIMUM propagate NaN. Returns whether an int32 result did not fit and was wrapped.
int tk_binary(tk_type type, tk_binary_op op, int rank, const ptrdiff_t *dims,
              const void *a, const ptrdiff_t *a_strides,
              const void *b, const ptrdiff_t *b_strides, void *out);

typedef enum {
  TK_EQUAL, TK_NOT_EQUAL, TK_LESS, TK_LESS_EQUAL, TK_GREATER, TK_GREATER_EQUAL,
} tk_compare_op;

/// IEEE comparison of two tensors of one type (any type) into bytes 0 or 1.
void tk_compare(tk_type type, tk_compare_op op, int rank, const ptrdiff_t *dims,
                const void *a, const ptrdiff_t *a_strides,
                const void *b, const ptrdiff_t *b_strides, uint8_t *out);

typedef enum { TK_AND, TK_OR, TK_XOR } tk_logical_op;
void tk_logical(tk_logical_op op, int rank, const ptrdiff_t *dims,
                const uint8_t *a, const ptrdiff_t *a_strides,
                const uint8_t *b, const ptrdiff_t *b_strides, uint8_t *out);
void tk_logical_not(const uint8_t *x, uint8_t *out, size_t count);

/// out = mask ? a : b, any type.
void tk_select(tk_type type, int rank, const ptrdiff_t *dims,
               const uint8_t *mask, const ptrdiff_t *mask_strides,
               const void *a, const ptrdiff_t *a_strides,
               const void *b, const ptrdiff_t *b_strides, void *out);

/// y[i] += alpha * x[i] (float32, float64).
void tk_axpy(tk_type type, double alpha, const void *x, void *y, size_t count);

/// out[i] = (to) x[i]; bool from a number is x != 0; float to int32 truncates towards zero and
/// saturates, NaN becomes 0.
void tk_cast(tk_type from, tk_type to, const void *x, void *out, size_t count);

/// Every element of out = value, any type.
void tk_fill(tk_type type, double value, void *out, size_t count);

// MARK: Reductions over the middle of [outer, n, inner]; out is [outer, inner].
// Blocked in a fixed order: the same bits whatever the instruction set allows, the same bits on any
// number of threads.

typedef enum { TK_SUM, TK_MAX, TK_MIN } tk_reduce_op;

/// float32, float64, int32 (no SUM). SUM over n == 0 is 0; MAX and MIN need n > 0 and propagate NaN.
/// The error of SUM is that of pairwise summation over blocks, not of a running sum.
void tk_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
               const void *x, void *out);

/// out[index · out_strides] += x[index] over all indices of dims, for a dense x: exact sums over the
/// dimensions whose stride is 0.
void tk_sum_int32(int rank, const ptrdiff_t *dims, const int32_t *x, int64_t *out,
                  const ptrdiff_t *out_strides);

/// Index of the first maximum (op MAX) or minimum (op MIN); the first NaN wins. Needs n > 0.
void tk_arg_reduce(tk_type type, tk_reduce_op op, size_t outer, size_t n, size_t inner,
                   const void *x, int32_t *out);

/// Sum of x[i] * y[i], blocked as tk_reduce.
double tk_dot(tk_type type, const void *x, const void *y, size_t count);

/// Running sums along the middle of [outer, n, inner], from the last element when `reverse`.
/// Returns whether an int32 sum did not fit and was wrapped.
int tk_cumulative_sum(tk_type type, size_t outer, size_t n, size_t inner, int reverse,
                      const void *x, void *out);

// MARK: Movement, any type.

/// dst[index · dst_strides] = src[index · src_strides] over all indices of dims. Strides may be
/// negative or, for src, 0. Serves permute, slice, pad, broadcast, concatenate.
void tk_copy(tk_type type, int rank, const ptrdiff_t *dims,
             const void *src, const ptrdiff_t *src_strides,
             void *dst, const ptrdiff_t *dst_strides);

/// dst [outer, count, inner] = src [outer, length, inner] at indices; indices are in 0..<length.
void tk_gather(tk_type type, size_t outer, size_t length, size_t inner, size_t count,
               const int32_t *indices, const void *src, void *dst);

/// dst [outer, inner] = src [outer, length, inner] at positions [outer, inner] of the middle.
void tk_pick(tk_type type, size_t outer, size_t length, size_t inner, const int32_t *positions,
             const void *src, void *dst);

/// dst [outer, length, inner] = src [outer, inner] at positions [outer, inner] of the middle; the
/// other elements stay.
void tk_place(tk_type type, size_t outer, size_t length, size_t inner, const int32_t *positions,
              const void *src, void *dst);

/// dst [outer, length, inner] += src [outer, count, inner] at indices, in index order.
/// Returns whether an int32 sum did not fit and was wrapped.
int tk_scatter_add(tk_type type, size_t outer, size_t length, size_t inner, size_t count,
                   const int32_t *indices, const void *src, void *dst);

// MARK: Matrix product (the fallback when no BLAS library is found).

/// C = alpha · op(A) · op(B) + beta · C, row-major, op = transpose when the flag is set; A is m×k
/// (k×m when transposed), B is k×n. When beta is 0, C is written without being read.
/// Handles any size; blocked and packed. float32, float64. The bits of C do not depend on how its
/// rows are split over calls; they do on the instruction set, which may fuse multiply and add.
void tk_gemm(tk_type type, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
             double alpha, const void *a, size_t lda, const void *b, size_t ldb,
             double beta, void *c, size_t ldc);

// MARK: Thread-local pointers, nil at first: Swift has no thread-local storage of its own.

typedef enum { TK_HIDDEN_LEVELS, TK_OPEN_LEVELS, TK_FLOAT_PROMOTION, TK_THREAD_SLOTS } tk_slot;
void *tk_thread_slot(tk_slot slot);
void tk_set_thread_slot(tk_slot slot, void *value);

#endif
