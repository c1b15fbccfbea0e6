/* Decisions: the classes that each side ranks first. */
#include "compare/judge/decisions.h"

#include "base/error.h"
#include "compare/comparison.h"
#include "compare/match/pairs.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 5 };

typedef struct decision {
    size_t count; /* classes known, at most TOP; 0: no decision */
    int64_t class[TOP];
    float score; /* of the first */
} decision;

/* "A single output vector": one dimension that is not 1. */
static bool is_vector(const exray_tensor_view *view)
{
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < view->info.rank; i++)
        dimensions += view->info.shape[i] != 1;
    return view->count > 1 && dimensions <= 1;
}

/* The TOP largest values, NaN aside; of equal values the first is taken, as
 * argmax does everywhere. */
static decision best_classes(const float *values, uint64_t count, int64_t offset)
{
    decision d = {0};
    float score[TOP];
    for (uint64_t i = 0; i < count; i++) {
        float v;
        memcpy(&v, (const char *)values + i * sizeof v, sizeof v);
        if (isnan(v) || (d.count == TOP && v <= score[TOP - 1]))
            continue;
        size_t at = d.count < TOP ? d.count++ : TOP - 1;
        while (at > 0 && v > score[at - 1]) {
            score[at] = score[at - 1];
            d.class[at] = d.class[at - 1];
            at--;
        }
        score[at] = v;
        d.class[at] = (int64_t)i - offset;
    }
    d.score = d.count ? score[0] : 0;
    return d;
}

static int64_t label_offset(const exray_log *log)
{
    const char *text = exray_log_metadata(log, "label_offset");
    if (!text)
        return 0;
    char *end;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    return errno || *end || end == text || value > INT32_MAX || value < INT32_MIN ? 0 : value;
}

typedef struct judge {
    const exray_comparison *comparison;
    exray_slot *slot;
    bool any_task; /* the log names no task: only a single vector is read as classes */
} judge;

static bool from_result(const judge *j, exray_side side, size_t frame, decision *out)
{
    const exray_log *log = j->comparison->log[side];
    size_t position = j->comparison->frame[frame].frame[side];
    size_t count;
    const exray_record *record = exray_log_records_in(log, position, j->slot, &count);
    exray_result result;
    for (size_t i = 0; i < count; i++) {
        exray_error error;
        if (record[i].message != EXRAY_MESSAGE_RESULT ||
            exray_log_read_result(log, &record[i], j->slot, &result, &error) != EXRAY_OK ||
            result.class_count == 0)
            continue;
        out->count = result.class_count < TOP ? result.class_count : TOP;
        for (size_t k = 0; k < out->count; k++)
            out->class[k] = result.classes[k].id;
        out->score = result.classes[0].score;
        return true;
    }
    return false;
}

static bool from_output(const judge *j, exray_side side, size_t frame, decision *out)
{
    const exray_comparison *c = j->comparison;
    if (c->outputs.count == 0 || (j->any_task && c->outputs.count != 1))
        return false;
    const exray_record *record = xr_pair_record_in(c, &c->outputs.pair[0], side, frame, j->slot);
    exray_tensor_view view;
    const float *values;
    exray_error error;
    if (!record || !record->has_data ||
        exray_log_read_values(c->log[side], record, j->slot, &view, &values, &error) != EXRAY_OK ||
        !is_vector(&view))
        return false;
    *out = best_classes(values, view.count, label_offset(c->log[side]));
    return out->count > 0;
}

/* False: a side has no decision. */
static bool decide(const judge *j, size_t frame, decision d[2])
{
    for (int s = 0; s < 2; s++)
        if (!from_result(j, (exray_side)s, frame, &d[s]) && !from_output(j, (exray_side)s, frame, &d[s]))
            return false;
    return true;
}

static bool contains(const decision *d, int64_t label)
{
    for (size_t i = 0; i < d->count; i++)
        if (d->class[i] == label)
            return true;
    return false;
}

static bool frame_label(const exray_comparison *c, size_t frame, int64_t *label)
{
    for (int s = 0; s < 2; s++) {
        const exray_frame *f = exray_log_frame(c->log[s], c->frame[frame].frame[s]);
        if (f->has_label) {
            *label = f->label;
            return true;
        }
    }
    return false;
}

static const char *task_of(const exray_comparison *c)
{
    const char *task = exray_log_metadata(c->log[0], "task");
    if (!task || !*task)
        task = exray_log_metadata(c->log[1], "task");
    return task ? task : "";
}

exray_status xr_judge_decisions(exray_comparison *c, exray_error *error)
{
    exray_accuracy *a = &c->accuracy;
    const char *task = task_of(c);
    *a = (exray_accuracy){
        .task = task, .top1 = {NAN, NAN}, .top5 = {NAN, NAN}, .agreement = NAN, .agreement_top5 = NAN};
    if (*a->task && strcmp(a->task, "classification") != 0)
        return EXRAY_OK;
    judge j = {c, exray_slot_new(), *a->task == 0};
    if (!j.slot)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading decisions");
    size_t agree = 0, among = 0, top1[2] = {0, 0}, top5[2] = {0, 0};
    for (size_t f = 0; f < c->frame_count; f++) {
        decision d[2];
        if (!decide(&j, f, d))
            continue;
        a->frames++;
        agree += d[0].class[0] == d[1].class[0];
        among += contains(&d[1], d[0].class[0]);
        int64_t label;
        if (!frame_label(c, f, &label))
            continue;
        a->labeled++;
        for (int s = 0; s < 2; s++) {
            top1[s] += d[s].class[0] == label;
            top5[s] += contains(&d[s], label);
        }
    }
    exray_slot_free(j.slot);
    if (a->frames) {
        a->agreement = (double)agree / (double)a->frames;
        a->agreement_top5 = (double)among / (double)a->frames;
        a->task = "classification";
    }
    for (int s = 0; s < 2 && a->labeled; s++) {
        a->top1[s] = (double)top1[s] / (double)a->labeled;
        a->top5[s] = (double)top5[s] / (double)a->labeled;
    }
    return EXRAY_OK;
}

bool xr_comparison_decision(const exray_comparison *c, size_t frame, exray_slot *slot, xr_decision *out)
{
    judge j = {c, slot, *task_of(c) == 0};
    decision d[2] = {{0}, {0}};
    /* Where no frame has a decision, or the task is another one, this frame has none. */
    if (c->accuracy.frames == 0 || !decide(&j, frame, d))
        return false;
    *out = (xr_decision){.top = {d[0].class[0], d[1].class[0]}, .score = {d[0].score, d[1].score}};
    out->has_label = frame_label(c, frame, &out->label);
    return true;
}
