/* The reading whose values separate some frames from the others. */
#ifndef XR_READING_SPLIT_H
#define XR_READING_SPLIT_H

#include <exray/assertion.h>

typedef enum xr_split_relation {
    XR_SPLIT_BELOW,  /* the chosen frames' values are below the threshold, all others' above it */
    XR_SPLIT_ABOVE,  /* the other way round */
    XR_SPLIT_WITHIN, /* they lie within a range in which no other frame's does */
    XR_SPLIT_BEYOND, /* they lie on both sides of the range of the others */
} xr_split_relation;

typedef struct xr_reading_split {
    const exray_reading_series *reading;
    size_t at; /* which of its values */
    xr_split_relation relation;
    double threshold;       /* BELOW, ABOVE */
    double low[2], high[2]; /* the range of the others' values, and of the chosen frames' */
} xr_reading_split;

/* Finds the one that separates them most clearly, and is hardly one that does so by chance: every frame must
 * have a value.  False: there is none. */
bool xr_split_by_reading(const exray_comparison *comparison, const bool *chosen, xr_reading_split *out);

/* "light" or, of several values, "motion[2]". */
void xr_split_name(const xr_reading_split *split, char *text, size_t size);

/* "the reading light is below 12.5 lux". */
void xr_split_words(const xr_reading_split *split, char *text, size_t size);

#endif
