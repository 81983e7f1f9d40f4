// The data sets of the examples, compiled into the program: `swift run` works from any directory
// and a copied program still has its data. Sources: README.md beside this folder.
#ifndef CEXAMPLEDATA_H
#define CEXAMPLEDATA_H

#include <stddef.h>

/// The bytes of card.csv; their number goes to `count`.
const unsigned char *example_data_card(size_t *count);

/// The bytes of mpg_scale; their number goes to `count`.
const unsigned char *example_data_mpg(size_t *count);

/// The bytes of liver-disorders_scale; their number goes to `count`.
const unsigned char *example_data_liver(size_t *count);

/// The bytes of liver-disorders_scale.t; their number goes to `count`.
const unsigned char *example_data_liver_test(size_t *count);

#endif
