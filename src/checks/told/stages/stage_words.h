/* Findings about stages: masks, vectors. */
#ifndef XR_STAGE_WORDS_H
#define XR_STAGE_WORDS_H

#include "checks/told/stages/mask_scores.h"
#include "checks/told/stages/mask_search.h"
#include "checks/told/stages/pooling.h"
#include "checks/told/stages/vector_search.h"
#include "checks/told/told_finding.h"

/* Each adds the finding with its summary, fix and numbers.  habit, pooling: [2] by exray_side. */
exray_finding *xr_say_mask(exray_findings *findings, const xr_stage_series *series,
                           const xr_mask_story *story, const xr_mask_habit *habit);
exray_finding *xr_say_vector(exray_findings *findings, const xr_stage_series *series,
                             const xr_vector_story *story, const xr_pooling_habit *pooling);

#endif
