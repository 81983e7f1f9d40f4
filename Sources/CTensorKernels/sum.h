// The sum behind tk_reduce.
#ifndef TK_SUM_H
#define TK_SUM_H

#include "CTensorKernels.h"

void tk_sum(tk_type type, size_t outer, size_t n, size_t inner, const void *x, void *out);

#endif
