// The kernels of both types for an instruction set; included by gemm.c with TARGET and MR of
// gemm_kernel.h, SUFFIX(x), x with the suffix of the instruction set, and its vectors.

#define SCALAR float
#define VECTOR VECTOR_F32
#define KERNEL gemm_kernel_f32
#define NAME(x) SUFFIX(x##_f32)
#include "gemm_kernel.h"

#define SCALAR double
#define VECTOR VECTOR_F64
#define KERNEL gemm_kernel_f64
#define NAME(x) SUFFIX(x##_f64)
#include "gemm_kernel.h"

#undef TARGET
#undef MR
#undef SUFFIX
#undef VECTOR_F32
#undef VECTOR_F64
