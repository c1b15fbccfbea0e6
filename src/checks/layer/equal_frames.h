/* Frames whose inputs are equal though those of others are not, such as the first one of a model with a
 * state: what layers make of them is not behind a wrong input. */
#ifndef XR_EQUAL_FRAMES_H
#define XR_EQUAL_FRAMES_H

#include <exray/assertion.h>

/* Of the first matched frames in which all inputs are equal bit for bit, and the last before one in which
 * they are not, the one whose outputs differ most, of a comparison where some input differs; SIZE_MAX: there
 * is none, or the model itself keeps a state that the frame does not show. */
size_t xr_find_equal_frame(const exray_comparison *comparison);

/* An output's error in one frame, as xr_error_in_frame has it. */
double xr_output_error_in_frame(const exray_comparison *comparison, size_t output, size_t frame,
                                exray_slot *slot[2]);

/* A layer's error in one frame, relative to the reference's deviation in it, or to that in all frames where
 * it is larger; NAN: not known. */
double xr_error_in_frame(const exray_comparison *comparison, size_t layer, size_t frame, exray_slot *slot[2]);

#endif
