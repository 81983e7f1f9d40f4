// Fixed-width vectors and the attribute that compiles a loop once per instruction set.
//
// The elementary functions are written on 64-byte clang vectors rather than left to the
// auto-vectoriser: a vector wider than the machine's is split by the compiler, so one source serves
// SSE2, AVX2, AVX-512 and NEON, is vectorised by construction, and gives an element the same value
// wherever it stands in its array. a * b + c is contracted to a fused multiply-add where the
// machine has one.
#ifndef TK_SIMD_H
#define TK_SIMD_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CTensorKernels.h"

// target_clones rests on ifunc, which the dynamic loaders of glibc have and musl and macOS lack. The
// loader calls its resolvers before a sanitizer is ready for the instrumented code in them.
#if defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer) || \
    __has_feature(memory_sanitizer)
#define TK_IS_SANITIZED 1
#endif
#endif
#if defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) && defined(__clang__) && \
    !defined(TK_IS_SANITIZED)
#define TK_HAS_CLONES 1
#define TK_CLONES __attribute__((target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define TK_HAS_CLONES 0
#define TK_CLONES
#endif

// A helper takes the instruction set of the clone it is inlined into, so it must be inlined. As no
// call remains, the warning that wide vectors change a call's ABI does not apply.
#define TK_INLINE static inline __attribute__((always_inline))
#pragma clang diagnostic ignored "-Wpsabi"

// The iterations of an elementwise loop are independent even when out is one of the inputs.
#define TK_VECTORIZE _Pragma("clang loop vectorize(assume_safety)")

enum { TK_LANES_F32 = 16, TK_LANES_F64 = 8, TK_LANES_I32 = 16 };

typedef float f32v __attribute__((ext_vector_type(16)));
typedef int32_t i32v __attribute__((ext_vector_type(16)));
typedef uint32_t u32v __attribute__((ext_vector_type(16)));
typedef double f64v __attribute__((ext_vector_type(8)));
typedef long i64v __attribute__((ext_vector_type(8)));  // what comparing two f64v gives
typedef unsigned long u64v __attribute__((ext_vector_type(8)));
typedef float f32h __attribute__((ext_vector_type(8)));
typedef int32_t i32h __attribute__((ext_vector_type(8)));

TK_INLINE size_t tk_element_size(tk_type type) {
  return type == TK_FLOAT64 ? 8 : type == TK_BOOL ? 1 : 4;
}

// Loading and storing, and reinterpretations, which have names because a cast between vector types
// looks like a conversion. Horner's rule: n is a constant, so the loop unrolls and the coefficients
// become operands.
#define TK_VECTOR(S, T, V, U)                                              \
  TK_INLINE V load_##S(const T *p) {                                       \
    V v;                                                                   \
    memcpy(&v, p, sizeof v);                                               \
    return v;                                                              \
  }                                                                        \
  TK_INLINE void store_##S(T *p, V v) { memcpy(p, &v, sizeof v); }         \
  TK_INLINE U bits_##S(V x) { return (U)x; }                               \
  TK_INLINE V from_bits_##S(U x) { return (V)x; }                          \
  TK_INLINE V polynomial_##S(V x, const T *c, int n) {                     \
    V p = c[n - 1];                                                        \
    _Pragma("clang loop unroll(full)")                                     \
    for (int i = n - 2; i >= 0; i--) p = p * x + c[i];                     \
    return p;                                                              \
  }

TK_VECTOR(f32, float, f32v, u32v)
TK_VECTOR(f64, double, f64v, u64v)
TK_VECTOR(i32, int32_t, i32v, u32v)

#define TK_COUNT(array) ((int)(sizeof(array) / sizeof(array[0])))
#define TK_POLYNOMIAL_F32(x, c) polynomial_f32(x, c, TK_COUNT(c))
#define TK_POLYNOMIAL_F64(x, c) polynomial_f64(x, c, TK_COUNT(c))

#endif
