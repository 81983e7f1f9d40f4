// Strided copies, gather and scatter. Data is moved by element size, whatever its type.
#include "CTensorKernels.h"
#include "simd.h"

// A copy of two dimensions; the outer ones are walked by the caller. Blocks of 16 x 16 keep a
// transpose within the cache lines it has touched.
#define PLANE(name, T)                                                                          \
  static void name(ptrdiff_t rows, ptrdiff_t columns, const T *src, ptrdiff_t sr, ptrdiff_t sc, \
                   T *dst, ptrdiff_t dr, ptrdiff_t dc) {                                        \
    if (sc == 1 && dc == 1) {                                                                   \
      if (columns < 16) {                                                                       \
        for (ptrdiff_t i = 0; i < rows; i++)                                                    \
          for (ptrdiff_t j = 0; j < columns; j++) dst[i * dr + j] = src[i * sr + j];            \
      } else {                                                                                  \
        for (ptrdiff_t i = 0; i < rows; i++)                                                    \
          memcpy(dst + i * dr, src + i * sr, (size_t)columns * sizeof(T));                      \
      }                                                                                         \
    } else if (sc == 0 && dc == 1) {                                                            \
      for (ptrdiff_t i = 0; i < rows; i++) {                                                    \
        T value = src[i * sr];                                                                  \
        for (ptrdiff_t j = 0; j < columns; j++) dst[i * dr + j] = value;                        \
      }                                                                                         \
    } else {                                                                                    \
      for (ptrdiff_t ib = 0; ib < rows; ib += 16)                                               \
        for (ptrdiff_t jb = 0; jb < columns; jb += 16) {                                        \
          ptrdiff_t ie = rows < ib + 16 ? rows : ib + 16;                                       \
          ptrdiff_t je = columns < jb + 16 ? columns : jb + 16;                                 \
          for (ptrdiff_t i = ib; i < ie; i++)                                                   \
            for (ptrdiff_t j = jb; j < je; j++) dst[i * dr + j * dc] = src[i * sr + j * sc];    \
        }                                                                                       \
    }                                                                                           \
  }

PLANE(plane_u8, uint8_t)
PLANE(plane_u32, uint32_t)
PLANE(plane_u64, uint64_t)

void tk_copy(tk_type type, int rank, const ptrdiff_t *dims,
             const void *src, const ptrdiff_t *src_strides,
             void *dst, const ptrdiff_t *dst_strides) {
  ptrdiff_t n[TK_MAX_RANK], s[TK_MAX_RANK], d[TK_MAX_RANK], index[TK_MAX_RANK] = {0};
  for (int i = 0; i < rank; i++) {
    if (dims[i] == 0) return;
    n[i] = dims[i];
    s[i] = src_strides[i];
    d[i] = dst_strides[i];
  }
  // Make the last but one dimension that in which src is dense, so that a transpose is one plane.
  if (rank > 2 && s[rank - 1] != 1) {
    for (int i = 0; i < rank - 2; i++) {
      if (s[i] != 1 || n[i] == 1) continue;
      int last = rank - 2;
      ptrdiff_t t;
      t = n[i], n[i] = n[last], n[last] = t;
      t = s[i], s[i] = s[last], s[last] = t;
      t = d[i], d[i] = d[last], d[last] = t;
      break;
    }
  }
  ptrdiff_t columns = rank > 0 ? n[rank - 1] : 1;
  ptrdiff_t sc = rank > 0 ? s[rank - 1] : 1, dc = rank > 0 ? d[rank - 1] : 1;
  ptrdiff_t rows = rank > 1 ? n[rank - 2] : 1;
  ptrdiff_t sr = rank > 1 ? s[rank - 2] : 0, dr = rank > 1 ? d[rank - 2] : 0;
  size_t size = tk_element_size(type);
  const char *from = src;
  char *to = dst;
  for (;;) {
    if (size == 4) plane_u32(rows, columns, (const void *)from, sr, sc, (void *)to, dr, dc);
    else if (size == 8) plane_u64(rows, columns, (const void *)from, sr, sc, (void *)to, dr, dc);
    else plane_u8(rows, columns, (const void *)from, sr, sc, (void *)to, dr, dc);
    int i = rank - 3;
    for (; i >= 0; i--) {
      from += s[i] * (ptrdiff_t)size;
      to += d[i] * (ptrdiff_t)size;
      if (++index[i] < n[i]) break;
      index[i] = 0;
      from -= n[i] * s[i] * (ptrdiff_t)size;
      to -= n[i] * d[i] * (ptrdiff_t)size;
    }
    if (i < 0) return;
  }
}

#define MOVES(suffix, T)                                                                      \
  static void gather_##suffix(size_t outer, size_t length, size_t inner, size_t count,        \
                              const int32_t *indices, const T *src, T *dst) {                 \
    for (size_t o = 0; o < outer; o++, src += length * inner, dst += count * inner) {         \
      if (inner == 1) {                                                                       \
        for (size_t i = 0; i < count; i++) dst[i] = src[indices[i]];                          \
      } else {                                                                                \
        for (size_t i = 0; i < count; i++)                                                    \
          memcpy(dst + i * inner, src + (size_t)indices[i] * inner, inner * sizeof(T));       \
      }                                                                                       \
    }                                                                                         \
  }                                                                                           \
  static void pick_##suffix(size_t outer, size_t length, size_t inner,                        \
                            const int32_t *positions, const T *src, T *dst) {                 \
    for (size_t o = 0; o < outer; o++, src += length * inner, positions += inner)             \
      for (size_t j = 0; j < inner; j++) *dst++ = src[(size_t)positions[j] * inner + j];      \
  }                                                                                           \
  static void place_##suffix(size_t outer, size_t length, size_t inner,                       \
                             const int32_t *positions, const T *src, T *dst) {                \
    for (size_t o = 0; o < outer; o++, dst += length * inner, positions += inner)             \
      for (size_t j = 0; j < inner; j++) dst[(size_t)positions[j] * inner + j] = *src++;      \
  }

MOVES(u8, uint8_t)
MOVES(u32, uint32_t)
MOVES(u64, uint64_t)

// The function of the size of the elements.
#define BY_SIZE(name, size, ...)                      \
  switch (size) {                                     \
    case 4: name##_u32(__VA_ARGS__); break;           \
    case 8: name##_u64(__VA_ARGS__); break;           \
    default: name##_u8(__VA_ARGS__);                  \
  }

void tk_gather(tk_type type, size_t outer, size_t length, size_t inner, size_t count,
               const int32_t *indices, const void *src, void *dst) {
  if (inner == 0) return;
  BY_SIZE(gather, tk_element_size(type), outer, length, inner, count, indices, src, dst)
}

void tk_pick(tk_type type, size_t outer, size_t length, size_t inner, const int32_t *positions,
             const void *src, void *dst) {
  BY_SIZE(pick, tk_element_size(type), outer, length, inner, positions, src, dst)
}

void tk_place(tk_type type, size_t outer, size_t length, size_t inner, const int32_t *positions,
              const void *src, void *dst) {
  BY_SIZE(place, tk_element_size(type), outer, length, inner, positions, src, dst)
}

#define SCATTER(name, T)                                                                      \
  TK_CLONES static void name(size_t outer, size_t length, size_t inner, size_t count,         \
                             const int32_t *indices, const T *src, T *dst) {                  \
    for (size_t o = 0; o < outer; o++) {                                                      \
      const T *from = src + o * count * inner;                                                \
      T *to = dst + o * length * inner;                                                       \
      if (inner == 1) {                                                                       \
        for (size_t i = 0; i < count; i++) to[indices[i]] += from[i];                         \
      } else {                                                                                \
        for (size_t i = 0; i < count; i++) {                                                  \
          const T *x = from + i * inner;                                                      \
          T *y = to + (size_t)indices[i] * inner;                                             \
          TK_VECTORIZE for (size_t j = 0; j < inner; j++) y[j] += x[j];                       \
        }                                                                                     \
      }                                                                                       \
    }                                                                                         \
  }

SCATTER(scatter_f32, float)
SCATTER(scatter_f64, double)

// As the others; returns whether a sum did not fit.
static int scatter_i32(size_t outer, size_t length, size_t inner, size_t count,
                       const int32_t *indices, const int32_t *src, int32_t *dst) {
  int lost = 0;
  for (size_t o = 0; o < outer; o++, src += count * inner, dst += length * inner) {
    for (size_t i = 0; i < count; i++) {
      int32_t *y = dst + (size_t)indices[i] * inner;
      for (size_t j = 0; j < inner; j++) {
        lost |= __builtin_sadd_overflow(y[j], src[i * inner + j], &y[j]);
      }
    }
  }
  return lost;
}

int tk_scatter_add(tk_type type, size_t outer, size_t length, size_t inner, size_t count,
                   const int32_t *indices, const void *src, void *dst) {
  switch (type) {
    case TK_FLOAT32: scatter_f32(outer, length, inner, count, indices, src, dst); return 0;
    case TK_FLOAT64: scatter_f64(outer, length, inner, count, indices, src, dst); return 0;
    case TK_INT32: return scatter_i32(outer, length, inner, count, indices, src, dst);
    case TK_BOOL: __builtin_trap();
  }
}
