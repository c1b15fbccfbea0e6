/* A task of one's own: how many things are seen, the largest of a vector of scores of 0, 1, 2, ... things.
 *
 *     cc -shared -fPIC $(pkg-config --cflags exray) count_task.c -o count_task.so
 *     exray record ... --pipeline p.yaml --plugin ./count_task.so      # p.yaml: task: user.count
 *     exray validate edge.mcap ref.mcap --plugin ./count_task.so */
#include <exray/task.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    (void)options;
    if (count == 1 && outputs[0]->rank > 0)
        return true;
    snprintf(why, why_size, "task user.count needs one output; no /result is written");
    return false;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    (void)options;
    (void)error;
    if (count != 1 || !outputs[0].values || outputs[0].count == 0)
        return EXRAY_E_UNSUPPORTED;
    uint64_t best = 0;
    for (uint64_t i = 1; i < outputs[0].count; i++)
        if (outputs[0].values[i] > outputs[0].values[best])
            best = i;
    exray_vector *vector = exray_told_room(told, 1, sizeof *vector);
    float *value = exray_told_room(told, 1, sizeof *value);
    if (!vector || !value)
        return EXRAY_E_MEMORY;
    *value = (float)best;
    *vector = (exray_vector){"count", value, 1};
    *out = (exray_result){.text = "", .vectors = vector, .vector_count = 1};
    return EXRAY_OK;
}

static bool has(const exray_result *result)
{
    return result->vector_count == 1 && result->vectors[0].count == 1;
}

/* How far the counts are apart. */
typedef struct distance {
    double sum;
    uint64_t frames;
} distance;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(distance));
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    distance *d = state;
    if (!has(told) || !has(other))
        return;
    d->sum += fabs((double)told->vectors[0].values[0] - (double)other->vectors[0].values[0]);
    d->frames++;
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const distance *d = state;
    if (most < 1)
        return 0;
    out[0] = (exray_task_measure){.name = "count_error", .unit = "", .higher = false, .frames = d->frames};
    out[0].value = d->frames ? d->sum / (double)d->frames : NAN;
    return 1;
}

static const exray_task count_task = {
    sizeof(exray_task), "user.count", fits, decide, has, begin, compare, measure, free};

EXRAY_PLUGIN_TASKS(&count_task);
