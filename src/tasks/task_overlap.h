/* How much boxes overlap. */
#ifndef XR_TASK_OVERLAP_H
#define XR_TASK_OVERLAP_H

#include <exray/types.h>

/* What they share by what they cover together (IoU); where `other` is a crowd by what `box` covers. */
double xr_task_overlap(const exray_box *box, const exray_box *other);

#endif
