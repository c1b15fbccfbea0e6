/* The samples that both sides gave to an input that takes raw sound, and what the microphone recorded. */
#ifndef XR_SOUND_FRAMES_H
#define XR_SOUND_FRAMES_H

#include <exray/assertion.h>
#include <exray/sound.h>

/* One matched frame. */
typedef struct xr_sound_frame {
    size_t frame;     /* among the comparison's */
    size_t joined;    /* frames of a stream that are one, from `frame` on; 0: it is one frame's */
    size_t count;     /* samples of each side */
    float *side[2];   /* by exray_side: real numbers, in the tensor's unit */
    double energy[2]; /* without the mean, of a sample: variance */
    double mean[2];
    double rest;  /* the variance of the difference, relative to the reference's; INFINITY: that is silent */
    bool equal;   /* bit for bit, or up to float noise */
    bool silent;  /* at least one side has nothing to go by */
    bool zero[2]; /* a side's samples are all 0, and the other's are not */
} xr_sound_frame;

typedef struct xr_sound_frames {
    const exray_comparison *comparison;
    size_t pair;
    const exray_io_pair *io;
    xr_sound_frame *list;
    size_t count;
    size_t differing;         /* of them, neither equal nor silent */
    exray_dtype dtype[2];     /* as stored */
    bool has_sensor;          /* the log holds what the microphone recorded */
    uint32_t sensor_channels; /* of it, in the first frame */
} xr_sound_frames;

/* Reads input `pair`; NULL: it is no sound, or memory is lacking.  A sound is one long row of samples that
 * swing about their mean: numbers of which each row of a table has a profile of its own are features. */
xr_sound_frames *xr_sound_frames_read(const exray_comparison *comparison, size_t pair);
void xr_sound_frames_free(xr_sound_frames *frames);

/* Makes one long frame of short ones that follow each other in a recording.  false: there are none, or memory
 * is lacking; then nothing is changed. */
bool xr_join_sound(xr_sound_frames *frames);

/* What the microphone recorded in a frame; NULL: nothing, or no sound.  Free it. */
exray_sound *xr_sensor_sound(const exray_comparison *comparison, size_t frame);

/* The width of the rows into which flat inputs fall, if they are tables of features: 0 where they are not.
 * values: [frames][count]; at most 4 frames are read. */
size_t xr_row_width(const float *const *values, size_t frames, size_t count);

#endif
