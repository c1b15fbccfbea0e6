/* Values of few bits: where they hide what a difference does. */
#ifndef XR_COARSE_H
#define XR_COARSE_H

#include <exray/assertion.h>

/* More noise than layers of floats have, float16 included; less than those of 8 bits. */
#define XR_COARSE_NOISE 1e-2
/* The same of what a layer adds by itself: float16 has up to 0.012 where its weights, and what it reads, are
 * rounded, too; bfloat16 has 0.047. */
#define XR_COARSE_OWN_NOISE 2e-2

/* Whether there is a layer of few bits: of floats, an error that is carried on is no noise of theirs. */
bool xr_has_coarse_layer(const exray_comparison *comparison);

/* Whether the outputs were compared, are right, and have the noise of 8 bits. */
bool xr_are_outputs_coarse(const exray_comparison *comparison);

#endif
