/* What applications record as stages behind the model: masks and vectors. */
#ifndef XR_STAGE_RESULTS_H
#define XR_STAGE_RESULTS_H

#include "report/html/page.h"

/* Adds a side's stages of a frame that were recorded after its input to a result: the first map of whole
 * numbers as its mask, where it has none; all others as vectors.  They live in page->told[side];
 * page->truth_slot is used.  False: there are none. */
bool xr_told_add_stages(xr_page *page, exray_side side, size_t frame, exray_result *result);

#endif
