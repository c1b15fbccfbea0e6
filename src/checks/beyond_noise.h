/* Which parts of a comparison differ beyond noise.  A pair that cannot be compared tells nothing, except to
 * xr_outputs_agree. */
#ifndef XR_BEYOND_NOISE_H
#define XR_BEYOND_NOISE_H

#include <exray/assertion.h>

/* Whether an input of the model differs. */
bool xr_inputs_differ(const exray_comparison *comparison);

/* Whether the model has inputs in both logs, all of which can be compared. */
bool xr_inputs_known(const exray_comparison *comparison);

/* Whether a layer is wrong, by itself or by what it was given. */
bool xr_layers_differ(const exray_comparison *comparison);

/* Whether an output of the model differs. */
bool xr_outputs_differ(const exray_comparison *comparison);

/* Whether an output differs though all inputs are known, and none of them does. */
bool xr_outputs_alone_differ(const exray_comparison *comparison);

/* Whether an output has other shapes on the two sides in some frame: it is not compared there. */
bool xr_outputs_of_other_shape(const exray_comparison *comparison);

/* Whether there are outputs, and each was compared and does not differ. */
bool xr_outputs_agree(const exray_comparison *comparison);

/* Whether inputs differ and nothing that two files make of them does, in all that was recorded: one file does
 * itself what was done before the other (a normalization, an order of channels). */
bool xr_inputs_are_undone(const exray_comparison *comparison);

#endif
