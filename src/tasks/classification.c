/* Classification: one vector, of which the largest values are told. */
#include "tasks/builtin_tasks.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { TOP = 5, MOST_TOLD = 1000 };

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    if (count != 1 || !xr_task_is_vector(outputs[0])) {
        snprintf(why, why_size, "task classification needs one output vector; no /result is written");
        return false;
    }
    const uint64_t classes = xr_task_elements(outputs[0]);
    if (options->label_count && options->label_count + (uint64_t)llabs(options->label_offset) < classes)
        snprintf(why, why_size, "the model has %llu classes and the label file %zu names",
                 (unsigned long long)classes, options->label_count);
    return true;
}

/* Places of the k largest values, best first; NaN never wins; of equal values the first is taken, as argmax
 * does everywhere. */
static uint32_t best(const float *values, uint64_t count, uint32_t k, uint64_t *places)
{
    uint32_t found = 0;
    float lowest = -INFINITY; /* of the places, when all are taken */
    for (uint64_t i = 0; k > 0 && i < count; i++) {
        const float v = xr_task_value(values, i);
        if (isnan(v) || (found == k && v <= lowest))
            continue;
        uint32_t at = found < k ? found++ : k - 1;
        for (; at > 0; at--) {
            if (xr_task_value(values, places[at - 1]) >= v)
                break;
            places[at] = places[at - 1];
        }
        places[at] = i;
        lowest = xr_task_value(values, places[found - 1]);
    }
    return found;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    *out = (exray_result){.text = ""};
    if (count != 1 || outputs[0].count < 2 || !outputs[0].values || !xr_task_is_vector(outputs[0].info))
        return EXRAY_E_UNSUPPORTED;
    uint64_t places[MOST_TOLD];
    const uint32_t wanted = options->top_k ? options->top_k : TOP;
    const uint32_t k =
        best(outputs[0].values, outputs[0].count, wanted < MOST_TOLD ? wanted : MOST_TOLD, places);
    exray_class *classes = exray_told_room(told, k ? k : 1, sizeof *classes);
    if (!classes)
        return xr_task_no_memory(error, "classification");
    for (uint32_t i = 0; i < k; i++) {
        classes[i].id = (int64_t)places[i] - options->label_offset;
        classes[i].score = xr_task_value(outputs[0].values, places[i]);
        classes[i].label = xr_task_label(options, classes[i].id);
    }
    out->classes = classes;
    out->class_count = k;
    return EXRAY_OK;
}

static bool has(const exray_result *result)
{
    return result->class_count > 0;
}

/* ---- Measures ---- */

typedef struct class_sums {
    xr_task_mean top1, top5;
} class_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(class_sums));
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    class_sums *sums = state;
    if (!told->class_count || !other->class_count)
        return;
    /* Whether the better known side has the one that was told among its first: a truth has one class. */
    const bool is_truth = other->class_count == 1;
    const exray_result *many = is_truth ? told : other;
    const int64_t wanted = is_truth ? other->classes[0].id : told->classes[0].id;
    bool among = false;
    for (uint32_t i = 0; i < many->class_count && i < TOP; i++)
        among = among || many->classes[i].id == wanted;
    xr_task_add(&sums->top1, told->classes[0].id == other->classes[0].id, 1);
    xr_task_add(&sums->top5, among, 1);
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const class_sums *sums = state;
    if (most < 2)
        return 0;
    out[0] = xr_task_measure_of(&sums->top1, "top1", "share", true);
    out[1] = xr_task_measure_of(&sums->top5, "top5", "share", true);
    return 2;
}

const exray_task xr_task_classification = {
    sizeof(exray_task), "classification", fits, decide, has, begin, compare, measure, free};
