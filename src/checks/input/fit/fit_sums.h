/* Sums over pairs of pixels, from which least squares between two pictures follow. */
#ifndef XR_FIT_SUMS_H
#define XR_FIT_SUMS_H

#include <stdbool.h>
#include <stddef.h>

enum { XR_FIT_CHANNELS = 4 };

/* Sums of edge (e) and reference (r) over pixels, or over blocks of pixels. */
typedef struct xr_fit_sums {
    double n;
    double edge[XR_FIT_CHANNELS], reference[XR_FIT_CHANNELS];
    double ee[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* lower triangle */
    double rr[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* lower triangle */
    double er[XR_FIT_CHANNELS][XR_FIT_CHANNELS]; /* [edge][reference] */
} xr_fit_sums;

/* Adds one pixel, or a block of `weight` pixels, with all products.  Inline, as it runs for every pixel. */
static inline void xr_sums_add_pixel(xr_fit_sums *s, size_t channels, const double *edge,
                                     const double *reference, double weight)
{
    s->n += weight;
    for (size_t c = 0; c < channels; c++) {
        double e = weight * edge[c], r = weight * reference[c];
        s->edge[c] += e;
        s->reference[c] += r;
        for (size_t k = 0; k < channels; k++)
            s->er[c][k] += e * reference[k];
        for (size_t k = 0; k <= c; k++) {
            s->ee[c][k] += e * edge[k];
            s->rr[c][k] += r * reference[k];
        }
    }
}

/* Adds the pixels of two planar pictures, every `step`th one, except those that are not finite, or
 * not `seen` (may be NULL).  Of ee it adds the diagonal only. */
void xr_sums_add(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                 const unsigned char *seen, size_t pixels, size_t step);
void xr_sums_join(xr_fit_sums *into, const xr_fit_sums *s);

/* ---- How well one picture follows from the other ---------------------------------------- */

/* The share of the edge's variance that the best order of channels, with positive gains, does not
 * explain: 0 equal, 1 nothing explained.  `from` (may be NULL) gets the order. */
double xr_unexplained_by_order(const xr_fit_sums *s, size_t channels, unsigned char from[XR_FIT_CHANNELS]);
/* The same for that order of channels alone: edge channel c is the reference's from[c]. */
double xr_unexplained_in_order(const xr_fit_sums *s, size_t channels,
                               const unsigned char from[XR_FIT_CHANNELS]);
/* The same for the best order of channels, without gain and offset. */
double xr_unexplained_plainly(const xr_fit_sums *s, size_t channels);
/* The same for the channels as they are. */
double xr_unexplained_as_is(const xr_fit_sums *s, size_t channels);
/* The same for any linear mixture of the channels: what it does not explain is not color. */
double xr_unexplained_by_color(const xr_fit_sums *s, size_t channels);
/* That mixture: edge channel c is the sum of out[c][k] times the reference's k, and an offset; false: there
 * are too few pixels. */
bool xr_solve_color(const xr_fit_sums *s, size_t channels, double out[XR_FIT_CHANNELS][XR_FIT_CHANNELS]);
/* The largest share at which another explanation is as good as one that leaves `residual`; spread:
 * the edge's standard deviation in levels. */
double xr_no_worse(double residual, double spread);
/* Standard deviation of the edge's values, over all channels. */
double xr_sums_spread(const xr_fit_sums *s, size_t channels);

#endif
