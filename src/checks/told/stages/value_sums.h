/* Sums of pairs of values, of which lines between two sides are fitted. */
#ifndef XR_VALUE_SUMS_H
#define XR_VALUE_SUMS_H

/* x: the reference's, or what is made of it; y: the edge's. */
typedef struct xr_value_sums {
    double n, x, y, xx, xy, yy;
} xr_value_sums;

static inline void xr_value_sums_add(xr_value_sums *s, double x, double y)
{
    s->n++;
    s->x += x;
    s->y += y;
    s->xx += x * x;
    s->xy += x * y;
    s->yy += y * y;
}

#endif
