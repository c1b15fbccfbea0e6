/* The rule of blame: a layer is to blame for its error only where what it was given is known to be right, or
 * where it was run alone on what the edge gave it.  Behind an input that is reported wrong, any layer may
 * turn a small difference into a large one, and rightly so: a logarithm, a look-up, a branch. */
#ifndef XR_BLAME_H
#define XR_BLAME_H

#include <exray/assertion.h>

/* The key of a finding's evidence: an input of the model that is reported wrong accounts for it. */
#define XR_BEHIND_WRONG_INPUT "behind_wrong_input"

typedef enum xr_given {
    XR_GIVEN_RIGHT,       /* all that the layer reads is equal or within noise */
    XR_GIVEN_WRONG_INPUT, /* it reads, maybe through other layers, an input of the model that is reported
                             wrong */
    XR_GIVEN_WRONG_LAYER, /* a layer that it reads is itself beyond noise */
} xr_given;

/* What was given to a layer of the comparison, by the findings about inputs so far: they must have been made.
 */
xr_given xr_layer_given(const exray_comparison *comparison, exray_findings *findings, size_t layer);

/* Whether the layer originates an error: by its role, or in such a frame. */
bool xr_originates(const exray_comparison *comparison, exray_findings *findings, size_t layer);

/* Whether the layer may be blamed: it was run alone, or was given what is right, be it in such a frame. */
bool xr_may_be_blamed(const exray_comparison *comparison, exray_findings *findings, size_t layer);

/* Whether an output of the model depends on an input that is reported wrong. */
bool xr_output_is_behind_wrong_input(const exray_comparison *comparison, exray_findings *findings,
                                     size_t output);

/* The layer's role as the rule leaves it: one that may not be blamed is unjudged. */
exray_layer_role xr_judged_role(const exray_comparison *comparison, exray_findings *findings, size_t layer);

/* Says in `error` that layers behind wrong inputs are unjudged, and what would tell; EXRAY_E_STATE. */
exray_status xr_say_unjudged(const exray_comparison *comparison, exray_findings *findings,
                             exray_error *error);

/* Whether a layer's noise is known to the step: integers of the same stored numbers, behind inputs that are
 * equal bit for bit, may not be off by what the noise of such layers usually is. */
bool xr_has_sharp_bound(const exray_layer_pair *layer);

/* Whether a layer's error may be rounding nevertheless: that of 8 bits has no sharp bound. Of two files, one
 * within three times its noise that was not run alone proves nothing by itself. */
bool xr_may_be_rounding(const exray_comparison *comparison, const exray_layer_pair *layer);

#endif
