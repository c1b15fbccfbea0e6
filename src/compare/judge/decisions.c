/* Decisions: the classes that each side ranks first. */
#include "compare/judge/decisions.h"

#include "base/error.h"
#include "compare/comparison.h"
#include "compare/judge/outputs_told.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TOP = 5 };

typedef struct decision {
    size_t count; /* classes known, at most TOP; 0: no decision */
    int64_t class[TOP];
    float score; /* of the first */
} decision;

typedef struct judge {
    const exray_comparison *comparison;
    exray_slot *slot;
    exray_told *told;
    bool reads_outputs;
} judge;

static bool take(const exray_result *result, decision *out)
{
    out->count = result->class_count < TOP ? result->class_count : TOP;
    for (size_t k = 0; k < out->count; k++)
        out->class[k] = result->classes[k].id;
    out->score = out->count ? result->classes[0].score : 0;
    return out->count > 0;
}

static bool from_result(const judge *j, exray_side side, size_t frame, decision *out)
{
    exray_result result;
    exray_error error;
    return exray_log_read_told(j->comparison->log[side], j->comparison->frame[frame].frame[side],
                               EXRAY_MESSAGE_RESULT, j->slot, &result, &error) == EXRAY_OK &&
           take(&result, out);
}

static bool from_output(const judge *j, exray_side side, size_t frame, decision *out)
{
    const exray_comparison *c = j->comparison;
    exray_result result;
    if (!j->reads_outputs)
        return false;
    exray_told_clear(j->told);
    const xr_output_set only = {exray_task_named("classification"), 0, 1};
    return xr_outputs_decide(c, only, side, frame, j->slot, j->told, &result) && take(&result, out);
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

/* The truth's class, else the frame's label. */
static bool frame_label(const judge *j, size_t frame, int64_t *label)
{
    const exray_comparison *c = j->comparison;
    exray_result truth;
    exray_error error;
    for (int s = 0; s < 2; s++)
        if (exray_log_read_told(c->log[s], c->frame[frame].frame[s], EXRAY_MESSAGE_TRUTH, j->slot, &truth,
                                &error) == EXRAY_OK &&
            truth.class_count) {
            *label = truth.classes[0].id;
            return true;
        }
    for (int s = 0; s < 2; s++) {
        const exray_frame *f = exray_log_frame(c->log[s], c->frame[frame].frame[s]);
        if (f->has_label) {
            *label = f->label;
            return true;
        }
    }
    return false;
}

/* Of sounds and texts the task says what goes in; what comes out may be classes. */
static bool names_input(const char *task)
{
    return strcmp(task, "audio") == 0 || strcmp(task, "text") == 0;
}

/* Of logs that name no task only a vector that looks like scores of classes is read as such. */
static bool begin(judge *j, const exray_comparison *c, exray_slot *slot)
{
    const char *task = xr_task_named_in(c);
    *j = (judge){c, slot, exray_told_new(), false};
    j->reads_outputs =
        c->outputs.count == 1 && slot &&
        (names_input(task) ? xr_output_is_shares(c, slot) : *task || xr_output_is_classes(c, slot));
    return slot && j->told;
}

exray_status xr_judge_decisions(exray_comparison *c, exray_error *error)
{
    exray_accuracy *a = &c->accuracy;
    const char *task = xr_task_named_in(c);
    *a = (exray_accuracy){
        .task = task, .top1 = {NAN, NAN}, .top5 = {NAN, NAN}, .agreement = NAN, .agreement_top5 = NAN};
    if (*a->task && strcmp(a->task, "classification") != 0 && !names_input(a->task))
        return EXRAY_OK;
    judge j;
    exray_slot *slot = exray_slot_new();
    const bool room = begin(&j, c, slot);
    size_t agree = 0, among = 0, top1[2] = {0, 0}, top5[2] = {0, 0};
    for (size_t f = 0; room && f < c->frame_count; f++) {
        decision d[2];
        if (!decide(&j, f, d))
            continue;
        a->frames++;
        agree += d[0].class[0] == d[1].class[0];
        among += contains(&d[1], d[0].class[0]);
        int64_t label;
        if (!frame_label(&j, f, &label))
            continue;
        a->labeled++;
        for (int s = 0; s < 2; s++) {
            top1[s] += d[s].class[0] == label;
            top5[s] += contains(&d[s], label);
        }
    }
    exray_slot_free(slot);
    exray_told_free(j.told);
    if (!room)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory while reading decisions");
    if (a->frames) {
        a->agreement = (double)agree / (double)a->frames;
        a->agreement_top5 = (double)among / (double)a->frames;
        a->task = names_input(task) ? task : "classification";
    }
    for (int s = 0; s < 2 && a->labeled; s++) {
        a->top1[s] = (double)top1[s] / (double)a->labeled;
        a->top5[s] = (double)top5[s] / (double)a->labeled;
    }
    return EXRAY_OK;
}

bool xr_comparison_decision(const exray_comparison *c, size_t frame, exray_slot *slot, xr_decision *out)
{
    judge j;
    decision d[2] = {{0}, {0}};
    /* Where no frame has a decision, or the task is another one, this frame has none. */
    const bool decided = c->accuracy.frames && begin(&j, c, slot);
    const bool known = decided && decide(&j, frame, d);
    if (decided)
        exray_told_free(j.told);
    if (!known)
        return false;
    *out = (xr_decision){.top = {d[0].class[0], d[1].class[0]}, .score = {d[0].score, d[1].score}};
    out->has_label = frame_label(&j, frame, &out->label);
    return true;
}
