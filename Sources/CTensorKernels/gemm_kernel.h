// The innermost loops of the matrix product; included by gemm.c once per type and instruction set,
// with
//   SCALAR, VECTOR   the element type and the instruction set's vector of it
//   MR               rows of the register tile, which is two vectors wide
//   NAME(x)          x with the suffix of type and instruction set
//   KERNEL           the kernel type of gemm_driver.h
//   TARGET           the attribute that selects the instruction set
// A tile of A times a panel of B is an outer product per step of k, accumulated in 2 MR registers.

enum { NAME(WIDTH) = sizeof(VECTOR) / sizeof(SCALAR) };

// `rows` is a constant in every call, so that the loops over it unroll and acc lives in registers.
TK_INLINE void NAME(rows)(int rows, size_t k, const SCALAR *a, ptrdiff_t ar, ptrdiff_t ac,
                          const SCALAR *b, ptrdiff_t br, SCALAR alpha, SCALAR beta, SCALAR *c,
                          ptrdiff_t cr) {
  VECTOR acc[MR][2];
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) acc[i][0] = acc[i][1] = 0;
  for (size_t p = 0; p < k; p++, a += ac, b += br) {
    VECTOR v[2];
    memcpy(v, b, sizeof v);
#pragma clang loop unroll(full)
    for (int i = 0; i < rows; i++) {
      acc[i][0] += a[i * ar] * v[0];
      acc[i][1] += a[i * ar] * v[1];
    }
  }
#pragma clang loop unroll(full)
  for (int i = 0; i < rows; i++) {
    VECTOR v[2];
    if (beta != 0) {
      memcpy(v, c + i * cr, sizeof v);
      v[0] = alpha * acc[i][0] + beta * v[0];
      v[1] = alpha * acc[i][1] + beta * v[1];
    } else {
      v[0] = alpha * acc[i][0];
      v[1] = alpha * acc[i][1];
    }
    memcpy(c + i * cr, v, sizeof v);
  }
}

// C (rows x 2 vectors) = alpha A B + beta C, for any number of rows up to MR.
TARGET static void NAME(tile)(size_t rows, size_t k, const SCALAR *a, ptrdiff_t ar, ptrdiff_t ac,
                              const SCALAR *b, ptrdiff_t br, SCALAR alpha, SCALAR beta, SCALAR *c,
                              ptrdiff_t cr) {
  while (rows > 0) {
    size_t done;
    if (rows >= MR) NAME(rows)(MR, k, a, ar, ac, b, br, alpha, beta, c, cr), done = MR;
    else if (MR > 8 && rows >= 8) NAME(rows)(8, k, a, ar, ac, b, br, alpha, beta, c, cr), done = 8;
    else if (MR > 4 && rows >= 4) NAME(rows)(4, k, a, ar, ac, b, br, alpha, beta, c, cr), done = 4;
    else if (rows >= 2) NAME(rows)(2, k, a, ar, ac, b, br, alpha, beta, c, cr), done = 2;
    else NAME(rows)(1, k, a, ar, ac, b, br, alpha, beta, c, cr), done = 1;
    rows -= done;
    a += (ptrdiff_t)done * ar;
    c += (ptrdiff_t)done * cr;
  }
}

// Writes the top left of a tile of A B, for the edges of C and when its columns are apart.
TARGET static void NAME(merge)(const SCALAR *tile, size_t rows, size_t columns, SCALAR alpha,
                               SCALAR beta, SCALAR *c, ptrdiff_t cr, ptrdiff_t cc) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      SCALAR *out = c + (ptrdiff_t)i * cr + (ptrdiff_t)j * cc;
      SCALAR sum = tile[i * 2 * NAME(WIDTH) + j];
      *out = beta != 0 ? alpha * sum + beta * *out : alpha * sum;
    }
}

// The plain loops, for products too small for a tile.
TARGET static void NAME(small)(size_t m, size_t n, size_t k, const SCALAR *a, ptrdiff_t ar,
                               ptrdiff_t ac, const SCALAR *b, ptrdiff_t br, ptrdiff_t bc,
                               SCALAR alpha, SCALAR beta, SCALAR *c, ptrdiff_t cr) {
  for (size_t i = 0; i < m; i++, a += ar, c += cr)
    for (size_t j = 0; j < n; j++) {
      const SCALAR *x = a, *y = b + (ptrdiff_t)j * bc;
      SCALAR sum = 0;
      for (size_t p = 0; p < k; p++, x += ac, y += br) sum += *x * *y;
      c[j] = beta != 0 ? alpha * sum + beta * c[j] : alpha * sum;
    }
}

static const KERNEL NAME(kernel) = {NAME(tile), NAME(merge), NAME(small), MR, 2 * NAME(WIDTH)};

#undef SCALAR
#undef VECTOR
#undef KERNEL
#undef NAME
