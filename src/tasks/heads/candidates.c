#include "tasks/heads/candidates.h"

#include "tasks/task_overlap.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10000, TOLD = 300, FIRST_ROOM = 64 };

static const float LEAST_SCORE = 0.5F, OVERLAP = 0.45F;

xr_candidates xr_candidates_begin(const exray_task_options *options, exray_told *told)
{
    const float threshold = options->threshold;
    return (xr_candidates){.told = told,
                           .threshold = threshold > 0   ? threshold
                                        : threshold < 0 ? -INFINITY
                                                        : LEAST_SCORE};
}

/* Whether a comes before b. */
static bool is_surer(const xr_box_candidate *a, const xr_box_candidate *b)
{
    if (a->box.score != b->box.score)
        return a->box.score > b->box.score;
    return a->row != b->row ? a->row < b->row : a->box.id < b->box.id;
}

bool xr_candidate_counts(const xr_candidates *found, float score)
{
    return score >= found->threshold && (found->count < MOST || score >= found->of[0].box.score);
}

static bool grow(xr_candidates *found)
{
    if (found->count < found->room)
        return true;
    const size_t room = found->room ? found->room * 4 : FIRST_ROOM;
    const size_t wanted = room < MOST ? room : MOST;
    xr_box_candidate *grown = exray_told_room(found->told, wanted, sizeof *grown);
    if (!grown) {
        found->failed = true;
        return false;
    }
    if (found->count)
        memcpy(grown, found->of, found->count * sizeof *grown);
    found->of = grown;
    found->room = wanted;
    return true;
}

static void exchange(xr_box_candidate *a, xr_box_candidate *b)
{
    const xr_box_candidate kept = *a;
    *a = *b;
    *b = kept;
}

static void sink(xr_candidates *found)
{
    for (size_t at = 0;;) {
        size_t least = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < found->count; child++)
            if (is_surer(&found->of[least], &found->of[child]))
                least = child;
        if (least == at)
            return;
        exchange(&found->of[at], &found->of[least]);
        at = least;
    }
}

void xr_candidate_add(xr_candidates *found, const exray_box *box, uint64_t row)
{
    const xr_box_candidate made = {*box, row};
    if (!isfinite(box->x_min) || !isfinite(box->y_min) || !isfinite(box->x_max) || !isfinite(box->y_max) ||
        !isfinite(box->score) || !xr_candidate_counts(found, box->score))
        return;
    if (found->count == MOST) {
        if (is_surer(&made, &found->of[0])) {
            found->of[0] = made;
            sink(found);
        }
        return;
    }
    if (!grow(found))
        return;
    size_t at = found->count++;
    found->of[at] = made;
    for (; at > 0 && is_surer(&found->of[(at - 1) / 2], &found->of[at]); at = (at - 1) / 2)
        exchange(&found->of[at], &found->of[(at - 1) / 2]);
}

static int by_sureness(const void *a, const void *b)
{
    return is_surer(a, b) ? -1 : is_surer(b, a) ? 1 : 0;
}

void xr_candidates_sort(xr_candidates *found)
{
    if (found->count > 1)
        qsort(found->of, found->count, sizeof *found->of, by_sureness);
}

uint32_t xr_candidates_most(const exray_task_options *options)
{
    return options->top_k && options->top_k < MOST ? options->top_k : TOLD;
}

exray_status xr_candidates_tell(xr_candidates *found, const exray_task_options *options, exray_result *out,
                                exray_error *error)
{
    const uint32_t most = xr_candidates_most(options);
    const double overlap = options->nms > 0 ? options->nms : OVERLAP;
    exray_box *told = exray_told_room(found->told, most, sizeof *told);
    if (!told || found->failed)
        return xr_task_no_memory(error, "detection");
    xr_candidates_sort(found);
    uint32_t count = 0;
    for (size_t i = 0; i < found->count && count < most; i++) {
        const exray_box *box = &found->of[i].box;
        bool is_new = true;
        for (uint32_t k = 0; k < count && is_new && overlap < 1; k++)
            is_new = told[k].id != box->id || !(xr_task_overlap(&told[k], box) > overlap);
        if (!is_new)
            continue;
        told[count] = *box;
        told[count++].label = xr_task_label(options, box->id);
    }
    out->boxes = told;
    out->box_count = count;
    return EXRAY_OK;
}
