/* Mistakes that make each of the edge's values out of one of the reference's, exactly and at a known place:
 * limits, a sign bit that is turned, pixels of three bytes read as four or the reverse, or as planes. */
#ifndef XR_FIND_VALUES_H
#define XR_FIND_VALUES_H

#include "checks/input/fit/input_fit.h"

typedef enum xr_value_mistake {
    XR_MISTAKE_NONE,
    XR_MISTAKE_LIMITS,         /* clipped to [low, high] */
    XR_MISTAKE_SIGN_BIT,       /* half of a byte's range is added, and wraps around */
    XR_MISTAKE_FOUR_FOR_THREE, /* pixels of four values (alpha the last) read as if they were of three */
    XR_MISTAKE_THREE_FOR_FOUR, /* the reverse */
    XR_MISTAKE_FOUR_AS_PLANES, /* pixels of four values in memory that is read as three planes */
    XR_MISTAKE_OTHER_LAYOUT,   /* the edge's planes are the reference's pixels, one after another, or the
                                  reverse */
    XR_VALUE_MISTAKES
} xr_value_mistake;

typedef struct xr_found_values {
    xr_value_mistake mistake;
    double low, high;     /* LIMITS: what the edge's values lie between */
    bool at_low, at_high; /* LIMITS: which of them clips */
    double reference[2];  /* LIMITS: the reference's least and largest value */
    bool stored;          /* SIGN_BIT: of the bytes that a quantized input stores */
    double changed;       /* share of the values that the mistake changes */
    size_t frames, supporting;
} xr_found_values;

/* Of the frames that are looked at, none may contradict.  False: none of these. */
bool xr_find_values(const exray_comparison *comparison, const xr_input_fit *fit, xr_found_values *found);

#endif
