/* Tables of features of sound: rows in time, bins in each. */
#ifndef XR_FEATURE_FRAMES_H
#define XR_FEATURE_FRAMES_H

#include <exray/assertion.h>

typedef struct xr_feature_frame {
    size_t frame;   /* among the comparison's */
    float *side[2]; /* by exray_side: [rows][bins], in the tensor's unit; time goes down */
    double rest;    /* the variance of the difference, relative to the reference's */
    bool differs;   /* beyond rounding, and neither side is one number */
    size_t joined;  /* frames of a stream that are one table, from `frame` on; 0: it is one frame's */
    long hop;       /* of those: samples of the recording from one to the next; 0: not known */
} xr_feature_frame;

typedef struct xr_feature_frames {
    const exray_comparison *comparison;
    size_t pair;
    const exray_io_pair *io;
    xr_feature_frame *list;
    size_t count, differing;
    size_t rows, bins;
    size_t dimensions, size[2]; /* of more than 1, as stored */
    bool axis_known;            /* which dimension is time is no guess */
    bool table;                 /* of features; else frames may be compared only as they are */
    bool has_sensor;            /* the log holds what the microphone recorded */
    bool rows_by_graph;         /* that it is one, the model's graph alone says: rows of what is not known */
    bool bytes;                 /* both sides are 8-bit integers of one scale */
    bool other_steps;           /* both are, but of two scales or zero points */
    double scale, zero[2], low; /* of those: what they stand for; the least number of the type */
    double allowed;             /* the variance that rounding leaves, relative to the signal's */
} xr_feature_frames;

/* Reads input `pair`; NULL: a picture is in the log, nothing differs, or memory is lacking.  It is one where
 * the log holds sound of a microphone and no picture, where a flat row falls into rows of one profile,
 * where the rows of each frame go on in the next, where the model takes one dimension for channels, or what
 * looks like spectra. */
xr_feature_frames *xr_feature_frames_read(const exray_comparison *comparison, size_t pair);
/* Whether an input of two dimensions looks like spectra of sounds in logarithms, and like no pictures: values
 * beyond those of pixels, and bins that have a level of their own in all frames. */
bool xr_looks_like_spectra(const exray_comparison *comparison, size_t pair);
/* Takes the other dimension for time, where which it is is a guess; false: it is none, or memory is lacking.
 */
bool xr_turn_features(xr_feature_frames *frames);

/* Makes one table of the frames of a stream, each of a few rows, that follow each other in a recording.
 * false: they are none, or memory is lacking; then nothing is changed. */
bool xr_join_features(xr_feature_frames *frames);

/* Of frames whose values or rows are others now. */
void xr_measure_features(xr_feature_frame *frame, size_t count);
void xr_set_allowed_features(xr_feature_frames *frames);

/* A list, which may be NULL, and the values of its frames. */
void xr_free_feature_list(xr_feature_frame *list, size_t count);
void xr_feature_frames_free(xr_feature_frames *frames);

#endif
