/* The orders of a few things, one after another. */
#ifndef XR_NEXT_ORDER_H
#define XR_NEXT_ORDER_H

#include <stdbool.h>
#include <stddef.h>

/* Makes p[n] the next order of its numbers, in lexical order; false: that was the last. */
bool xr_next_order(unsigned char *p, size_t n);

#endif
