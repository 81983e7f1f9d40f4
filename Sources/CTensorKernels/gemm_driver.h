// The loops around the register tile; included by gemm.c once per type, with SCALAR and NAME(x).
//
// Blocking after K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication",
// ACM TOMS 34 (2008), with strides for all three matrices as in F. Van Zee and R. van de Geijn,
// "BLIS", ACM TOMS 41 (2015): a panel of B of KC rows stays in the first-level cache while the
// MC x KC block of A streams from the second.
//
// An element of C has the same bits whichever of the paths below computes it, so that callers may
// split the rows of C as they like: terms are added in the order of k, KC at a time.

typedef struct {
  void (*tile)(size_t rows, size_t k, const SCALAR *a, ptrdiff_t ar, ptrdiff_t ac, const SCALAR *b,
               ptrdiff_t br, SCALAR alpha, SCALAR beta, SCALAR *c, ptrdiff_t cr);
  void (*merge)(const SCALAR *tile, size_t rows, size_t columns, SCALAR alpha, SCALAR beta,
                SCALAR *c, ptrdiff_t cr, ptrdiff_t cc);
  void (*small)(size_t m, size_t n, size_t k, const SCALAR *a, ptrdiff_t ar, ptrdiff_t ac,
                const SCALAR *b, ptrdiff_t br, ptrdiff_t bc, SCALAR alpha, SCALAR beta, SCALAR *c,
                ptrdiff_t cr);
  size_t rows;
  size_t columns;
} NAME(gemm_kernel);

// Element (i, j) lies at data[i * row + j * column].
typedef struct {
  const SCALAR *data;
  ptrdiff_t row;
  ptrdiff_t column;
} NAME(matrix);

typedef struct {
  size_t m, n, k;
  SCALAR alpha, beta;
  NAME(matrix) a, b;
  SCALAR *c;
  ptrdiff_t c_row, c_column;
  const NAME(gemm_kernel) *kernel;
  int packs_a, packs_b;
  SCALAR *packed_a, *packed_b, *part;
} NAME(product);

TK_INLINE NAME(matrix) NAME(at)(NAME(matrix) x, size_t i, size_t j) {
  x.data += (ptrdiff_t)i * x.row + (ptrdiff_t)j * x.column;
  return x;
}

// `height` rows of A as [k][height], so that a step of k reads neighbours.
static void NAME(pack_rows)(NAME(matrix) a, size_t height, size_t k, SCALAR *out) {
  if (a.row == 1) {
    for (size_t p = 0; p < k; p++, out += height, a.data += a.column)
      for (size_t i = 0; i < height; i++) out[i] = a.data[i];
  } else {
    for (size_t i = 0; i < height; i++, a.data += a.row)
      for (size_t p = 0; p < k; p++) out[p * height + i] = a.data[(ptrdiff_t)p * a.column];
  }
}

// `width` columns of B as [k][padded], zeros behind: a tile reads whole vectors, and what is not
// initialised may be slow to multiply.
static void NAME(pack_columns)(NAME(matrix) b, size_t k, size_t width, size_t padded, SCALAR *out) {
  if (b.column == 1 && width == padded) {
    for (size_t p = 0; p < k; p++, b.data += b.row)
      memcpy(out + p * padded, b.data, padded * sizeof(SCALAR));
    return;
  }
  if (width < padded) memset(out, 0, k * padded * sizeof(SCALAR));
  if (b.column == 1) {
    for (size_t p = 0; p < k; p++, b.data += b.row)
      for (size_t j = 0; j < width; j++) out[p * padded + j] = b.data[j];
  } else {
    for (size_t j = 0; j < width; j++, b.data += b.column)
      for (size_t p = 0; p < k; p++) out[p * padded + j] = b.data[(ptrdiff_t)p * b.row];
  }
}

// Rows ic... and columns jc... of C, for the terms pc... of the sum.
static void NAME(multiply_block)(const NAME(product) *x, size_t ic, size_t height, size_t jc,
                                 size_t width, size_t pc, size_t depth) {
  size_t mr = x->kernel->rows, nr = x->kernel->columns;
  SCALAR beta = pc == 0 ? x->beta : 1;
  for (size_t j = 0; j < width; j += nr) {
    size_t columns = width - j < nr ? width - j : nr;
    // An incomplete panel is packed in any case, as a tile reads beyond its end.
    int packed = x->packs_b || columns < nr;
    const SCALAR *b = packed ? x->packed_b + j * depth : NAME(at)(x->b, pc, jc + j).data;
    ptrdiff_t b_row = packed ? (ptrdiff_t)nr : x->b.row;
    for (size_t i = 0; i < height; i += mr) {
      size_t rows = height - i < mr ? height - i : mr;
      NAME(matrix) a = {x->packed_a + i * depth, 1, (ptrdiff_t)rows};
      if (!x->packs_a) a = NAME(at)(x->a, ic + i, pc);
      SCALAR *c = x->c + (ptrdiff_t)(ic + i) * x->c_row + (ptrdiff_t)(jc + j) * x->c_column;
      if (columns == nr && x->c_column == 1) {
        x->kernel->tile(rows, depth, a.data, a.row, a.column, b, b_row, x->alpha, beta, c,
                        x->c_row);
      } else {
        x->kernel->tile(rows, depth, a.data, a.row, a.column, b, b_row, 1, 0, x->part,
                        (ptrdiff_t)nr);
        x->kernel->merge(x->part, rows, columns, x->alpha, beta, c, x->c_row, x->c_column);
      }
    }
  }
}

static void NAME(blocked_gemm)(NAME(product) x) {
  enum { MC = 96, KC = 256, NC = 4096 };
  size_t mr = x.kernel->rows, nr = x.kernel->columns;
  // Packing must be worth it: a panel of B is read once per mr rows, a row of A once per nr
  // columns. Rows that lie far apart would evict each other from the cache: those of A are packed
  // anyway.
  x.packs_b = x.b.column != 1 || x.m > 3 * mr;
  x.packs_a = x.n > 2 * nr || (x.a.row != 1 && x.a.row * sizeof(SCALAR) > 1024);
  size_t kc = x.k < KC ? x.k : KC, nc = x.n < NC ? x.n : NC, mc = x.m < MC ? x.m : MC;
  size_t b_size = x.packs_b || x.n % nr != 0 ? kc * ((nc + nr - 1) / nr * nr) : 0;
  size_t a_size = x.packs_a ? kc * mc : 0;
  SCALAR *buffer = malloc((b_size + a_size + mr * nr) * sizeof(SCALAR));
  x.packed_b = buffer;
  x.packed_a = buffer + b_size;
  x.part = buffer + b_size + a_size;
  for (size_t jc = 0; jc < x.n; jc += NC) {
    size_t width = x.n - jc < NC ? x.n - jc : NC;
    for (size_t pc = 0; pc < x.k; pc += KC) {
      size_t depth = x.k - pc < KC ? x.k - pc : KC;
      for (size_t j = x.packs_b ? 0 : width / nr * nr; j < width; j += nr) {
        NAME(pack_columns)(NAME(at)(x.b, pc, jc + j), depth, width - j < nr ? width - j : nr, nr,
                           x.packed_b + j * depth);
      }
      for (size_t ic = 0; ic < x.m; ic += MC) {
        size_t height = x.m - ic < MC ? x.m - ic : MC;
        for (size_t i = 0; x.packs_a && i < height; i += mr) {
          NAME(pack_rows)(NAME(at)(x.a, ic + i, pc), height - i < mr ? height - i : mr, depth,
                          x.packed_a + i * depth);
        }
        NAME(multiply_block)(&x, ic, height, jc, width, pc, depth);
      }
    }
  }
  free(buffer);
}

static void NAME(gemm)(NAME(product) x) {
  if (x.m * x.n * x.k <= 64) {
    x.kernel->small(x.m, x.n, x.k, x.a.data, x.a.row, x.a.column, x.b.data, x.b.row, x.b.column,
                    x.alpha, x.beta, x.c, x.c_row);
    return;
  }
  // A narrow C wastes most of a tile; its transpose does not: C' = B' A'.
  if (x.n < x.m && x.n <= x.kernel->columns / 2) {
    NAME(product) y = x;
    y.m = x.n, y.n = x.m;
    y.a = (NAME(matrix)){x.b.data, x.b.column, x.b.row};
    y.b = (NAME(matrix)){x.a.data, x.a.column, x.a.row};
    y.c_row = x.c_column, y.c_column = x.c_row;
    x = y;
  }
  NAME(blocked_gemm)(x);
}

#undef SCALAR
#undef NAME
