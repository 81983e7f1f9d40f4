// Sums over one axis; included by sum.c once per type, with
//   SCALAR, VECTOR   the element type and the 64-byte vector of it
//   NAME(x)          x with the type's suffix
//   LOAD             reads a VECTOR
// The binary tree over blocks is kept as a stack of partial sums: after the count-th block, as many
// merges follow as count has trailing zero bits.

enum { NAME(LANES) = 64 / sizeof(SCALAR), NAME(COLUMNS) = 4 * NAME(LANES) };

TK_INLINE SCALAR NAME(fold)(VECTOR v) {
  SCALAR lanes[NAME(LANES)];
  memcpy(lanes, &v, sizeof v);
  for (int width = NAME(LANES) / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; j++) lanes[j] += lanes[j + width];
  }
  return lanes[0];
}

TK_INLINE SCALAR NAME(block_sum)(const SCALAR *x, size_t n) {
  enum { L = NAME(LANES) };
  if (n < L) {
    SCALAR sum = 0;
    for (size_t i = 0; i < n; i++) sum += x[i];
    return sum;
  }
  VECTOR a = 0, b = 0, c = 0, d = 0;
  size_t i = 0;
  for (; i + 4 * L <= n; i += 4 * L) {
    a += LOAD(x + i);
    b += LOAD(x + i + L);
    c += LOAD(x + i + 2 * L);
    d += LOAD(x + i + 3 * L);
  }
  for (; i + L <= n; i += L) a += LOAD(x + i);
  if (i < n) {
    SCALAR rest[L] = {0};
    memcpy(rest, x + i, (n - i) * sizeof(SCALAR));
    b += LOAD(rest);
  }
  return NAME(fold)((a + b) + (c + d));
}

TK_CLONES static void NAME(row_sums)(size_t outer, size_t n, const SCALAR *x, SCALAR *out) {
  for (size_t o = 0; o < outer; o++, x += n) {
    SCALAR stack[64];
    stack[0] = 0;
    int top = 0;
    for (size_t start = 0, count = 1; start < n; start += BLOCK, count++) {
      stack[top++] = NAME(block_sum)(x + start, n - start < BLOCK ? n - start : BLOCK);
      for (size_t c = count; c % 2 == 0; c /= 2, top--) stack[top - 2] += stack[top - 1];
    }
    for (; top > 1; top--) stack[top - 2] += stack[top - 1];
    out[o] = stack[0];
  }
}

// Sums of `width` columns over at most BLOCK_ROWS rows.
TK_INLINE void NAME(block_columns)(const SCALAR *x, size_t n, size_t stride, size_t width,
                                   SCALAR *sum) {
  enum { L = NAME(LANES) };
  if (width == NAME(COLUMNS)) {
    VECTOR a = 0, b = 0, c = 0, d = 0;
    for (size_t r = 0; r < n; r++, x += stride) {
      a += LOAD(x);
      b += LOAD(x + L);
      c += LOAD(x + 2 * L);
      d += LOAD(x + 3 * L);
    }
    memcpy(sum, &a, sizeof a);
    memcpy(sum + L, &b, sizeof b);
    memcpy(sum + 2 * L, &c, sizeof c);
    memcpy(sum + 3 * L, &d, sizeof d);
    return;
  }
  size_t j = 0;
  for (; j + L <= width; j += L) {
    VECTOR a = 0;
    for (size_t r = 0; r < n; r++) a += LOAD(x + r * stride + j);
    memcpy(sum + j, &a, sizeof a);
  }
  for (; j < width; j++) {
    SCALAR a = 0;
    for (size_t r = 0; r < n; r++) a += x[r * stride + j];
    sum[j] = a;
  }
}

TK_CLONES static void NAME(column_sums)(size_t outer, size_t n, size_t inner, const SCALAR *x,
                                        SCALAR *out) {
  enum { W = NAME(COLUMNS) };
  for (size_t o = 0; o < outer; o++, x += n * inner, out += inner) {
    for (size_t j = 0; j < inner; j += W) {
      SCALAR stack[48][W];
      size_t width = inner - j < W ? inner - j : W;
      int top = 0;
      for (size_t start = 0, count = 1; start < n; start += BLOCK_ROWS, count++) {
        size_t rows = n - start < BLOCK_ROWS ? n - start : BLOCK_ROWS;
        NAME(block_columns)(x + start * inner + j, rows, inner, width, stack[top++]);
        for (size_t c = count; c % 2 == 0; c /= 2, top--) {
          for (size_t i = 0; i < width; i++) stack[top - 2][i] += stack[top - 1][i];
        }
      }
      for (; top > 1; top--) {
        for (size_t i = 0; i < width; i++) stack[top - 2][i] += stack[top - 1][i];
      }
      memcpy(out + j, stack[0], width * sizeof(SCALAR));
    }
  }
}

static void NAME(cumulative)(size_t outer, size_t n, size_t inner, int reverse, const SCALAR *x,
                             SCALAR *out) {
  ptrdiff_t step = reverse ? -(ptrdiff_t)inner : (ptrdiff_t)inner;
  for (size_t o = 0; o < outer; o++) {
    const SCALAR *from = x + o * n * inner + (reverse ? (n - 1) * inner : 0);
    SCALAR *to = out + o * n * inner + (reverse ? (n - 1) * inner : 0);
    if (inner == 1) {
      SCALAR sum = 0;
      for (size_t i = 0; i < n; i++) {
        sum += from[(ptrdiff_t)i * step];
        to[(ptrdiff_t)i * step] = sum;
      }
      continue;
    }
    memcpy(to, from, inner * sizeof(SCALAR));
    for (size_t i = 1; i < n; i++) {
      from += step;
      to += step;
      for (size_t j = 0; j < inner; j++) to[j] = to[j - step] + from[j];
    }
  }
}

#undef SCALAR
#undef VECTOR
#undef NAME
#undef LOAD
