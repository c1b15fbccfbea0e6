/* What takes the reference's statistics to the edge's: an order of the channels, and one gain and offset for
 * all values or for each channel.  A mean follows the map itself, a deviation its gain alone:
 *
 *     mean(edge[c]) = gain mean(reference[from[c]]) + offset,   std(edge[c]) = |gain| std(reference[from[c]])
 *
 * The mean square of two tensors' difference is that of their means plus the variance of the difference,
 * which is at least the squared difference of the deviations.  So the residual of a fit of statistics is a
 * lower bound of the residual that the values have: what is beyond noise here is so in the values, too. */
#ifndef XR_MOMENT_FIT_H
#define XR_MOMENT_FIT_H

#include "checks/input/fit/fit_sums.h"
#include "checks/input/moments/moment_read.h"

/* Frames of the edge, each with the frame of the reference that it is held against. */
typedef struct xr_moment_pairs {
    const xr_moment_frames *frames;
    size_t count;
    const size_t *edge, *reference; /* [count] positions among the frames */
    double level[2];                /* by side: a step of 8 bits, in its unit */
} xr_moment_pairs;

typedef enum xr_moment_map {
    XR_MOMENT_SAME,     /* no map */
    XR_MOMENT_SHARED,   /* one for all channels */
    XR_MOMENT_CHANNELS, /* one for each channel */
} xr_moment_map;

enum { XR_MOMENT_PARTS = EXRAY_MAX_CHANNEL_STATS };

typedef struct xr_moment_fit {
    unsigned char from[XR_MOMENT_PARTS]; /* [edge channel]: reference channel */
    bool reordered;                      /* that is not the identity */
    xr_moment_map kind;
    double gain[XR_MOMENT_PARTS], offset[XR_MOMENT_PARTS]; /* of a shared map, all alike */
    double residual;                                       /* levels rms, over frames and channels */
    double worst;                                          /* of a frame, levels rms */
    size_t worst_pair;
    double ends;     /* least and greatest values: levels rms; NAN: unknown with a map for each channel */
    double surprise; /* how many bits the fitted numbers would have to be told in without it */
    size_t numbers, parameters;
} xr_moment_fit;

/* All candidates for one pairing, and the simplest that explains most. */
typedef struct xr_moment_choice {
    xr_moment_fit same; /* neither order nor map */
    xr_moment_fit best;
    double effect;       /* of the best one's map: levels rms of the reordered statistics without it */
    double without;      /* residual of the best kind of map in the recorded order */
    bool tied;           /* a map for each channel in the recorded order explains as much as another order */
    bool after_exchange; /* the map is the reference's own normalization, applied to exchanged channels */
    size_t others;       /* orders that explain as much */
    unsigned char other[XR_MOMENT_PARTS]; /* one of those */
    size_t supporting, opposing;          /* frames, of an order */
    bool order_named, map_named;
} xr_moment_choice;

xr_moment_fit xr_moment_fit_make(const xr_moment_pairs *pairs, const unsigned char *from, xr_moment_map kind);

/* The residual of one pair, levels rms. */
double xr_moment_residual(const xr_moment_pairs *pairs, const xr_moment_fit *fit, size_t pair);

/* Whether the fit leaves no more than decoders and rounding do (docs/causes-input.md). */
bool xr_moment_is_noise(const xr_moment_pairs *pairs, const xr_moment_fit *fit);

xr_moment_choice xr_moment_choose(const xr_moment_pairs *pairs);

/* The order that changes nothing. */
extern const unsigned char xr_moment_identity[XR_MOMENT_PARTS];

/* The unit of a fit's residual for an edge channel. */
double xr_moment_unit(const xr_moment_pairs *pairs, double gain);

#endif
