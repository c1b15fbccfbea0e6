/* Classes that do not exclude each other: all that are sure enough are told. */
#include "tasks/builtin_tasks.h"
#include "tasks/heads/rows.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_TOLD = 1000, CLASSES = 100 };

static const float LEAST = 0.5F;

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    (void)options;
    if (count == 1 && xr_task_is_vector(outputs[0]))
        return true;
    snprintf(why, why_size, "task multi_label needs one output vector; no /result is written");
    return false;
}

static int by_score(const void *a, const void *b)
{
    const exray_class *p = a, *q = b;
    if (p->score != q->score)
        return p->score > q->score ? -1 : 1;
    return p->id < q->id ? -1 : p->id > q->id;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    *out = (exray_result){.text = ""};
    if (count != 1 || outputs[0].count < 2 || !outputs[0].values || !xr_task_is_vector(outputs[0].info))
        return EXRAY_E_UNSUPPORTED;
    const float least = options->threshold > 0 ? options->threshold : LEAST;
    const uint32_t most = options->top_k && options->top_k < MOST_TOLD ? options->top_k : MOST_TOLD;
    size_t room = 0;
    for (int pass = 0; pass < 2; pass++) { /* counts, then keeps */
        exray_class *classes = pass ? exray_told_room(told, room + 1, sizeof *classes) : NULL;
        size_t found = 0;
        if (pass && !classes)
            return xr_task_no_memory(error, "multi_label");
        for (uint64_t i = 0; i < outputs[0].count; i++) {
            float score = xr_task_value(outputs[0].values, i);
            if (options->sigmoid)
                score = xr_logistic(score);
            if (!(score >= least)) /* nor is NaN */
                continue;
            if (pass)
                classes[found] = (exray_class){.id = (int64_t)i - options->label_offset, .score = score};
            found++;
        }
        room = found;
        if (!pass)
            continue;
        if (found > 1)
            qsort(classes, found, sizeof *classes, by_score);
        for (size_t i = 0; i < found; i++)
            classes[i].label = xr_task_label(options, classes[i].id);
        out->classes = classes;
        out->class_count = found < most ? (uint32_t)found : most;
    }
    return EXRAY_OK;
}

static bool has(const exray_result *result)
{
    return result->class_count > 0;
}

/* ---- Measures: F1 = 2 * both / (told + other), over all frames; of each class; and whole sets ---- */

typedef struct label_sums {
    xr_task_mean all, same, of_class[CLASSES];
    char label[CLASSES][40];
} label_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(label_sums));
}

static bool is_among(const exray_result *result, int64_t id)
{
    for (uint32_t i = 0; i < result->class_count; i++)
        if (result->classes[i].id == id)
            return true;
    return false;
}

/* Adds what one side told; returns how many of it the other told, too. */
static double add_side(label_sums *sums, const exray_result *one, const exray_result *other)
{
    double both = 0;
    for (uint32_t i = 0; i < one->class_count; i++) {
        const exray_class *c = &one->classes[i];
        const bool shared = is_among(other, c->id);
        both += shared;
        if (c->id < 0 || c->id >= CLASSES)
            continue;
        xr_task_add(&sums->of_class[c->id], shared, 1);
        if (c->label && *c->label)
            snprintf(sums->label[c->id], sizeof sums->label[0], "%s", c->label);
    }
    return both;
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    label_sums *sums = state;
    const double both = add_side(sums, told, other);
    const double again = add_side(sums, other, told);
    xr_task_add(&sums->all, both + again, (double)told->class_count + other->class_count);
    xr_task_add(&sums->same, both == told->class_count && again == other->class_count, 1);
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const label_sums *sums = state;
    if (most < 2)
        return 0;
    size_t count = 2;
    out[0] = xr_task_measure_of(&sums->all, "f1", "share", true);
    out[1] = xr_task_measure_of(&sums->same, "same_labels", "share", true);
    for (int c = 0; c < CLASSES && count < most; c++) {
        if (sums->of_class[c].frames == 0)
            continue;
        out[count] = xr_task_measure_of(&sums->of_class[c], "f1", "share", true);
        out[count].frames = sums->all.frames;
        xr_task_of_class(&out[count++], sums->label[c], c);
    }
    return count;
}

const exray_task xr_task_multi_label = {
    sizeof(exray_task), "multi_label", fits, decide, has, begin, compare, measure, free};
