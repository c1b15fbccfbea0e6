/* How one side's samples follow from the other's: read as another type or as several channels, at another
 * rate, later or earlier.  A gain and an offset are free: sound_values.h judges them. */
#ifndef XR_SOUND_RELATION_H
#define XR_SOUND_RELATION_H

#include "checks/input/sound/sound_frames.h"
#include "checks/input/sound/sound_reading.h"

/* What is done to the samples of the turned side, in this order, so that they become the other's. */
typedef struct xr_sound_relation {
    int turned;               /* exray_side: whose samples are read again */
    xr_sound_reading reading; /* XR_SAMPLES_AS_IS: they are what they seem */
    unsigned channels;        /* that are interleaved; 0: one */
    size_t block;    /* 0; else of the channels: samples of one follow those of the other by as many */
    int channel;     /* which one the other side has; -1: their mean */
    double ratio;    /* samples for one of the other side's: 2.76 where 44,100 are fed for 16,000 */
    long shift;      /* the turned side's sample i is the other's i + shift */
    double fraction; /* 0..1, in addition: what a shift by less than a sample leaves */
    /* How well it explains the frames that differ. */
    double rest; /* the variance that a line leaves, in the middle one of the frames: 0 is equal */
    size_t supporting, contradicting;
    bool varies; /* the shift is another one in each frame */
    long least_shift, most_shift;
    long rival_shift; /* explains as much, as the sound is periodic; 0: there is none */
    bool rival_sign;  /* the other polarity, shifted, explains as much */
} xr_sound_relation;

/* One frame, both sides brought together: y[i] (the turned side, in its unit) and x[i] (the other's). */
typedef struct xr_sound_segment {
    size_t frame; /* position among xr_sound_frames.list */
    float *y, *x;
    size_t count;
    size_t first; /* x[0] is this sample of the other side */
} xr_sound_segment;

xr_sound_relation xr_no_sound_relation(void);

/* The simplest relation that explains all frames that differ; false: none does.  `found` then has the best.
 */
bool xr_find_sound_relation(const xr_sound_frames *frames, xr_sound_relation *found);

/* The shift alone that explains most, even where that is little. */
bool xr_find_sound_lag(const xr_sound_frames *frames, xr_sound_relation *found);

/* Two of them at once, for what none explains alone: another type or two channels, at another rate. */
bool xr_find_composed_sound_relation(const xr_sound_frames *frames, xr_sound_relation *found);

/* Brings together both sides of the frames that differ.  An array of frames->differing at most, to be freed
 * with xr_free_segments; NULL: out of memory. */
xr_sound_segment *xr_sound_segments(const xr_sound_frames *frames, const xr_sound_relation *relation,
                                    size_t *count);
void xr_free_segments(xr_sound_segment *segments, size_t count);

/* A ratio that is nearer to 1 is that of two clocks. */
#define XR_MOST_DRIFT 0.02

/* The share of the variance that a difference 34 dB below the signal has. */
#define XR_SOUND_NOISE 4e-4

#endif
