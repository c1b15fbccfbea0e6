/* The values of all inputs (outputs) of one matched frame, sampled so that those of one size can be held
 * against each other, whichever port and side they are of. */
#ifndef XR_PORT_SAMPLES_H
#define XR_PORT_SAMPLES_H

#include <exray/assertion.h>

enum { XR_PORT_SAMPLES = 8192 };

typedef struct xr_port_sample {
    uint64_t count; /* elements of the tensor; 0: no data in this frame */
    size_t samples;
    bool whole;                      /* all elements are among the samples */
    float value[XR_PORT_SAMPLES];    /* element i of one port and of another of the same count correspond */
    bool colored;                    /* a picture of three channels; then: */
    float reversed[XR_PORT_SAMPLES]; /* the same, with the channels in the reverse order */
} xr_port_sample;

/* Reads one side's port of a matched frame.  A picture's channels come last, whatever its layout is.
 * EXRAY_OK with a count of 0 where there is no data; else an error of reading. */
exray_status xr_port_sample_read(const exray_comparison *comparison, exray_side side, size_t frame,
                                 exray_kind kind, size_t pair, exray_slot *slot, xr_port_sample *out,
                                 exray_error *error);

/* How far a is from b. */
typedef struct xr_port_distance {
    size_t count;  /* pairs of finite values; where they are finite in one alone, the distance is infinite */
    double rms;    /* of a - b */
    double spread; /* standard deviation of b */
    double size;   /* rms of b */
} xr_port_distance;

xr_port_distance xr_port_distance_of(const xr_port_sample *a, const xr_port_sample *b);

#endif
