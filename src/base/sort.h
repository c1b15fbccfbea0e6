/* Orders for qsort and bsearch: ascending numbers. */
#ifndef XR_SORT_H
#define XR_SORT_H

int xr_by_float(const void *a, const void *b);
int xr_by_double(const void *a, const void *b);
int xr_by_u32(const void *a, const void *b);
int xr_by_u64(const void *a, const void *b);

#endif
