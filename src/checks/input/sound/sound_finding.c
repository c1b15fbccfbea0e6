#include "checks/input/sound/sound_finding.h"

#include <stdlib.h>

const char *const xr_sound_side_name[2] = {"edge", "reference"};

double xr_sound_model_rate(const xr_sound_sides *sides)
{
    int wrong = xr_wrong_sound_side(sides);
    if (sides->stated > 0)
        return sides->stated;
    if (wrong >= 0 && sides->at_rate[1 - wrong] > 0)
        return sides->at_rate[1 - wrong];
    return sides->at_rate[EXRAY_SIDE_REFERENCE] > 0 ? sides->at_rate[EXRAY_SIDE_REFERENCE]
                                                    : sides->at_rate[EXRAY_SIDE_EDGE];
}

exray_finding *xr_sound_finding(const xr_sound_report *r, const char *cause, double confidence)
{
    exray_finding *f = exray_findings_add(r->findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", r->frames->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    return f;
}

void xr_sound_finding_end(const xr_sound_report *r, exray_finding *f)
{
    const xr_sound_sides *sides = &r->sides;
    int wrong = xr_wrong_sound_side(sides);
    if (wrong >= 0) {
        if (sides->proper[wrong] && sides->proper[1 - wrong] && sides->stated > 0)
            exray_finding_detail(f,
                                 "Both are the sound in the log: the %s's at %g Hz, as the log says that the "
                                 "model takes it, the %s's at %g Hz.",
                                 xr_sound_side_name[1 - wrong], sides->stated, xr_sound_side_name[wrong],
                                 sides->at_rate[wrong]);
        else
            exray_finding_detail(f, "The %s's samples are those of the sound in the log; the %s's are not.",
                                 xr_sound_side_name[1 - wrong], xr_sound_side_name[wrong]);
        exray_finding_text(f, "wrong_side", xr_sound_side_name[wrong]);
    } else if (!r->sides.known)
        exray_finding_detail(
            f, "Which of the two is right, the logs do not say: they hold no sound of the microphone.");
    exray_finding_number(f, "frames", (double)r->frames->differing);
    size_t frames = exray_comparison_frame_count(r->frames->comparison), equal = 0;
    bool *chosen = calloc(frames + 1, sizeof *chosen);
    for (size_t i = 0; chosen && i < r->frames->count; i++) {
        const xr_sound_frame *s = &r->frames->list[i];
        for (size_t j = 0; j < s->joined + !s->joined; j++)
            chosen[s->frame + j] = !s->equal && !s->silent;
        equal += s->equal && !s->silent;
    }
    if (chosen && equal)
        exray_finding_frames(f, r->frames->comparison, chosen);
    free(chosen);
}
