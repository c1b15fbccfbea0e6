/* Frames whose inputs are equal though those of others are not, such as the first one of a model with a
 * state: what layers make of them is not behind a wrong input. */
#ifndef XR_EQUAL_FRAMES_H
#define XR_EQUAL_FRAMES_H

#include <exray/assertion.h>

/* The first matched frame in which all inputs are equal bit for bit, of a comparison where some input
 * differs; SIZE_MAX: there is none, or the model itself keeps a state that the frame does not show. */
size_t xr_find_equal_frame(const exray_comparison *comparison);

/* A layer's error in one frame, relative to the reference's deviation in it; NAN: not known. */
double xr_error_in_frame(const exray_comparison *comparison, size_t layer, size_t frame, exray_slot *slot[2]);

#endif
