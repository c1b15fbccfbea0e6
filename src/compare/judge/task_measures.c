#include "compare/judge/task_measures.h"

#include "base/error.h"
#include "compare/judge/outputs_told.h"

#include <exray/task.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 128 };

/* What is compared with what: the edge with the reference, and each side with the truth. */
enum { AGREE, EDGE_TRUTH, REFERENCE_TRUTH, WAYS };

typedef struct task_judge {
    exray_comparison *comparison;
    exray_slot *slot[3];
    exray_told *told[2];
    const char *task;             /* that the logs name, or "" */
    const exray_task *of_outputs; /* NULL: outputs are not read */
} task_judge;

/* The truth of either log. */
static bool read_truth(task_judge *j, size_t frame, exray_result *out)
{
    exray_error error;
    for (int s = 0; s < 2; s++)
        if (exray_log_read_told(j->comparison->log[s], j->comparison->frame[frame].frame[s],
                                EXRAY_MESSAGE_TRUTH, j->slot[2], out, &error) == EXRAY_OK)
            return true;
    return false;
}

/* What a side told; else what its outputs tell. */
static bool read_side(task_judge *j, int s, size_t frame, exray_result *out)
{
    exray_error error;
    const exray_comparison *c = j->comparison;
    if (exray_log_read_told(c->log[s], c->frame[frame].frame[s], EXRAY_MESSAGE_RESULT, j->slot[s], out,
                            &error) == EXRAY_OK)
        return true;
    if (!j->of_outputs)
        return false;
    exray_told_clear(j->told[s]);
    return xr_outputs_decide(c, j->of_outputs, (exray_side)s, frame, j->slot[s], j->told[s], out);
}

/* A truth of nothing is one, too: all that was told is wrong. */
static bool is_empty(const exray_result *r)
{
    return r->class_count + r->box_count + r->keypoint_count + r->vector_count == 0 && !r->mask &&
           !(r->text && *r->text);
}

static void add_frame(task_judge *j, const exray_task *const *tasks, void *(*states)[WAYS], size_t count,
                      size_t frame)
{
    exray_result side[2], truth;
    const bool known[2] = {read_side(j, 0, frame, &side[0]), read_side(j, 1, frame, &side[1])};
    const bool is_true = read_truth(j, frame, &truth);
    for (size_t t = 0; t < count; t++) {
        if (known[0] && known[1] && (tasks[t]->has(&side[0]) || tasks[t]->has(&side[1])))
            tasks[t]->compare(states[t][AGREE], &side[0], &side[1]);
        for (int s = 0; s < 2; s++)
            if (known[s] && is_true && tasks[t]->has(is_empty(&truth) ? &side[s] : &truth))
                tasks[t]->compare(states[t][EDGE_TRUTH + s], &side[s], &truth);
    }
}

/* The entry of that name and group; a new one where there is none; NULL: there is no room. */
static exray_measure *entry_of(exray_comparison *c, size_t first, const exray_task *task,
                               const exray_task_measure *m)
{
    for (size_t i = first; i < c->measure_count; i++)
        if (strcmp(c->measure[i].name, m->name) == 0 && strcmp(c->measure[i].group, m->group) == 0)
            return &c->measure[i];
    if (c->measure_count == MOST)
        return NULL;
    exray_measure *made = &c->measure[c->measure_count++];
    *made = (exray_measure){.task = task->name,
                            .name = m->name,
                            .unit = m->unit,
                            .higher = m->higher,
                            .edge = NAN,
                            .reference = NAN,
                            .agreement = NAN};
    memcpy(made->group, m->group, sizeof made->group);
    return made;
}

static void take_measures(exray_comparison *c, const exray_task *task, void *const state[WAYS])
{
    const size_t first = c->measure_count;
    exray_task_measure found[MOST];
    for (int way = 0; way < WAYS; way++) {
        const size_t count = task->measure(state[way], found, MOST);
        for (size_t i = 0; i < count; i++) {
            exray_measure *entry = found[i].frames ? entry_of(c, first, task, &found[i]) : NULL;
            if (!entry)
                continue;
            *(way == AGREE        ? &entry->agreement
              : way == EDGE_TRUTH ? &entry->edge
                                  : &entry->reference) = found[i].value;
            entry->frames = way == AGREE && entry->frames ? entry->frames : found[i].frames;
        }
    }
}

static bool begin(task_judge *j, exray_comparison *c)
{
    *j = (task_judge){.comparison = c, .task = xr_task_named_in(c)};
    for (int i = 0; i < 3; i++)
        j->slot[i] = exray_slot_new();
    for (int i = 0; i < 2; i++)
        j->told[i] = exray_told_new();
    if (!j->slot[0] || !j->slot[1] || !j->slot[2] || !j->told[0] || !j->told[1])
        return false;
    j->of_outputs = xr_outputs_task(c, j->slot[0]);
    return true;
}

static void end(task_judge *j)
{
    for (int i = 0; i < 3; i++)
        exray_slot_free(j->slot[i]);
    for (int i = 0; i < 2; i++)
        exray_told_free(j->told[i]);
}

exray_status xr_judge_tasks(exray_comparison *c, exray_error *error)
{
    enum { TASKS = 32 };
    const exray_task *tasks[TASKS];
    void *states[TASKS][WAYS] = {{NULL}};
    size_t count = 0;
    task_judge j;
    bool good = begin(&j, c) && (c->measure = calloc(MOST, sizeof *c->measure));
    const exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    for (size_t i = 0; good && exray_task_at(i) && count < TASKS; i++) {
        const exray_task *task = exray_task_at(i);
        if (strcmp(task->name, "classification") == 0) /* in accuracy */
            continue;
        /* Classes look alike in both; the log tells which they are. */
        if (strcmp(task->name, "multi_label") == 0 && strcmp(j.task, "multi_label") != 0)
            continue;
        tasks[count] = task;
        for (int way = 0; way < WAYS; way++)
            good = (states[count][way] = task->begin(&options)) && good;
        count++;
    }
    for (size_t f = 0; good && f < c->frame_count; f++)
        add_frame(&j, tasks, states, count, f);
    for (size_t t = 0; t < count; t++) {
        if (good)
            take_measures(c, tasks[t], states[t]);
        for (int way = 0; way < WAYS; way++)
            tasks[t]->end(states[t][way]);
    }
    end(&j);
    return good ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory while measuring results");
}
