/* What may have happened to a sound before the front end computed features of it. */
#ifndef XR_FEATURE_HEARD_H
#define XR_FEATURE_HEARD_H

#include "checks/input/features/feature_sounds.h"

typedef enum xr_heard_kind {
    XR_HEARD_AS_IS,
    XR_HEARD_RAW,         /* number: Hz of the record, whose samples are taken for ones of 16 kHz */
    XR_HEARD_LINEAR,      /* likewise; the record at 16 kHz by lines between samples, without a low pass */
    XR_HEARD_HOLD,        /* likewise by the sample before */
    XR_HEARD_INTERLEAVED, /* its channels, read as one */
    XR_HEARD_SWAPPED,     /* the bytes of its 16-bit samples exchanged */
    XR_HEARD_GAIN,        /* number: the factor; clipped at full scale */
    XR_HEARD_BAND,        /* number: Hz of a rate at which it was before: nothing is left above half of it */
    XR_HEARD_EMPHASIS,    /* number: the part of the sample before that is taken off (pre-emphasis) */
    XR_HEARD_LATE,        /* number: samples */
} xr_heard_kind;

typedef struct xr_heard {
    xr_heard_kind kind;
    double number;
    double rest; /* the variance of the edge's features that is left */
} xr_heard;

/* One side's features computed again of these samples (16 kHz, -1 to 1): the variance that is left.  Rows
 * that begin before sample `from` are not looked at.  `sounds`: how many of them. */
typedef double (*xr_heard_rest)(const void *front_end, float *const *samples, const size_t *length,
                                size_t sounds, size_t from);

/* What leaves least, from the simplest on; enough: what leaves no more need not be searched further.  coarse:
 * the front end as it is taken while a shift is only looked for. */
xr_heard xr_find_heard(const xr_feature_sounds *sounds, xr_heard_rest rest, const void *front_end,
                       const void *coarse, double enough);

/* What noise of the sound makes of features: the variance that the reference's front end leaves of its own
 * where the sound has one step of dither, and where it has noise 60 dB below it or went through another
 * resampler. */
typedef struct xr_feature_noise {
    double of_dither, of_noise;
    bool is_faint, is_dither; /* what differs is no more than that, or what dither alone makes */
    double edge_resampled; /* the variance that is left of the edge's features where the reference's front end
                              hears the record by the usual resampler that fits best; 1: the record is not
                              resampled, or dither makes as much */
} xr_feature_noise;

/* How far apart the features of the frames that differ are: shares of the variance. */
typedef struct xr_feature_difference {
    double mean, most; /* NAN, 0: no frame differs */
} xr_feature_difference;
xr_feature_difference xr_feature_difference_of(const xr_feature_frames *frames);

/* reference, edge: a front end whose `rest` is of the reference's features, and of the edge's. */
xr_feature_noise xr_find_feature_noise(const xr_feature_sounds *sounds, xr_feature_difference difference,
                                       xr_heard_rest rest, const void *reference, const void *edge);

/* "samples that are 0.1 times those of the sound in the log", and what to do. */
void xr_heard_words(const xr_heard *heard, char *text, size_t size);
const char *xr_heard_fix(const xr_heard *heard);
const char *xr_heard_cause(const xr_heard *heard);
/* A name for evidence: "byte_order". */
const char *xr_heard_name(const xr_heard *heard);

#endif
