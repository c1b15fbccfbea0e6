/* The sounds in the log that features are computed again from, and the line that results are compared by. */
#ifndef XR_FEATURE_SOUNDS_H
#define XR_FEATURE_SOUNDS_H

#include "checks/input/features/feature_frames.h"

#include <exray/sound.h>

enum { XR_FEATURE_RATE = 16000, XR_FEATURE_SOUNDS = 2 };

/* The sounds of a few frames that differ, as one channel: at XR_FEATURE_RATE, and as they are; those of
 * frames that were joined follow each other. */
typedef struct xr_feature_sounds {
    size_t count, frame[XR_FEATURE_SOUNDS]; /* places among the features' frames */
    float *made[XR_FEATURE_SOUNDS], *raw[XR_FEATURE_SOUNDS];
    size_t made_length[XR_FEATURE_SOUNDS], raw_length[XR_FEATURE_SOUNDS];
    float *mixed[XR_FEATURE_SOUNDS]; /* several channels, interleaved */
    size_t mixed_length[XR_FEATURE_SOUNDS];
    double rate; /* of the record, Hz */
    uint32_t channels;
} xr_feature_sounds;

/* false: there are none, or memory is lacking; free them in both cases. */
bool xr_feature_sounds_read(const xr_feature_frames *frames, xr_feature_sounds *sounds);
void xr_feature_sounds_free(xr_feature_sounds *sounds);

/* Whether so many rows are as far apart in time as front ends make them, over the sounds in the log. */
bool xr_rows_fit_sound(const xr_feature_frames *frames, size_t rows);

/* So many rows of the first sound's frame as a search for its front end has to look at: some, with half of
 * what varies in a side's all. */
size_t xr_rows_to_search(const xr_feature_frames *frames, const xr_feature_sounds *sounds, int side);

/* Sums for a line of y over x. */
typedef struct xr_feature_line {
    double n, x, y, xx, yy, xy;
} xr_feature_line;
/* Whether a stored value is the greatest of its type: it may have been greater. */
bool xr_is_greatest(const xr_feature_frames *frames, double value);
void xr_feature_line_add(xr_feature_line *line, double y, double x);
/* The variance of y that it leaves; 1 where it does not rise. */
double xr_feature_line_rest(const xr_feature_line *line);
/* The line itself, and the variance of y that a given one leaves (more than 1: worse than the mean). */
void xr_feature_line_fit(const xr_feature_line *line, double *gain, double *offset);
double xr_feature_line_rest_by(const xr_feature_line *line, double gain, double offset);

#endif
