#include "checks/input/moments/input_statistics.h"

#include "checks/beyond_noise.h"
#include "checks/findings.h"
#include "checks/input/moments/moment_convention.h"
#include "checks/input/moments/moment_findings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Below this, in levels, statistics are equal up to their arithmetic. */
#define EQUAL 1e-3
/* What decoders and rounding do, in levels; and how much of it a network may make (docs/noise.md). */
#define NOISE_LEVELS 1.5
#define GIVEN        16.0
#define SAFETY       3.0

static const char key[] = "input.statistics";

/* What is kept of an input for what is behind it. */
typedef struct kept_statistics {
    double allowed; /* the error that it may rightly make there, where it agrees */
    bool differs;
} kept_statistics;

static exray_status no_memory(exray_error *error)
{
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
    return EXRAY_E_MEMORY;
}

/* Reports what a choice names. */
static bool report_named(const xr_moment_case *c, exray_findings *findings)
{
    const xr_moment_choice *choice = c->choice;
    if (choice->order_named)
        xr_report_moment_order(c, findings);
    if (choice->map_named)
        xr_report_moment_map(c, findings);
    return choice->order_named || choice->map_named;
}

/* ---- Some frames only ------------------------------------------------------------------------------ */

/* The residual of one frame as it was recorded, levels rms; *noise: it is no more than that. */
static double residual_of(const xr_moment_pairs *all, const xr_moment_fit *same, size_t i, bool *noise)
{
    const xr_moment_pairs one = {.frames = all->frames,
                                 .count = 1,
                                 .edge = &all->edge[i],
                                 .reference = &all->reference[i],
                                 .level = {all->level[0], all->level[1]}};
    xr_moment_fit fit = *same;
    fit.residual = xr_moment_residual(&one, same, 0);
    *noise = xr_moment_is_noise(&one, &fit);
    return fit.residual;
}

/* The frames that differ, where others do not: by anything, if the others are equal; else by more than noise.
 */
static bool take_differing(const xr_moment_pairs *all, const xr_moment_fit *same, size_t *list, size_t *count)
{
    bool noise, some_equal = false;
    for (size_t i = 0; i < all->count; i++)
        some_equal = some_equal || residual_of(all, same, i, &noise) <= EQUAL;
    *count = 0;
    for (size_t i = 0; i < all->count; i++) {
        double residual = residual_of(all, same, i, &noise);
        if (some_equal ? residual > EQUAL : !noise)
            list[(*count)++] = all->edge[i];
    }
    return *count > 0 && *count < all->count;
}

/* Whether no frame outside of the list would be as it is under what explains those in it. */
static bool sets_apart(const xr_moment_pairs *all, const size_t *list, size_t count,
                       const xr_moment_choice *some)
{
    size_t next = 0;
    for (size_t i = 0; i < all->count; i++) {
        if (next < count && list[next] == all->edge[i]) {
            next++;
            continue;
        }
        /* a gray frame is the same under another order: it says nothing */
        if (xr_moment_residual(all, &some->best, i) + 0.05 < xr_moment_residual(all, &some->same, i))
            return false;
    }
    return true;
}

/* Judges the frames that differ by themselves; `affected` [matched frames] gets them. */
static bool report_some(const xr_moment_case *c, const xr_moment_pairs *all, const xr_moment_choice *whole,
                        bool *affected, size_t *list, exray_findings *findings)
{
    size_t count;
    if (!take_differing(all, &whole->same, list, &count))
        return false;
    const xr_moment_pairs some = {.frames = all->frames,
                                  .count = count,
                                  .edge = list,
                                  .reference = list,
                                  .level = {all->level[0], all->level[1]}};
    const xr_moment_choice choice = xr_moment_choose(&some);
    for (size_t i = 0; i < count; i++)
        affected[all->frames->frame[list[i]]] = true;
    xr_moment_case now = *c;
    now.pairs = &some;
    now.choice = &choice;
    now.affected = affected;
    now.before = choice.same.residual;
    if (!sets_apart(all, list, count, &choice) || !report_named(&now, findings))
        xr_report_moment_unknown(&now, findings);
    return true;
}

/* ---- All of it --------------------------------------------------------------------------------------- */

static bool report_pairing(const xr_moment_case *c, const xr_moment_pairs *recorded,
                           const xr_moment_choice *now, exray_findings *findings)
{
    xr_moment_pairing pairing;
    xr_moment_choice choice;
    const bool found = xr_find_moment_pairing(recorded, now, &pairing, &choice);
    if (found) {
        const xr_moment_pairs pairs = {.frames = recorded->frames,
                                       .count = pairing.count,
                                       .edge = pairing.edge,
                                       .reference = pairing.reference,
                                       .level = {recorded->level[0], recorded->level[1]}};
        xr_moment_case with = *c;
        with.pairs = &pairs;
        with.choice = &choice;
        xr_report_moment_pairing(&with, &pairing, findings);
        report_named(&with, findings);
    }
    xr_moment_pairing_free(&pairing);
    return found;
}

static bool judge(const xr_moment_case *whole, bool *affected, size_t *list, exray_findings *findings)
{
    const xr_moment_pairs *pairs = whole->pairs;
    const xr_moment_choice choice = xr_moment_choose(pairs);
    const double before = choice.same.residual;
    xr_moment_case c = *whole;
    c.choice = &choice;
    c.before = before;
    if (before <= EQUAL)
        return false;
    if (pairs->frames->ids) {
        xr_report_moment_ids(&c, findings);
        return true;
    }
    if (report_named(&c, findings))
        return true;
    if (xr_moment_is_noise(pairs, &choice.same))
        return false;
    double left;
    const xr_moment_mistake mistake = xr_find_moment_mistake(pairs, before, &left);
    if (mistake)
        xr_report_moment_mistake(&c, mistake, left, findings);
    else if (!report_pairing(&c, pairs, &choice, findings) &&
             !report_some(&c, pairs, &choice, affected, list, findings))
        xr_report_moment_unknown(&c, findings);
    return true;
}

/* Bit for bit: a few pixels that were rounded otherwise change no more than the last digits of a mean. */
static bool are_same(const xr_moment_frames *m, size_t i)
{
    const xr_input_moments *a = &m->of[0][i], *b = &m->of[1][i];
    bool same = a->mean == b->mean && a->std == b->std && a->min == b->min && a->max == b->max;
    for (size_t k = 0; k < 2 * m->parts; k++)
        same = same && a->part[k] == b->part[k];
    for (size_t k = 0; same && a->bin && b->bin && k < EXRAY_HISTOGRAM_BINS; k++)
        same = a->bin[k] == b->bin[k];
    return same;
}

/* How far the values of an input that agrees may be apart, levels rms.  Where n values of a channel differ at
 * random by d rms, their mean and deviation do by about d / sqrt(n). */
static double distance_behind(const xr_moment_pairs *p)
{
    const double n = (double)p->frames->elements / (double)p->frames->parts;
    const xr_moment_fit same = xr_moment_fit_make(p, xr_moment_identity, XR_MOMENT_SAME);
    return fmin(SAFETY * sqrt(n) * same.residual, NOISE_LEVELS);
}

/* The error that an input which agrees may rightly make, relative to the signal. */
static double allowed_of(const xr_moment_pairs *p)
{
    double variance = 0;
    bool same = true;
    for (size_t i = 0; i < p->count; i++) {
        const double std = p->frames->of[EXRAY_SIDE_REFERENCE][i].std;
        variance += std * std / (double)p->count;
        same = same && are_same(p->frames, i);
    }
    if (same)
        return 0;
    return variance > 0 ? GIVEN * distance_behind(p) * xr_moment_unit(p, 1) / sqrt(variance) : 1;
}

static exray_status keep(size_t pair, kept_statistics what, exray_findings *findings, exray_error *error)
{
    kept_statistics *kept = malloc(sizeof *kept);
    if (!kept)
        return no_memory(error);
    *kept = what;
    return xr_findings_attach(findings, key, pair, kept, free) ? EXRAY_OK : no_memory(error);
}

double xr_moments_allow(const exray_comparison *comparison, const exray_findings *findings, const char **name)
{
    double most = 0;
    *name = NULL;
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        const kept_statistics *kept = xr_findings_attached(findings, key, i);
        if (!kept || kept->differs)
            continue;
        most = fmax(most, kept->allowed);
        if (!*name)
            *name = exray_comparison_input(comparison, i)->name[EXRAY_SIDE_EDGE];
    }
    return most;
}

bool xr_inputs_differ_by_any(const exray_comparison *comparison, const exray_findings *findings)
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        const kept_statistics *kept = xr_findings_attached(findings, key, i);
        if (kept && kept->differs)
            return true;
    }
    return xr_inputs_differ(comparison);
}

exray_status xr_judge_moments(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                              bool *agrees, bool *differs, exray_error *error)
{
    xr_moment_frames frames;
    exray_status status = xr_moments_read(comparison, pair, &frames, error);
    size_t *position = calloc(frames.count + 1, sizeof *position),
           *list = calloc(frames.count + 1, sizeof *list);
    bool *affected = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *affected);
    *agrees = *differs = false;
    if (status == EXRAY_OK && (!position || !list || !affected))
        status = no_memory(error);
    if (status == EXRAY_OK && !frames.problem && (frames.count || frames.not_finite)) {
        for (size_t i = 0; i < frames.count; i++)
            position[i] = i;
        const xr_moment_pairs pairs = {.frames = &frames,
                                       .count = frames.count,
                                       .edge = position,
                                       .reference = position,
                                       .level = {xr_moment_level(&frames, EXRAY_SIDE_EDGE),
                                                 xr_moment_level(&frames, EXRAY_SIDE_REFERENCE)}};
        const xr_moment_case c = {
            .comparison = comparison, .io = exray_comparison_input(comparison, pair), .pairs = &pairs};
        if (frames.not_finite) {
            xr_report_moment_not_finite(&c, findings);
            *differs = true;
        }
        if (frames.count)
            *differs = judge(&c, affected, list, findings) || *differs;
        *agrees = !*differs;
        const double allowed = *agrees ? allowed_of(&pairs) : 0;
        status = keep(pair, (kept_statistics){allowed, *differs}, findings, error);
    }
    free(position);
    free(list);
    free(affected);
    xr_moments_free(&frames);
    return status;
}
