// Maxima, minima and their positions; included by reduce.c once per type and order, with
//   SCALAR, VECTOR, LOAD as in sum_template.h
//   IS_NAN(a)     0 for integers
//   NAME(x)       x with the suffix of the order and type
//   BETTER(a, b)  a replaces b: a is on the far side of b, or not a number
// A NaN that is held is never replaced, as every comparison with it is false.

TK_INLINE SCALAR NAME(row_best)(const SCALAR *x, size_t n) {
  enum { L = 64 / sizeof(SCALAR) };
  if (n < L) {
    SCALAR best = x[0];
    for (size_t i = 1; i < n; i++) best = BETTER(x[i], best) ? x[i] : best;
    return best;
  }
  VECTOR a = LOAD(x), b = LOAD(x + n - L);  // overlapping, which a maximum forgives
  size_t i = L;
  for (; i + 2 * L <= n; i += 2 * L) {
    VECTOR v = LOAD(x + i), w = LOAD(x + i + L);
    a = BETTER(v, a) ? v : a;
    b = BETTER(w, b) ? w : b;
  }
  if (i + L <= n) {
    VECTOR v = LOAD(x + i);
    a = BETTER(v, a) ? v : a;
  }
  a = BETTER(b, a) ? b : a;
  SCALAR lanes[L];
  memcpy(lanes, &a, sizeof a);
  for (int width = L / 2; width > 0; width /= 2) {
    for (int j = 0; j < width; j++) {
      SCALAR v = lanes[j + width], old = lanes[j];
      lanes[j] = BETTER(v, old) ? v : old;
    }
  }
  return lanes[0];
}

TK_CLONES static void NAME(rows)(size_t outer, size_t n, const SCALAR *x, SCALAR *out) {
  for (size_t o = 0; o < outer; o++) out[o] = NAME(row_best)(x + o * n, n);
}

TK_CLONES static void NAME(columns)(size_t outer, size_t n, size_t inner, const SCALAR *x,
                                    SCALAR *out) {
  for (size_t o = 0; o < outer; o++, out += inner) {
    memcpy(out, x, inner * sizeof(SCALAR));
    x += inner;
    for (size_t i = 1; i < n; i++, x += inner) {
      TK_VECTORIZE for (size_t j = 0; j < inner; j++) {
        SCALAR v = x[j], best = out[j];
        out[j] = BETTER(v, best) ? v : best;
      }
    }
  }
}

// The value first, then its first place: both loops run at full speed. Short rows are searched
// backwards to their end, as a loop that stops anywhere is predicted badly.
TK_CLONES static void NAME(row_positions)(size_t outer, size_t n, const SCALAR *x, int32_t *out) {
  for (size_t o = 0; o < outer; o++, x += n) {
    SCALAR best = NAME(row_best)(x, n);
    size_t i = 0;
    if (!IS_NAN(best) && n <= 32) {
      for (size_t j = n; j-- > 0;) i = x[j] == best ? j : i;
    } else if (!IS_NAN(best)) {
      while (x[i] != best) i++;
    } else {
      while (!IS_NAN(x[i])) i++;
    }
    out[o] = (int32_t)i;
  }
}

TK_CLONES static void NAME(column_positions)(size_t outer, size_t n, size_t inner,
                                             const SCALAR *x, int32_t *out) {
  enum { W = 64 };
  for (size_t o = 0; o < outer; o++, x += n * inner, out += inner) {
    for (size_t j = 0; j < inner; j += W) {
      size_t width = inner - j < W ? inner - j : W;
      SCALAR best[W];
      int32_t place[W] = {0};
      memcpy(best, x + j, width * sizeof(SCALAR));
      for (size_t i = 1; i < n; i++) {
        const SCALAR *row = x + i * inner + j;
        TK_VECTORIZE for (size_t c = 0; c < width; c++) {
          SCALAR v = row[c], old = best[c];
          int replaces = BETTER(v, old) & !IS_NAN(old);
          best[c] = replaces ? v : old;
          place[c] = replaces ? (int32_t)i : place[c];
        }
      }
      memcpy(out + j, place, width * sizeof(int32_t));
    }
  }
}

#undef NAME
#undef BETTER
