#include "checks/perf/setup.h"

#include "checks/builtin.h"
#include "checks/layer/value_evidence.h"
#include "checks/perf/system_series.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool xr_same_text(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

static const char *metadata(const exray_comparison *c, exray_side side, const char *key)
{
    const char *value = exray_log_metadata(exray_comparison_log(c, side), key);
    return value ? value : "";
}

static bool same_metadata(const exray_comparison *c, const char *key)
{
    return strcmp(metadata(c, EXRAY_SIDE_EDGE, key), metadata(c, EXRAY_SIDE_REFERENCE, key)) == 0;
}

bool xr_is_same_processor(const exray_comparison *c)
{
    return same_metadata(c, "arch") && same_metadata(c, "cpu");
}

bool xr_is_same_host(const exray_comparison *c)
{
    /* Many boards do not name their processor. */
    return *metadata(c, EXRAY_SIDE_EDGE, "device") && *metadata(c, EXRAY_SIDE_EDGE, "arch") &&
           same_metadata(c, "device") && xr_is_same_processor(c);
}

static const exray_model *model_of(const exray_comparison *c, exray_side side)
{
    return exray_log_model(exray_comparison_log(c, side));
}

bool xr_is_same_setup(const exray_comparison *c)
{
    const exray_model *a = model_of(c, EXRAY_SIDE_EDGE), *b = model_of(c, EXRAY_SIDE_REFERENCE);
    if (!a || !b || !xr_is_same_host(c) || !xr_same_text(a->engine, b->engine) ||
        !xr_same_text(a->kernels, b->kernels) || !xr_same_text(a->engine_version, b->engine_version) ||
        a->threads != b->threads)
        return false;
    return xr_is_same_file(c);
}

static bool same_words(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

bool xr_is_same_runtime(const exray_model *a, const exray_model *b)
{
    return same_words(a->engine, b->engine) && same_words(a->engine_version, b->engine_version) &&
           same_words(a->kernels, b->kernels) && a->threads == b->threads;
}

static bool is_same_size(const exray_tensor_info *a, const exray_tensor_info *b)
{
    return a->dtype == b->dtype && xr_same_shape(a, b);
}

/* The same operators on tensors of the same sizes: as much to compute, whatever the weights are. */
static bool is_same_work(const exray_model *a, const exray_model *b)
{
    bool same = a->node_count > 0 && a->node_count == b->node_count;
    for (uint32_t n = 0; same && n < a->node_count; n++) {
        const exray_node *x = &a->nodes[n], *y = &b->nodes[n];
        same = same_words(x->op, y->op) && x->inner_count == y->inner_count &&
               x->output_count == y->output_count;
        for (uint32_t k = 0; same && k < x->output_count; k++)
            same = x->outputs[k] < a->tensor_count && y->outputs[k] < b->tensor_count &&
                   is_same_size(&a->tensors[x->outputs[k]], &b->tensors[y->outputs[k]]);
    }
    return same;
}

bool xr_tells_same_setup(const exray_comparison *c)
{
    const exray_model *a = model_of(c, EXRAY_SIDE_EDGE), *b = model_of(c, EXRAY_SIDE_REFERENCE);
    return a && b && xr_is_same_host(c) && xr_is_same_runtime(a, b) && is_same_work(a, b);
}

bool xr_runs_reference_kernels(const exray_comparison *c)
{
    const exray_model *a = model_of(c, EXRAY_SIDE_EDGE), *b = model_of(c, EXRAY_SIDE_REFERENCE);
    return a && b && xr_same_text(a->kernels, "reference") && !xr_same_text(b->kernels, "reference");
}

size_t xr_partitions(const exray_comparison *c, exray_side side)
{
    const exray_model *model = model_of(c, side);
    size_t count = 0;
    for (uint32_t n = 0; model && n < model->node_count; n++)
        count +=
            model->nodes[n].inner_count > 0 || (model->nodes[n].op && strstr(model->nodes[n].op, "DELEGATE"));
    return count;
}

static bool take_processors(const exray_system *s, double *value)
{
    *value = s->processors;
    return s->has_processors;
}

uint32_t xr_processors(const exray_comparison *c, exray_side side)
{
    const exray_log *log = exray_comparison_log(c, side);
    double *value = calloc(exray_log_frame_count(log) + 1, sizeof *value);
    size_t count = value ? xr_system_series(log, take_processors, value) : 0;
    double most = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, value[i]);
    free(value);
    return (uint32_t)most;
}

double xr_times_slower(const exray_comparison *c)
{
    const exray_durations *e = &exray_comparison_latency(c, EXRAY_SIDE_EDGE)->settled;
    const exray_durations *r = &exray_comparison_latency(c, EXRAY_SIDE_REFERENCE)->settled;
    return fmin(e->least / r->least, e->median / r->median);
}
