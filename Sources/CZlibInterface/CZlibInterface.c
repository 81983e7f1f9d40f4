#include "CZlibInterface.h"

#include <stddef.h>

// What zlib itself compares on initialisation, checked when the program is built.
_Static_assert(sizeof(void *) != 8 || sizeof(long) != 8 || sizeof(czlib_stream) == 112,
               "czlib_stream does not have the layout of z_stream");
_Static_assert(sizeof(void *) != 8 || offsetof(czlib_stream, state) == 56,
               "czlib_stream does not have the layout of z_stream");
