#include "checks/told/told_formats.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SCORES = 4096, LEAST_SCORES = 4 };

typedef struct told_formats {
    double score[MOST_SCORES][2];
    size_t scores;
    uint32_t mask[2][2]; /* by side: width, height of the first frame whose masks differ in size */
    size_t masks, resized;
} told_formats;

/* ---- Reading ---- */

static void add_score(told_formats *t, double edge, double reference)
{
    if (t->scores < MOST_SCORES && isfinite(edge) && isfinite(reference) && edge >= 0 && reference >= 0) {
        t->score[t->scores][0] = edge;
        t->score[t->scores++][1] = reference;
    }
}

static void add_frame(told_formats *t, const exray_result *edge, const exray_result *reference)
{
    for (uint32_t i = 0; i < edge->class_count && i < reference->class_count; i++)
        if (edge->classes[i].id == reference->classes[i].id)
            add_score(t, (double)edge->classes[i].score, (double)reference->classes[i].score);
    for (uint32_t i = 0; edge->box_count == reference->box_count && i < edge->box_count; i++)
        if (edge->boxes[i].id == reference->boxes[i].id)
            add_score(t, (double)edge->boxes[i].score, (double)reference->boxes[i].score);
    const exray_mask *mask[2] = {edge->mask, reference->mask};
    if (!mask[0] || !mask[1])
        return;
    if (mask[0]->width != mask[1]->width || mask[0]->height != mask[1]->height) {
        for (int s = 0; s < 2 && !t->resized; s++) {
            t->mask[s][0] = mask[s]->width;
            t->mask[s][1] = mask[s]->height;
        }
        t->resized++;
    }
    t->masks++;
}

/* ---- Scores ---- */

/* The power of ten that a gain is; 0: it is none, or 1. */
static double unit_of(double gain)
{
    const double near = 0.01, power = pow(10, rint(log10(gain)));
    return power != 1 && fabs(gain / power - 1) < near ? power : 0;
}

/* Whether every score of the edge is `unit` of the reference's, up to half of its last digit where all are
 * whole. */
static bool are_of_unit(const told_formats *t, double unit)
{
    bool whole[2] = {true, true};
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < t->scores; i++) {
        for (int s = 0; s < 2; s++)
            whole[s] = whole[s] && t->score[i][s] == rint(t->score[i][s]);
        least = fmin(least, t->score[i][1]);
        most = fmax(most, t->score[i][1]);
    }
    for (size_t i = 0; i < t->scores; i++) {
        const double wanted = unit * t->score[i][1];
        const double digit = whole[0] ? 0.5 : whole[1] ? 0.5 * unit : 0;
        if (fabs(t->score[i][0] - wanted) > 2e-3 * wanted + digit + 1e-6)
            return false;
    }
    return most > 1.1 * least; /* else one number proves no unit */
}

static void note_scores(const told_formats *t, exray_findings *findings)
{
    double cross = 0, square = 0;
    for (size_t i = 0; i < t->scores; i++) {
        cross += t->score[i][0] * t->score[i][1];
        square += t->score[i][1] * t->score[i][1];
    }
    const double unit = t->scores >= LEAST_SCORES && cross > 0 && square > 0 ? unit_of(cross / square) : 0;
    if (unit == 0 || !are_of_unit(t, unit))
        return;
    exray_finding *f = exray_findings_add(findings, "output.postprocess", EXRAY_SEVERITY_INFO, 0.9);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge tells scores in another unit: each is %.6g times the reference's%s.",
                          unit,
                          unit == 100    ? " (percent)"
                          : unit == 0.01 ? " (the reference's are percent)"
                                         : "");
    exray_finding_detail(f, "Nothing else that was told differs.");
    exray_finding_fix(f, "Nothing, if what shows or filters the scores takes that unit%s.",
                      unit == 100 ? ": a threshold of 0.5 lets all of 1 to 100 pass" : "");
    exray_finding_text(f, "kind", "unit");
    exray_finding_number(f, "gain", unit);
    exray_finding_number(f, "scores", (double)t->scores);
}

/* ---- Masks ---- */

static void note_masks(const told_formats *t, exray_findings *findings)
{
    if (!t->resized)
        return;
    exray_finding *f = exray_findings_add(findings, "output.postprocess", EXRAY_SEVERITY_INFO, 0.9);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's mask is of another size: %u x %u, the reference's %u x %u.",
                          t->mask[0][0], t->mask[0][1], t->mask[1][0], t->mask[1][1]);
    if (t->masks == 1)
        exray_finding_detail(f, "Stretched to one size they show the same, in the frame that has both.");
    else
        exray_finding_detail(f, "Stretched to one size they show the same, in all %zu frames that have both.",
                             t->masks);
    exray_finding_fix(f, "Nothing, if what draws the mask stretches it over the whole picture.");
    exray_finding_text(f, "kind", "size");
    exray_finding_number(f, "frames", (double)t->resized);
}

bool xr_note_told_formats(const exray_comparison *comparison, exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    told_formats *t = calloc(1, sizeof *t);
    bool good = slot[0] && slot[1] && t;
    for (size_t f = 0; good && f < exray_comparison_frame_count(comparison); f++) {
        const exray_frame_pair pair = exray_comparison_frame(comparison, f);
        exray_result result[2];
        exray_error error;
        bool told = true;
        for (int s = 0; s < 2 && told; s++)
            told = exray_log_read_told(exray_comparison_log(comparison, (exray_side)s), pair.frame[s],
                                       EXRAY_MESSAGE_RESULT, slot[s], &result[s], &error) == EXRAY_OK;
        if (told)
            add_frame(t, &result[0], &result[1]);
    }
    if (good) {
        note_scores(t, findings);
        note_masks(t, findings);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    free(t);
    return good;
}
