/* Results of a part of a picture, told of the whole: what the pipeline cropped, boxed or turned is undone. */
#ifndef XR_TOLD_PLACE_H
#define XR_TOLD_PLACE_H

#include "pipeline/place.h"

#include <exray/task.h>

/* Boxes, keypoints and a mask of the model's input become those of the picture.  What is changed is a copy in
 * `told`.  EXRAY_E_MEMORY. */
exray_status xr_told_place(exray_result *result, const xr_seen_part *place, exray_told *told,
                           exray_error *error);

#endif
