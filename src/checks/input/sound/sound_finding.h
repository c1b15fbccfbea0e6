/* What findings about raw sound have in common. */
#ifndef XR_SOUND_FINDING_H
#define XR_SOUND_FINDING_H

#include "checks/findings.h"
#include "checks/input/sound/sound_sides.h"

/* What all of them need. */
typedef struct xr_sound_report {
    const xr_sound_frames *frames;
    xr_sound_sides sides;
    exray_findings *findings;
} xr_sound_report;

/* By exray_side. */
extern const char *const xr_sound_side_name[2];

/* The rate that the model is fed at, where the log tells; else 0. */
double xr_sound_model_rate(const xr_sound_sides *sides);

/* A finding about the input; to end it: which side is wrong, as far as the logs tell, and in which frames. */
exray_finding *xr_sound_finding(const xr_sound_report *r, const char *cause, double confidence);
void xr_sound_finding_end(const xr_sound_report *r, exray_finding *f);

#endif
