/* Frames of sound that one side fed as nothing but zeros. */
#include "checks/input/frames/frame_list.h"
#include "checks/input/sound/sound_report.h"

#include <stdlib.h>

static bool report_side(const xr_sound_report *r, int side)
{
    static const char *const name[2] = {"edge", "reference"};
    const xr_sound_frames *s = r->frames;
    size_t frames = exray_comparison_frame_count(s->comparison), count = 0;
    bool *chosen = calloc(frames + 1, sizeof *chosen);
    for (size_t i = 0; chosen && i < s->count; i++)
        if (s->list[i].zero[side]) {
            chosen[s->list[i].frame] = true;
            count++;
        }
    if (count) {
        char list[256];
        xr_list_frames(s->comparison, chosen, list, sizeof list);
        exray_finding *f = exray_findings_add(r->findings, "input.gain", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "input", s->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(
            f,
            "The %s's sound is silent (every sample is 0) in %zu of %zu frames, where the %s's "
            "is not: %s.",
            name[side], count, s->count, name[!side], list);
        exray_finding_fix(
            f, "Look for what mutes the sound: a buffer that is read before it is filled, a mute or an "
               "echo canceller, a lost connection to the microphone.");
        exray_finding_text(f, "kind", "silent");
        exray_finding_text(f, "side", name[side]);
        exray_finding_number(f, "frames_silent", (double)count);
        if (count < s->count)
            exray_finding_frames(f, s->comparison, chosen);
    }
    free(chosen);
    return count > 0;
}

bool xr_report_silence(const xr_sound_report *r)
{
    bool edge = report_side(r, EXRAY_SIDE_EDGE);
    return report_side(r, EXRAY_SIDE_REFERENCE) || edge;
}
