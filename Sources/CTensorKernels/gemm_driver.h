// The loops around the register tile; included by gemm.c once per type, with SCALAR and NAME(x).
//
// Blocking after K. Goto and R. van de Geijn, "Anatomy of high-performance matrix multiplication", ACM
// TOMS 34 (2008), with strides for all three matrices as in F. Van Zee and R. van de Geijn, "BLIS",
// ACM TOMS 41 (2015): a panel of B of KC rows stays in the first-level cache while the MC x KC block
// of A streams from the second.

typedef struct {
  void (*tile)(size_t rows, size_t k, const SCALAR *a, ptrdiff_t ar, ptrdiff_t ac, const SCALAR *b,
               ptrdiff_t br, SCALAR alpha, SCALAR beta, SCALAR *c, ptrdiff_t cr);
  size_t rows;
  size_t columns;
} NAME(gemm_kernel);

// Element (i, j) lies at data[i * row + j * column].
typedef struct {
  const SCALAR *data;
  ptrdiff_t row;
  ptrdiff_t column;
} NAME(matrix);

// `height` rows of A as [k][height], so that a step of k reads neighbours.
static void NAME(pack_a)(NAME(matrix) a, size_t height, size_t k, SCALAR *out) {
  if (a.row == 1) {
    for (size_t p = 0; p < k; p++)
      for (size_t i = 0; i < height; i++) out[p * height + i] = a.data[(ptrdiff_t)p * a.column + (ptrdiff_t)i];
  } else {
    for (size_t i = 0; i < height; i++)
      for (size_t p = 0; p < k; p++)
        out[p * height + i] = a.data[(ptrdiff_t)i * a.row + (ptrdiff_t)p * a.column];
  }
}

// `width` columns of B as [k][padded], zeros behind.
static void NAME(pack_b)(NAME(matrix) b, size_t k, size_t width, size_t padded, SCALAR *out) {
  if (b.column == 1) {
    for (size_t p = 0; p < k; p++)
      memcpy(out + p * padded, b.data + (ptrdiff_t)p * b.row, width * sizeof(SCALAR));
  } else {
    for (size_t j = 0; j < width; j++)
      for (size_t p = 0; p < k; p++)
        out[p * padded + j] = b.data[(ptrdiff_t)p * b.row + (ptrdiff_t)j * b.column];
  }
  for (size_t p = 0; p < k; p++)
    for (size_t j = width; j < padded; j++) out[p * padded + j] = 0;
}

// C = alpha T + beta C for a tile that is cut by the edge of C, or when C's columns are apart.
static void NAME(write_part)(const SCALAR *tile, size_t rows, size_t columns, size_t pitch,
                             SCALAR beta, SCALAR *c, ptrdiff_t cr, ptrdiff_t cc) {
  for (size_t i = 0; i < rows; i++)
    for (size_t j = 0; j < columns; j++) {
      SCALAR *out = c + (ptrdiff_t)i * cr + (ptrdiff_t)j * cc;
      SCALAR value = tile[i * pitch + j];
      *out = beta == 0 ? value : value + beta * *out;
    }
}

static void NAME(gemm)(const NAME(gemm_kernel) *kernel, size_t m, size_t n, size_t k, SCALAR alpha,
                       NAME(matrix) a, NAME(matrix) b, SCALAR beta, SCALAR *c, ptrdiff_t cr,
                       ptrdiff_t cc) {
  enum { MC = 96, KC = 256, NC = 4096 };
  size_t mr = kernel->rows, nr = kernel->columns;
  size_t kc = k < KC ? k : KC, nc = n < NC ? n : NC;
  size_t b_size = kc * ((nc + nr - 1) / nr * nr);
  size_t a_size = kc * (m < MC ? m : MC);
  SCALAR *buffer = malloc((a_size + b_size + mr * nr) * sizeof(SCALAR));
  SCALAR *packed_b = buffer, *packed_a = buffer + b_size, *part = packed_a + a_size;
  for (size_t jc = 0; jc < n; jc += NC) {
    size_t width = n - jc < NC ? n - jc : NC;
    for (size_t pc = 0; pc < k; pc += KC) {
      size_t depth = k - pc < KC ? k - pc : KC;
      SCALAR keep = pc == 0 ? beta : 1;
      for (size_t j = 0; j < width; j += nr) {
        NAME(matrix) panel = b;
        panel.data += (ptrdiff_t)pc * b.row + (ptrdiff_t)(jc + j) * b.column;
        NAME(pack_b)(panel, depth, width - j < nr ? width - j : nr, nr, packed_b + j * depth);
      }
      for (size_t ic = 0; ic < m; ic += MC) {
        size_t height = m - ic < MC ? m - ic : MC;
        for (size_t i = 0; i < height; i += mr) {
          NAME(matrix) rows = a;
          rows.data += (ptrdiff_t)(ic + i) * a.row + (ptrdiff_t)pc * a.column;
          NAME(pack_a)(rows, height - i < mr ? height - i : mr, depth, packed_a + i * depth);
        }
        for (size_t j = 0; j < width; j += nr) {
          size_t columns = width - j < nr ? width - j : nr;
          for (size_t i = 0; i < height; i += mr) {
            size_t rows = height - i < mr ? height - i : mr;
            SCALAR *out = c + (ptrdiff_t)(ic + i) * cr + (ptrdiff_t)(jc + j) * cc;
            const SCALAR *pa = packed_a + i * depth, *pb = packed_b + j * depth;
            if (columns == nr && cc == 1) {
              kernel->tile(rows, depth, pa, 1, (ptrdiff_t)rows, pb, (ptrdiff_t)nr, alpha, keep, out,
                           cr);
            } else {
              kernel->tile(rows, depth, pa, 1, (ptrdiff_t)rows, pb, (ptrdiff_t)nr, alpha, 0, part,
                           (ptrdiff_t)nr);
              NAME(write_part)(part, rows, columns, nr, keep, out, cr, cc);
            }
          }
        }
      }
    }
  }
  free(buffer);
}

#undef SCALAR
#undef NAME
