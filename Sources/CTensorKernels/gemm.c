// The matrix product used when no BLAS library is loaded.
#include <stdlib.h>

#include "CTensorKernels.h"
#include "simd.h"

#define SCALAR float
#define NAME(x) x##_f32
#include "gemm_driver.h"

#define SCALAR double
#define NAME(x) x##_f64
#include "gemm_driver.h"

// The register tile is as large as the vector registers allow: 32 of 64 bytes, 16 of 32 bytes, and
// 16 (SSE2) or 32 (NEON) of 16 bytes.
typedef float f32x4 __attribute__((ext_vector_type(4)));
typedef double f64x2 __attribute__((ext_vector_type(2)));

#define TARGET
#if defined(__aarch64__)
#define MR 12
#else
#define MR 4
#endif
#define SUFFIX(x) x##_base
#define VECTOR_F32 f32x4
#define VECTOR_F64 f64x2
#include "gemm_kernels.h"

#if defined(__x86_64__)
typedef double f64x4 __attribute__((ext_vector_type(4)));

#define TARGET __attribute__((target("arch=x86-64-v3")))
#define MR 6
#define SUFFIX(x) x##_v3
#define VECTOR_F32 f32h
#define VECTOR_F64 f64x4
#include "gemm_kernels.h"

// Without min_vector_width the compiler would halve the vectors.
#define TARGET __attribute__((target("arch=x86-64-v4"), min_vector_width(512)))
#define MR 12
#define SUFFIX(x) x##_v4
#define VECTOR_F32 f32v
#define VECTOR_F64 f64v
#include "gemm_kernels.h"

#define BEST_KERNEL(T)                                               \
  (__builtin_cpu_init(),                                             \
   __builtin_cpu_supports("x86-64-v4")   ? &kernel_##T##_v4          \
   : __builtin_cpu_supports("x86-64-v3") ? &kernel_##T##_v3          \
                                         : &kernel_##T##_base)
#else
#define BEST_KERNEL(T) (&kernel_##T##_base)
#endif

// C = beta C, for the products that add nothing to it.
#define SCALE(name, T)                                               \
  static void name(size_t m, size_t n, T beta, T *c, size_t ldc) {   \
    for (size_t i = 0; i < m; i++)                                   \
      for (size_t j = 0; j < n; j++)                                 \
        c[i * ldc + j] = beta == 0 ? 0 : beta * c[i * ldc + j];      \
  }

SCALE(scale_f32, float)
SCALE(scale_f64, double)

#define GEMM(T, S)                                                                              \
  {                                                                                             \
    if (k == 0 || alpha == 0) {                                                                 \
      scale_##S(m, n, (T)beta, c, ldc);                                                         \
      return;                                                                                   \
    }                                                                                           \
    gemm_##S((product_##S){                                                                     \
      .m = m, .n = n, .k = k, .alpha = (T)alpha, .beta = (T)beta,                               \
      .a = {a, transpose_a ? 1 : (ptrdiff_t)lda, transpose_a ? (ptrdiff_t)lda : 1},             \
      .b = {b, transpose_b ? 1 : (ptrdiff_t)ldb, transpose_b ? (ptrdiff_t)ldb : 1},             \
      .c = c, .c_row = (ptrdiff_t)ldc, .c_column = 1, .kernel = BEST_KERNEL(S)});               \
    return;                                                                                     \
  }

void tk_gemm(tk_type type, int transpose_a, int transpose_b, size_t m, size_t n, size_t k,
             double alpha, const void *a, size_t lda, const void *b, size_t ldb,
             double beta, void *c, size_t ldc) {
  if (m == 0 || n == 0) return;
  switch (type) {
    case TK_FLOAT32: GEMM(float, f32)
    case TK_FLOAT64: GEMM(double, f64)
    default: __builtin_trap();
  }
}
