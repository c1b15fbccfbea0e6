/* Samples taken for values of another type: what their bytes are if they are read in another way. */
#ifndef XR_SOUND_READING_H
#define XR_SOUND_READING_H

#include <stdbool.h>
#include <stddef.h>

typedef enum xr_sound_reading {
    XR_SAMPLES_AS_IS,
    XR_SAMPLES_SWAPPED,       /* the two bytes of each sample exchanged */
    XR_SAMPLES_WRAPPED,       /* negative 16-bit samples as numbers from 32768 on */
    XR_SAMPLES_OFFSET_BINARY, /* 16 bits without a sign, 32768 for silence, taken for signed ones; or the
                                 reverse */
    XR_SAMPLES_BYTES,         /* the bytes of 16-bit samples, each taken for a sample; the low one first */
    XR_SAMPLES_BYTES_HIGH,    /* the same, the high one first */
    XR_SAMPLES_SIGN_OF_BYTES, /* bytes without a sign, 128 for silence, taken for signed ones; or the reverse
                               */
    XR_SAMPLES_MU_LAW,        /* the codes of G.711's mu-law, taken for samples */
    XR_SAMPLES_A_LAW,         /* of its A-law */
    XR_SAMPLES_TWO_BYTES,     /* two 8-bit samples without a sign taken for one of 16 bits */
    XR_SAMPLES_TWO_SIGNED,    /* two signed ones */
    XR_SAMPLES_24,            /* samples of 24 bits read 16 bits at a time */
    XR_SAMPLES_32,            /* of 32 bits */
    XR_SAMPLES_FLOATS,        /* float32 read 16 bits at a time */
    XR_SAMPLES_BITS,          /* 16-bit samples whose bytes were taken for float32 */
    XR_SAMPLES_REVERSED,      /* the last one first */
    XR_SAMPLES_READINGS
} xr_sound_reading;

/* What a side's samples can be read as. */
typedef struct xr_sample_kind {
    double step; /* between neighboring values: that of 16-bit or 8-bit samples in a usual unit, or what the
                    values show; 0: they have none */
    bool bytes, words;   /* they are as many steps as 8 or 16 bits hold, with or without a sign */
    bool unsigned_words; /* 16 bits without a sign, and some need them */
    bool low_halves;     /* every second word is the low half of a number of 32 bits: nothing of its own */
} xr_sample_kind;
xr_sample_kind xr_sample_kind_of(const float *v, size_t n);

/* What v, of that kind, holds if it is read so: samples in the unit in which full scale is as before.  Makes
 * up to `most`; 0: these values cannot be read so. */
size_t xr_read_samples(xr_sound_reading how, const float *v, size_t n, const xr_sample_kind *kind, float *out,
                       size_t most);

/* "the two bytes of each sample are exchanged (byte order)": what is so of a side's samples, after "In the
 * edge's input ". */
const char *xr_reading_words(xr_sound_reading how);
/* What to do: an imperative sentence. */
const char *xr_reading_fix(xr_sound_reading how);
/* A name for evidence: "byte_order". */
const char *xr_reading_name(xr_sound_reading how);

#endif
