/* The graph of the deployed level, exposed.
 *
 * The described graph (level "extended") keeps names and layouts, but its kernels are not those that the
 * application runs, and slower.  For statistics, which need no order of values, the graph of the deployed
 * level is run instead; its tensors are told by those of the described one: both run once on the same inputs.
 */
#define _POSIX_C_SOURCE 200809L
#include "engines/onnxruntime/deployed_graph.h"

#include "core/dtype.h"
#include "engines/onnxruntime/exposed_graph.h"
#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

typedef struct deployed {
    void *saved; /* the graph as ONNX Runtime wrote it */
    size_t saved_size;
    xr_model_file file;
    xr_model_bytes exposed;
    xr_model_file exposed_file;
    OrtSession *session;
    size_t count; /* outputs of the exposed graph */
    const char **name;
    uint32_t *tensor; /* in file.model */
    OrtValue **value;
    xr_ort_seen *seen, *described_seen;
    xr_ort_match *match;
} deployed;

/* The exposed outputs by name: the exposed file has the tensors of the graph in another order. */
static bool list_outputs(deployed *d)
{
    const exray_model *model = &d->exposed_file.model, *graph = &d->file.model;
    d->name = calloc((size_t)model->output_count + 1, sizeof *d->name);
    d->tensor = calloc((size_t)model->output_count + 1, sizeof *d->tensor);
    d->value = calloc((size_t)model->output_count + 1, sizeof(OrtValue *));
    d->seen = calloc((size_t)graph->tensor_count + 1, sizeof *d->seen);
    d->match = calloc((size_t)graph->tensor_count + 1, sizeof *d->match);
    if (!d->name || !d->tensor || !d->value || !d->seen || !d->match)
        return false;
    for (uint32_t i = 0; i < model->output_count; i++) {
        const char *name =
            model->outputs[i] < model->tensor_count ? model->tensors[model->outputs[i]].name : NULL;
        for (uint32_t t = 0; name && *name && t < graph->tensor_count; t++)
            if (graph->tensors[t].name && strcmp(graph->tensors[t].name, name) == 0) {
                d->name[d->count] = graph->tensors[t].name;
                d->tensor[d->count++] = t;
                break;
            }
    }
    return true;
}

static bool open_graph(deployed *d, const xr_ort_observation *how)
{
    exray_error ignored = {EXRAY_OK, ""};
    xr_ort_making making = how->making;
    making.level = XR_ORT_LEVEL_NONE;
    return xr_ort_save_graph(how, how->making.level, &d->saved, &d->saved_size, &ignored) == EXRAY_OK &&
           xr_model_read(d->saved, d->saved_size, &d->file, &ignored) == EXRAY_OK &&
           xr_model_expose(&d->file, &d->exposed, &ignored) == EXRAY_OK &&
           xr_model_read(d->exposed.data, d->exposed.size, &d->exposed_file, &ignored) == EXRAY_OK &&
           xr_ort_create(how->api, &making, d->exposed.data, d->exposed.size, &d->session, &ignored) ==
               EXRAY_OK &&
           list_outputs(d);
}

static void see(const xr_ort_api *api, const OrtValue *value, xr_ort_seen *seen)
{
    exray_tensor_info info = {0};
    size_t size;
    if (!xr_ort_describe(api, value, &info, seen->shape, &seen->data, &size) ||
        !xr_shape_count(seen->shape, info.rank, &seen->count)) {
        seen->data = NULL;
        return;
    }
    seen->dtype = info.dtype;
    seen->rank = info.rank;
}

/* Runs both graphs on the same inputs, and finds out which tensors are the same. */
static bool match_graphs(xr_ort_observer *o, deployed *d, const xr_ort_call *inputs)
{
    exray_error ignored = {EXRAY_OK, ""};
    xr_ort_call call = *inputs;
    call.session = d->session;
    call.options = NULL;
    call.output_name = d->name;
    call.output_count = d->count;
    call.output = d->value;
    d->described_seen = calloc((size_t)o->file.model.tensor_count + 1, sizeof *d->described_seen);
    if (!d->described_seen || xr_ort_run_exposed(o, inputs, &ignored) != EXRAY_OK ||
        xr_ort_check(o->api, xr_ort_run(o->api, &call), "", &ignored) != EXRAY_OK)
        return false;
    for (size_t i = 0; i < o->output_count; i++)
        see(o->api, o->value[i], &d->described_seen[o->output_tensor[i]]);
    for (size_t i = 0; i < d->count; i++)
        see(o->api, d->value[i], &d->seen[d->tensor[i]]);
    const xr_ort_graph described = {&o->file.model, d->described_seen}, other = {&d->file.model, d->seen};
    return xr_ort_match_graphs(&described, &other, d->match);
}

/* ---- Taking it over ------------------------------------------------------------------------- */

/* The described graph's outputs must be there, and most of what the deployed graph makes must be known. */
static bool is_complete(const xr_ort_observer *o, const deployed *d)
{
    const double SHARE = 0.75;
    size_t outputs = 0;
    for (uint32_t i = 0; i < d->file.model.output_count; i++)
        outputs += d->file.model.outputs[i] < d->file.model.tensor_count &&
                   d->match[d->file.model.outputs[i]].tensor != EXRAY_NO_INDEX;
    return outputs == o->file.model.output_count && xr_ort_matched_share(&d->file.model, d->match) >= SHARE;
}

/* The kernels' names, for latencies. */
static bool name_kernels(xr_ort_observer *o, const deployed *d)
{
    const exray_model *graph = &d->file.model;
    o->kernel = calloc((size_t)graph->node_count + 1, sizeof *o->kernel);
    for (uint32_t n = 0; o->kernel && n < graph->node_count; n++) {
        const exray_node *node = &graph->nodes[n];
        uint32_t t = node->output_count ? node->outputs[0] : EXRAY_NO_INDEX;
        if (t >= graph->tensor_count || d->match[t].tensor == EXRAY_NO_INDEX || !node->name || !*node->name)
            continue;
        char *name = strdup(node->name);
        if (!name)
            return false;
        o->kernel[o->kernel_count++] = (xr_ort_kernel){name, o->made[d->match[t].tensor].node};
    }
    return o->kernel != NULL;
}

/* The outputs that are some described tensor: the exposed graph's run is asked for these alone. */
static bool take_outputs(xr_ort_observer *o, const deployed *d)
{
    const char **names = calloc(d->count + 1, sizeof *names);
    uint32_t *tensors = calloc(d->count + 1, sizeof *tensors);
    OrtValue **values = calloc(d->count + 1, sizeof(OrtValue *));
    char **own = calloc(d->count + 1, sizeof *own);
    xr_ort_layout *layouts = calloc(d->count + 1, sizeof *layouts);
    size_t count = 0, largest = 0;
    bool ok = names && tensors && values && layouts && own;
    for (size_t i = 0; ok && i < d->count; i++) {
        const xr_ort_match *match = &d->match[d->tensor[i]];
        if (match->tensor == EXRAY_NO_INDEX)
            continue;
        const xr_ort_seen *seen = &d->seen[d->tensor[i]];
        size_t size = (size_t)xr_dtype_bytes(seen->dtype, seen->data ? seen->count : 0);
        if (match->layout.order != XR_ORT_AS_DESCRIBED && size > largest)
            largest = size;
        ok = (names[count] = own[count] = strdup(d->name[i])) != NULL;
        tensors[count] = match->tensor;
        layouts[count++] = match->layout;
    }
    ok = ok && (o->scratch = malloc(largest + 1)) != NULL;
    if (!ok) {
        for (size_t i = 0; own && i < count; i++)
            free(own[i]);
        free(own);
        free(names);
        free(tensors);
        free(values);
        free(layouts);
        return false;
    }
    xr_ort_release_values(o->api, o->value, o->output_count);
    free(o->output_name);
    free(o->output_tensor);
    free(o->value);
    o->output_name = names;
    o->deployed_name = own;
    o->output_tensor = tensors;
    o->value = values;
    o->layout = layouts;
    o->output_count = count;
    o->scratch_size = largest;
    return true;
}

static void count_within_kernels(xr_ort_observer *o)
{
    for (uint32_t n = 0; n < o->file.model.node_count; n++) {
        bool seen = false;
        for (size_t i = 0; i < o->output_count && !seen; i++)
            seen = o->made[o->output_tensor[i]].node == n;
        o->within_kernels += !seen;
    }
}

static void release(const xr_ort_observer *o, deployed *d)
{
    xr_ort_release_values(o->api, d->value, d->count);
    if (d->session)
        o->api->ReleaseSession(d->session);
    xr_model_release(&d->exposed_file);
    xr_model_release(&d->file);
    void *blocks[] = {d->saved, d->exposed.data, d->name,           d->tensor,
                      d->value, d->seen,         d->described_seen, d->match};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
}

bool xr_ort_expose_deployed(xr_ort_observer *o, const xr_ort_observation *how)
{
    deployed d = {0};
    bool ok = how->zeros && open_graph(&d, how) && match_graphs(o, &d, how->zeros) && is_complete(o, &d) &&
              name_kernels(o, &d) && take_outputs(o, &d);
    if (ok) {
        o->api->ReleaseSession(o->session);
        o->session = d.session;
        d.session = NULL;
        free(o->exposed.data); /* of the described graph */
        o->exposed = d.exposed;
        d.exposed.data = NULL;
        count_within_kernels(o);
    } else
        xr_ort_release_values(o->api, o->value, o->output_count);
    release(o, &d);
    return ok;
}
