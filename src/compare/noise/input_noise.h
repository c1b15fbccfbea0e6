/* Differences of inputs that no application can avoid: the last steps of 16-bit sound, and noise far below
 * the signal. */
#ifndef XR_INPUT_NOISE_H
#define XR_INPUT_NOISE_H

#include "compare/comparison.h"

/* The pair's error where it is that of two steps of 16-bit sound at most (a divisor of 32767 for 32768,
 * dither), or of noise 34 dB or more below the signal and unrelated to it (a resampler's residue); else 0.
 * Pictures have their own rules (checks/input), and integers that are not quantized are never near. */
double xr_input_noise(const exray_comparison *comparison, const xr_pair *pair);

#endif
