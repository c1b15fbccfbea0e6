/* Weights that differ where it does not matter. */
#ifndef XR_MADE_UP_FOR_H
#define XR_MADE_UP_FOR_H

#include "checks/model/weight_difference.h"

/* The correlation from which on weights differ by one factor for all of them: no normalization's. */
#define XR_ONE_FACTOR 0.999

/* Whether one factor for all of them, and one number, are most of what weights differ by: not so where those
 * of a few channels alone are others. */
bool xr_is_of_one_factor(const xr_weight_pair *pair);

/* Whether all layers that read what the weights' layer makes are right: a function behind makes up for one
 * factor of its weights, and one number in its biases.  Not where their noise is of the size of what the
 * weights differ by, as in floats of 8 bits: that they are within it says nothing. */
bool xr_is_made_up_for_behind(const exray_comparison *comparison, const xr_weight_pair *weights);

/* Whether the weights of a bias's layer differ by one factor, harmlessly: what scales the layer's input was
 * folded into them, and what it adds into the bias.  pair: [count] all that were compared. */
bool xr_is_of_scaled_input(const xr_weight_pair *pair, size_t count, const xr_weight_pair *bias);

/* Whether a bias differs by one number for all of it, behind what is wrong: a converter has there what the
 * other side adds behind, and its layer does not say more. */
bool xr_is_moved_bias(const exray_comparison *comparison, const xr_weight_pair *bias);

/* Whether one side has a pair in a batch normalization, as a constant of its own, and the other in a sum or a
 * product: the other's are made of several of its. */
bool xr_is_of_parts(const xr_weight_pair *pair);

#endif
