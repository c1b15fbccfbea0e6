/* Tokens that an application chooses by the scores of the frame before: memory in its hands, too. */
#ifndef XR_CHOSEN_H
#define XR_CHOSEN_H

#include <exray/assertion.h>

/* Whether an input of whole numbers is, on either side and in each matched frame in which the two sides'
 * differ, the place of the largest score that an output had in the frame before, alone or behind what the
 * input was then; of two such frames at least.  *output: that pair of outputs; *first: the first such frame.
 */
bool xr_is_chosen(const exray_comparison *comparison, size_t input, size_t *output, size_t *first);

#endif
