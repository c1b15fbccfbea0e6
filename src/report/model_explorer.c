/* Overlays of Model Explorer.  It finds nodes by the keys of `results`: the name of one of the node's output
 * tensors in the model file (of several nodes the last), else the node's id. */
#include "base/utf8.h"
#include "compare/perf/durations.h"
#include "report/json_out.h"
#include "report/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Light enough for black text, and distinct for people who cannot tell red from green. */
static const char *const role_colors[] = {
    [EXRAY_LAYER_ROLE_CLEAN] = "#b7e1cd",
    [EXRAY_LAYER_ROLE_ORIGINATES] = "#e8710a",
    [EXRAY_LAYER_ROLE_PROPAGATES] = "#fde293",
};

typedef struct node_value {
    char *key; /* owned; NULL: the node has no name */
    uint32_t node;
    double value; /* NAN: none */
    exray_layer_role role;
} node_value;

typedef struct node_values {
    node_value *entries; /* one a node */
    node_value **sorted;
    uint32_t count;
} node_values;

/* ---- Names ----------------------------------------------------------------------------- */

/* Adapters for ONNX give no names of tensors, and the node's name as its id; those for TensorFlow
 * Lite, where nodes have no names, give the names of tensors. */
static const char *key_of(const exray_model *model, uint32_t n)
{
    const exray_node *node = &model->nodes[n];
    bool by_node = model->engine && strcmp(model->engine, "onnxruntime") == 0;
    if (by_node && node->name && *node->name)
        return node->name;
    const char *name = node->output_count && node->outputs[0] < model->tensor_count
                           ? model->tensors[node->outputs[0]].name
                           : NULL;
    /* "results" alone would be taken for a file of another form. */
    return name && *name && strcmp(name, "results") != 0 ? name : NULL;
}

static int compare_keys(const void *a, const void *b)
{
    const node_value *x = *(node_value *const *)a, *y = *(node_value *const *)b;
    int order = x->key && y->key ? strcmp(x->key, y->key) : (x->key != NULL) - (y->key != NULL);
    return order ? order : (x->node > y->node) - (x->node < y->node);
}

/* A name means its last node, as in Model Explorer; earlier nodes lose it. */
static void drop_repeated(node_values *t)
{
    for (uint32_t i = 0; i < t->count; i++)
        t->sorted[i] = &t->entries[i];
    qsort(t->sorted, t->count, sizeof *t->sorted, compare_keys);
    for (uint32_t i = 0; i + 1 < t->count; i++) {
        node_value *e = t->sorted[i], *next = t->sorted[i + 1];
        if (e->key && next->key && strcmp(e->key, next->key) == 0) {
            free(e->key);
            e->key = NULL;
        }
    }
}

static void free_table(node_values *t)
{
    for (uint32_t i = 0; t->entries && i < t->count; i++)
        free(t->entries[i].key);
    free(t->entries);
    free(t->sorted);
}

static bool make_table(const exray_model *model, node_values *t, xr_overlay *overlay)
{
    uint32_t count = model ? model->node_count : 0;
    *overlay = (xr_overlay){0};
    *t = (node_values){.entries = calloc((size_t)count + 1, sizeof *t->entries),
                       .sorted = calloc((size_t)count + 1, sizeof *t->sorted),
                       .count = count};
    bool good = t->entries && t->sorted;
    for (uint32_t n = 0; good && n < count; n++) {
        bool inner = model->nodes[n].subgraph != 0;
        const char *key = inner ? NULL : key_of(model, n);
        t->entries[n] = (node_value){.key = key ? xr_utf8_copy(key) : NULL,
                                     .node = n,
                                     .value = NAN,
                                     .role = EXRAY_LAYER_ROLE_UNJUDGED};
        good = !key || t->entries[n].key;
        overlay->inner += inner;
    }
    if (good)
        drop_repeated(t);
    else
        free_table(t);
    return good;
}

/* ---- Values ------------------------------------------------------------------------------- */

/* Of a node's outputs the worst counts. */
static void add_layer(node_values *t, const exray_layer_pair *layer, double value)
{
    static const int gravity[] = {[EXRAY_LAYER_ROLE_CLEAN] = 1,
                                  [EXRAY_LAYER_ROLE_ORIGINATES] = 3,
                                  [EXRAY_LAYER_ROLE_PROPAGATES] = 2,
                                  [EXRAY_LAYER_ROLE_UNJUDGED] = 0};
    uint32_t n = layer->node[EXRAY_SIDE_EDGE];
    if (n >= t->count || !isfinite(value))
        return;
    node_value *e = &t->entries[n];
    if (gravity[layer->role] > gravity[e->role])
        e->role = layer->role;
    if (!(e->value >= value))
        e->value = value;
}

static void add_layers(node_values *t, const exray_comparison *c, xr_overlay *overlay)
{
    bool measured = false, bounded = false;
    size_t count = exray_comparison_layer_count(c);
    for (size_t i = 0; i < count; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        measured = measured || isfinite(layer->metrics.nrmse);
        bounded = bounded || isfinite(layer->error);
    }
    overlay->bounds = !measured && bounded;
    for (size_t i = 0; i < count; i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        add_layer(t, layer, overlay->bounds ? layer->error : layer->metrics.nrmse);
    }
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static bool add_result(cJSON *results, const node_value *e)
{
    cJSON *result = cJSON_AddObjectToObject(results, e->key);
    return result && cJSON_AddNumberToObject(result, "value", e->value) &&
           (e->role == EXRAY_LAYER_ROLE_UNJUDGED ||
            cJSON_AddStringToObject(result, "bgColor", role_colors[e->role]));
}

static bool add_stop(cJSON *gradient, double stop, const char *color)
{
    cJSON *item = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(gradient, item)) {
        cJSON_Delete(item);
        return false;
    }
    return cJSON_AddNumberToObject(item, "stop", stop) && cJSON_AddStringToObject(item, "bgColor", color);
}

static bool write_table(const node_values *t, const char *name, bool gradient, FILE *out, xr_overlay *overlay)
{
    cJSON *root = cJSON_CreateObject();
    bool good = cJSON_AddStringToObject(root, "name", name);
    cJSON *results = cJSON_AddObjectToObject(root, "results");
    for (uint32_t i = 0; i < t->count && good; i++) {
        const node_value *e = &t->entries[i];
        if (!e->key) {
            overlay->unnamed++;
        } else if (!isfinite(e->value)) {
            overlay->unknown++;
        } else {
            good = add_result(results, e);
            overlay->nodes++;
        }
    }
    overlay->unnamed -= overlay->inner; /* these have no keys, either */
    if (gradient && good) {
        cJSON *stops = cJSON_AddArrayToObject(root, "gradient");
        good = add_stop(stops, 0, "#ffffff") && add_stop(stops, 1, "#e8710a");
    }
    if (good && results)
        return xr_json_put(root, out);
    cJSON_Delete(root);
    return false;
}

bool xr_report_model_explorer(const exray_comparison *comparison, FILE *out, xr_overlay *overlay)
{
    node_values t;
    if (!make_table(exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE)), &t, overlay))
        return false;
    add_layers(&t, comparison, overlay);
    const char *name = overlay->bounds ? "exray: least error to signal" : "exray: nRMSE";
    bool good = write_table(&t, name, false, out, overlay);
    free_table(&t);
    return good;
}

bool xr_report_model_explorer_times(const exray_log *log, FILE *out, xr_overlay *overlay)
{
    node_values t;
    xr_latency latency;
    if (!make_table(exray_log_model(log), &t, overlay))
        return false;
    bool good = xr_latency_read(log, &latency);
    for (size_t i = 0; good && i < latency.table.node_count; i++)
        if (latency.table.node[i].node < t.count)
            t.entries[latency.table.node[i].node].value = latency.table.node[i].time.median / 1e6;
    good = good && write_table(&t, "exray: median ms", true, out, overlay);
    xr_latency_free(&latency);
    free_table(&t);
    return good;
}
