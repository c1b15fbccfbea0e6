/* The relation that explains an input of sound, kept with the findings so that a report can show the edge's
 * sound with the fault undone. */
#ifndef XR_SOUND_KEPT_H
#define XR_SOUND_KEPT_H

#include "checks/findings.h"
#include "checks/input/sound/sound_relation.h"

/* Without memory nothing is kept. */
void xr_keep_sound_relation(exray_findings *findings, size_t pair, const xr_sound_relation *relation);

/* That of input `pair`, or NULL: nothing explains its difference. */
const xr_sound_relation *xr_kept_sound_relation(const exray_findings *findings, size_t pair);

#endif
