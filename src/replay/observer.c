/* The observer guard.  Every run has a session of its own, so that a model with
 * state is in the same state in each; sessions follow each other, so that no two
 * are in memory at once, and none is when the real one opens. */
#include "replay/observer.h"

#include "base/error.h"
#include "base/tensor.h"
#include "engines/agreement.h"

#include <exray/log.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_BARE = 3, MAX_OBSERVED = 2 };

/* An output of one run, as values where its type has any. */
typedef struct output {
    char name[128];
    exray_dtype dtype;
    double step; /* the quantization's largest scale; 0: not quantized */
    void *data;
    size_t size;
    float *values; /* [count], dequantized; NULL: strings and the like */
    size_t count;
} output;

typedef struct outputs {
    output *of;
    uint32_t count;
} outputs;

typedef struct guard {
    const xr_engine *engine;
    const xr_session_config *session;
    const exray_recorder_config *recording;
    const xr_feeds *inputs;
    outputs bare[MAX_BARE], observed[MAX_OBSERVED];
    unsigned bare_count, observed_count;
} guard;

/* How much two runs differ, in the output that is worst relative to its noise. */
typedef struct distance {
    bool equal;
    double excess; /* relative to noise: 1 is the limit */
    double max_abs;
    uint32_t output;
} distance;

bool xr_observes_layers(const exray_recorder_config *recording)
{
    return recording->capture == EXRAY_CAPTURE_DEFAULT || recording->capture >= EXRAY_CAPTURE_STATS;
}

/* ---- Taking outputs ------------------------------------------------------------ */

static void free_outputs(outputs *all)
{
    for (uint32_t i = 0; i < all->count; i++) {
        free(all->of[i].data);
        free(all->of[i].values);
    }
    free(all->of);
    *all = (outputs){0};
}

static bool copy_output(const exray_tensor_info *info, const void *data, size_t size, output *to)
{
    if (info->name)
        snprintf(to->name, sizeof to->name, "%s", info->name);
    to->dtype = info->dtype;
    to->step = xr_largest_scale(&info->quantization);
    to->data = malloc(size ? size : 1);
    if (!to->data)
        return false;
    if (size)
        memcpy(to->data, data, size);
    to->size = size;
    uint64_t count = xr_elements(info);
    if (count > (uint64_t)size * 8)
        count = 0;
    to->values = malloc((count ? (size_t)count : 1) * sizeof *to->values);
    if (!to->values)
        return false;
    to->count = (size_t)count;
    if (exray_tensor_dequantize(info, data, size, count, to->values) != EXRAY_OK) {
        free(to->values); /* no numbers: the bytes are compared */
        to->values = NULL;
    }
    return true;
}

static exray_status take_outputs(const xr_engine *engine, xr_session *session, outputs *all,
                                 exray_error *error)
{
    uint32_t count = 0;
    while (engine->output(session, count))
        count++;
    all->of = calloc(count ? count : 1, sizeof *all->of);
    bool ok = all->of != NULL;
    for (uint32_t i = 0; ok && i < count; i++) {
        size_t size = 0;
        const void *data = engine->output_data(session, i, &size);
        ok = copy_output(engine->output(session, i), data, data ? size : 0, &all->of[i]);
        all->count = i + 1;
    }
    return ok ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the model's outputs");
}

/* ---- Runs ------------------------------------------------------------------------- */

static exray_status run_session(guard *g, xr_session *session, outputs *to, exray_error *error)
{
    exray_status status = xr_feeds_set(g->inputs, g->engine, session, error);
    if (!status)
        status = g->engine->run(session, error);
    return status ? status : take_outputs(g->engine, session, to, error);
}

/* `session` NULL: opens one. */
static exray_status run_bare(guard *g, xr_session *session, exray_error *error)
{
    if (!session && !(session = g->engine->open(g->session, error)))
        return error->status;
    exray_status status = run_session(g, session, &g->bare[g->bare_count++], error);
    g->engine->close(session);
    return status;
}

static int drop(void *user, const void *data, size_t size)
{
    (void)user, (void)data, (void)size;
    return 0;
}

static exray_status run_observed(guard *g, exray_error *error)
{
    exray_recorder *recorder = calloc(1, sizeof *recorder);
    if (!recorder)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a recorder");
    exray_recorder_config recording = *g->recording;
    recording.max_files = recording.file_seconds = 0; /* nothing is written */
    recording.file_bytes = 0;
    recording.keep_oldest = false;
    exray_status status = exray_recorder_open_callback(recorder, drop, NULL, &recording);
    if (status)
        xr_error_set(error, status, "%s", exray_recorder_error_message(recorder));
    xr_session_config config = *g->session;
    config.recorder = recorder;
    xr_session *session = status ? NULL : g->engine->open(&config, error);
    if (!status && !session)
        status = error->status;
    if (!status) {
        exray_recorder_frame_begin(recorder, NULL);
        status = run_session(g, session, &g->observed[g->observed_count++], error);
        exray_recorder_frame_end(recorder);
    }
    if (!status && (status = exray_recorder_error_status(recorder)) != EXRAY_OK)
        xr_error_set(error, status, "%s", exray_recorder_error_message(recorder));
    exray_recorder_close(recorder);
    if (session)
        g->engine->close(session);
    free(recorder);
    return status;
}

/* ---- Comparing ---------------------------------------------------------------------- */

static xr_extent extent_of(const output *o)
{
    xr_extent extent = XR_NO_EXTENT;
    for (size_t i = 0; o->values && i < o->count; i++)
        xr_extent_add(&extent, o->values[i]);
    return extent;
}

static double noise_of(const output *o)
{
    xr_extent extent = extent_of(o);
    return xr_noise(o->dtype, &extent, o->step);
}

/* INFINITY where they cannot be compared: other sizes, other strings. */
static double output_distance(const output *a, const output *b)
{
    if (a->size == b->size && memcmp(a->data, b->data, a->size) == 0)
        return 0;
    if (!a->values || !b->values || a->count != b->count || a->dtype != b->dtype)
        return INFINITY;
    double largest = 0;
    for (size_t i = 0; i < a->count; i++)
        largest = fmax(largest, xr_value_distance(a->values[i], b->values[i]));
    return largest;
}

/* Values that float32 cannot tell apart may still have other bytes. */
static bool same_bytes(const output *a, const output *b)
{
    return a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

static distance compare(const outputs *a, const outputs *b)
{
    distance worst = {.equal = true};
    if (a->count != b->count)
        return (distance){.excess = INFINITY, .max_abs = INFINITY};
    for (uint32_t i = 0; i < a->count; i++) {
        double apart = output_distance(&a->of[i], &b->of[i]), noise = noise_of(&a->of[i]);
        double excess = apart == 0 ? 0 : noise > 0 ? apart / noise : INFINITY;
        bool first = worst.equal && !same_bytes(&a->of[i], &b->of[i]);
        worst.equal = worst.equal && !first;
        if (first || excess > worst.excess || (excess == worst.excess && apart > worst.max_abs))
            worst.excess = excess, worst.max_abs = apart, worst.output = i;
    }
    return worst;
}

/* The smallest difference between an observed run and a bare one. */
static distance nearest(const guard *g)
{
    distance least = {.excess = NAN};
    for (unsigned i = 0; i < g->bare_count; i++)
        for (unsigned k = 0; k < g->observed_count; k++) {
            distance d = compare(&g->bare[i], &g->observed[k]);
            if (!(d.excess >= least.excess))
                least = d;
        }
    return least;
}

/* The largest difference among bare runs. */
static distance spread(const guard *g)
{
    distance most = {.equal = true};
    for (unsigned i = 0; i < g->bare_count; i++)
        for (unsigned k = i + 1; k < g->bare_count; k++) {
            distance d = compare(&g->bare[i], &g->bare[k]);
            if (d.excess > most.excess)
                most = d;
        }
    return most;
}

/* Further runs identify a model that is random by itself. */
static exray_status repeat(guard *g, exray_error *error)
{
    exray_status status = EXRAY_OK;
    while (!status && g->bare_count < MAX_BARE)
        status = run_bare(g, NULL, error);
    while (!status && g->observed_count < MAX_OBSERVED)
        status = run_observed(g, error);
    return status;
}

static void describe(const guard *g, distance d, xr_observation *out)
{
    if (!d.equal && d.output < g->bare[0].count) {
        const output *o = &g->bare[0].of[d.output];
        xr_extent extent = extent_of(o);
        out->range = xr_extent_range(&extent);
        out->max_abs = d.max_abs;
        snprintf(out->output, sizeof out->output, "%s", o->name);
    } else if (!d.equal)
        out->max_abs = INFINITY;
}

static exray_status judge(guard *g, xr_observation *out, exray_error *error)
{
    distance d = nearest(g);
    out->verdict = d.equal ? "equal" : "noise";
    if (d.excess > 1) {
        exray_status status = repeat(g, error);
        if (status)
            return status;
        d = nearest(g);
        distance own = spread(g);
        out->repeated = true;
        out->repeat_max_abs = own.max_abs;
        /* Also where both are infinite: other strings each time. */
        bool its_own = own.excess > 0 && !(d.excess > own.excess * XR_OBSERVER_REPEATS);
        out->verdict = d.excess > 1 && !its_own ? "differs" : "noise";
    }
    describe(g, d, out);
    return EXRAY_OK;
}

exray_status xr_observe(const xr_engine *engine, const xr_session_config *session, xr_session *bare,
                        const exray_recorder_config *recording, const xr_feeds *inputs, xr_observation *out,
                        exray_error *error)
{
    guard g = {.engine = engine, .session = session, .recording = recording, .inputs = inputs};
    *out = (xr_observation){.verdict = "equal"};
    exray_status status = run_bare(&g, bare, error);
    if (!status)
        status = run_observed(&g, error);
    if (!status)
        status = judge(&g, out, error);
    out->bare = g.bare_count;
    out->observed = g.observed_count;
    for (unsigned i = 0; i < g.bare_count; i++)
        free_outputs(&g.bare[i]);
    for (unsigned i = 0; i < g.observed_count; i++)
        free_outputs(&g.observed[i]);
    return status;
}
