/* Whether the edge's values are made of the reference's 16-bit ones by a mistake on their two bytes:
 * exchanged, one of them alone, a sign. */
#ifndef XR_FIND_WORDS_H
#define XR_FIND_WORDS_H

#include "checks/input/fit/input_fit.h"

typedef enum xr_word_mistake {
    XR_WORD_EXCHANGED, /* the high byte for the low one */
    XR_WORD_LOW_BYTE,
    XR_WORD_SIGNED,
    XR_WORD_LOW_OF_REDUCED, /* the low byte, where the reference takes the high bits of fewer than 16 */
    XR_WORD_MISTAKES
} xr_word_mistake;

typedef struct xr_word_reading {
    xr_word_mistake mistake;
    bool by_sensor;     /* the words are the sensor's; else the reference's values, counted in their unit */
    double unit;        /* of the reference's values, not by the sensor */
    unsigned bits;      /* LOW_OF_REDUCED: how many of the low bits the reference leaves out */
    double least, most; /* of the words */
    double residual;    /* share of the variance that is left */
    size_t frames;
} xr_word_reading;

/* Of inputs of one channel, in every frame that is looked at; false: none of these. */
bool xr_find_words(const exray_comparison *comparison, const xr_input_fit *fit, xr_word_reading *found);

#endif
