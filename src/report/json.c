/* The contract "exray-validation", version 1. */
#include "base/utf8.h"
#include "checks/covered.h"
#include "checks/gate/measures.h"
#include "report/json_out.h"
#include "report/layer_cause.h"
#include "report/report.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cJSON's functions take and return NULL when memory runs out; only the end is
 * checked: an item that could not be added leaves the count short. */
typedef struct json_writer {
    bool failed;
} json_writer;

static cJSON *put(json_writer *w, cJSON *object, const char *key, cJSON *item)
{
    if (!item || !cJSON_AddItemToObject(object, key, item)) {
        w->failed = true;
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

static cJSON *push(json_writer *w, cJSON *array, cJSON *item)
{
    if (!item || !cJSON_AddItemToArray(array, item)) {
        w->failed = true;
        cJSON_Delete(item);
        return NULL;
    }
    return item;
}

static void number(json_writer *w, cJSON *object, const char *key, double value)
{
    put(w, object, key, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

static cJSON *text_item(const char *value)
{
    char *clean = xr_utf8_copy(value);
    cJSON *item = clean ? cJSON_CreateString(clean) : NULL;
    free(clean);
    return item;
}

static void text(json_writer *w, cJSON *object, const char *key, const char *value)
{
    put(w, object, key, value ? text_item(value) : cJSON_CreateNull());
}

/* ---- Parts ------------------------------------------------------------------------ */

static void add_frames(json_writer *w, cJSON *root, const exray_comparison *c)
{
    cJSON *frames = put(w, root, "frames", cJSON_CreateObject());
    number(w, frames, "matched", (double)exray_comparison_frame_count(c));
    number(w, frames, "edge_unmatched", (double)exray_comparison_unmatched_frames(c, EXRAY_SIDE_EDGE));
    number(w, frames, "reference_unmatched",
           (double)exray_comparison_unmatched_frames(c, EXRAY_SIDE_REFERENCE));
    text(w, frames, "matched_by", exray_comparison_matched_by(c));
}

static void add_accuracy(json_writer *w, cJSON *root, const exray_comparison *c)
{
    const exray_accuracy *a = exray_comparison_accuracy(c);
    cJSON *o = put(w, root, "accuracy", cJSON_CreateObject());
    /* Beside the list stands its first entry. */
    const exray_measure *first = a->frames ? NULL : exray_comparison_measure(c, 0);
    text(w, o, "task", first ? first->task : *a->task ? a->task : NULL);
    number(w, o, "frames", (double)(first ? first->frames : a->frames));
    number(w, o, "labelled", (double)(first ? isfinite(first->edge) ? first->frames : 0 : a->labeled));
    number(w, o, "edge", first ? first->edge : a->top1[EXRAY_SIDE_EDGE]);
    number(w, o, "reference", first ? first->reference : a->top1[EXRAY_SIDE_REFERENCE]);
    number(w, o, "edge_top5", a->top5[EXRAY_SIDE_EDGE]);
    number(w, o, "reference_top5", a->top5[EXRAY_SIDE_REFERENCE]);
    number(w, o, "agreement", first ? first->agreement : a->agreement);
    xr_measure measure[XR_MEASURES_MOST];
    size_t count = xr_measures(c, measure);
    cJSON *list = put(w, o, "measures", cJSON_CreateArray());
    for (size_t i = 0; i < count; i++) {
        const xr_measure *m = &measure[i];
        cJSON *item = push(w, list, cJSON_CreateObject());
        text(w, item, "name", m->name);
        text(w, item, "unit", m->unit);
        text(w, item, "better", m->higher ? "higher" : "lower");
        text(w, item, "output", m->output);
        text(w, item, "group", m->group);
        number(w, item, "frames", (double)m->frames);
        number(w, item, "edge", m->edge);
        number(w, item, "reference", m->reference);
        number(w, item, "agreement", m->agreement);
    }
}

static void add_coverage(json_writer *w, cJSON *root, const exray_comparison *c)
{
    const exray_coverage *v = exray_comparison_coverage(c);
    cJSON *o = put(w, root, "coverage", cJSON_CreateObject());
    number(w, o, "compared", (double)(v->with_data + v->with_sketch + v->with_stats));
    number(w, o, "edge_layers", (double)v->recorded[EXRAY_SIDE_EDGE]);
    number(w, o, "reference_layers", (double)v->recorded[EXRAY_SIDE_REFERENCE]);
    number(w, o, "matched", (double)v->compared);
    number(w, o, "fused", (double)v->fused);
    number(w, o, "not_seen", (double)(v->fused + v->hidden));
    number(w, o, "inside_partition", (double)v->fused); /* the name that 0.1.0 gave it */
    number(w, o, "with_data", (double)v->with_data);
    number(w, o, "with_stats", (double)v->with_stats);
    number(w, o, "with_sketch", (double)v->with_sketch);
}

static void add_where(json_writer *w, cJSON *o, const exray_comparison *c, const exray_finding *f)
{
    const exray_layer_pair *layer = f->layer == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(c, f->layer);
    cJSON *where = put(w, o, "where", cJSON_CreateObject());
    text(w, where, "stage", f->stage);
    text(w, where, "tensor", f->tensor);
    if (layer)
        number(w, where, "layer", layer->node[EXRAY_SIDE_EDGE]);
    else
        put(w, where, "layer", cJSON_CreateNull());
    text(w, where, "op", layer ? layer->op[EXRAY_SIDE_EDGE] : NULL);
}

static void add_finding(json_writer *w, cJSON *list, const exray_comparison *c, const exray_finding *f)
{
    cJSON *o = push(w, list, cJSON_CreateObject());
    text(w, o, "cause", f->cause);
    text(w, o, "severity", xr_severity_name(f->severity));
    number(w, o, "confidence", f->confidence);
    text(w, o, "summary", f->summary ? f->summary : "");
    text(w, o, "fix", f->fix ? f->fix : "");
    add_where(w, o, c, f);
    cJSON *details = put(w, o, "details", cJSON_CreateArray());
    for (size_t i = 0; i < f->detail_count; i++)
        push(w, details, text_item(f->detail[i]));
    cJSON *evidence = put(w, o, "evidence", cJSON_CreateObject());
    for (size_t i = 0; i < f->evidence_count; i++) {
        if (f->evidence[i].text)
            text(w, evidence, f->evidence[i].key, f->evidence[i].text);
        else
            number(w, evidence, f->evidence[i].key, f->evidence[i].number);
    }
    cJSON *alternatives = put(w, o, "alternatives", cJSON_CreateArray());
    for (size_t i = 0; i < f->alternative_count; i++) {
        cJSON *a = push(w, alternatives, cJSON_CreateObject());
        text(w, a, "cause", f->alternative[i].cause);
        number(w, a, "confidence", f->alternative[i].confidence);
    }
    text(w, o, "assertion", f->assertion ? f->assertion->name : NULL);
    cJSON *known = put(w, o, "known", f->known ? cJSON_CreateObject() : cJSON_CreateNull());
    if (f->known) {
        text(w, known, "reason", f->known->reason);
        text(w, known, "expires", f->known->expires);
    }
}

/* The entries of --known, and what --require demands. */
static void add_gate(json_writer *w, cJSON *root, const xr_report *r)
{
    static const char *const met[] = {"yes", "no", "unknown"};
    cJSON *list = put(w, root, "known", cJSON_CreateArray());
    for (size_t i = 0; i < r->known_count; i++) {
        const xr_known_finding *k = &r->known[i];
        cJSON *o = push(w, list, cJSON_CreateObject());
        text(w, o, "cause", k->cause);
        text(w, o, "where", k->where);
        text(w, o, "reason", k->reason);
        text(w, o, "expires", k->expires);
        put(w, o, "expired", cJSON_CreateBool(k->expired));
        number(w, o, "findings", (double)k->used);
    }
    list = put(w, root, "requirements", cJSON_CreateArray());
    for (size_t i = 0; i < r->require_count; i++) {
        const xr_requirement *q = &r->require[i];
        cJSON *o = push(w, list, cJSON_CreateObject());
        text(w, o, "requirement", q->text);
        number(w, o, "value", q->value);
        number(w, o, "required", q->bound);
        text(w, o, "met", met[q->met]);
    }
}

static void add_metrics(json_writer *w, cJSON *o, const exray_metrics *m)
{
    number(w, o, "nrmse", m->nrmse);
    number(w, o, "cosine", m->cosine);
    number(w, o, "max_abs", m->max_abs);
    number(w, o, "sqnr_db", m->sqnr_db);
    number(w, o, "rmse", m->rmse);
    number(w, o, "count", (double)m->count);
    static const char *const sides[2] = {"edge_values", "reference_values"};
    for (int s = 0; s < 2; s++) {
        cJSON *v = put(w, o, sides[s], cJSON_CreateObject());
        number(w, v, "min", m->min[s]);
        number(w, v, "max", m->max[s]);
        number(w, v, "mean", m->mean[s]);
        number(w, v, "nan", (double)m->nan_count[s]);
        number(w, v, "inf", (double)m->inf_count[s]);
    }
}

static const char *role_name(exray_layer_role role)
{
    switch (role) {
    case EXRAY_LAYER_ROLE_CLEAN:
        return "clean";
    case EXRAY_LAYER_ROLE_ORIGINATES:
        return "originates";
    case EXRAY_LAYER_ROLE_PROPAGATES:
        return "propagates";
    default:
        return NULL;
    }
}

/* Bounds of an estimate: [low, high]. */
static void add_bounds(json_writer *w, cJSON *o, const char *key, double low, double high)
{
    cJSON *pair = put(w, o, key, cJSON_CreateArray());
    const double ends[2] = {low, high};
    for (int i = 0; i < 2; i++)
        push(w, pair, isfinite(ends[i]) ? cJSON_CreateNumber(ends[i]) : cJSON_CreateNull());
}

static void add_layer(json_writer *w, cJSON *list, const exray_layer_pair *layer, const char *cause)
{
    static const char *const sides[2] = {"edge", "reference"};
    cJSON *o = push(w, list, cJSON_CreateObject());
    for (int s = 0; s < 2; s++) {
        cJSON *side = put(w, o, sides[s], cJSON_CreateObject());
        number(w, side, "index", layer->node[s]);
        text(w, side, "name", layer->name[s]);
        text(w, side, "op", layer->op[s]);
    }
    number(w, o, "output", layer->output);
    number(w, o, "reference_output", layer->reference_output);
    text(w, o, "matched_by", layer->matched_by);
    number(w, o, "isolated_error", layer->isolated_error);
    number(w, o, "reference_error", layer->reference_error);
    if (layer->block_first != EXRAY_NO_INDEX) {
        number(w, o, "block_first", layer->block_first);
        number(w, o, "block_error", layer->block_error);
    }
    add_metrics(w, o, &layer->metrics);
    text(w, o, "role", role_name(layer->role));
    text(w, o, "cause", cause);
    put(w, o, "from_stats", cJSON_CreateBool(layer->from_stats));
    put(w, o, "from_sketch", cJSON_CreateBool(layer->from_sketch));
    if (layer->from_sketch) {
        add_bounds(w, o, "nrmse_bounds", layer->nrmse_low, layer->nrmse_high);
        add_bounds(w, o, "cosine_bounds", layer->cosine_low, layer->cosine_high);
        add_bounds(w, o, "error_bounds", layer->error_low, layer->error_high);
    }
    number(w, o, "error_to_signal", layer->error);
    number(w, o, "noise_to_signal", layer->noise);
    text(w, o, "problem", layer->problem);
}

static void add_io(json_writer *w, cJSON *root, const char *key, const exray_io_pair *first, size_t count)
{
    cJSON *list = put(w, root, key, cJSON_CreateArray());
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *pair = first + i;
        cJSON *o = push(w, list, cJSON_CreateObject());
        text(w, o, "edge", pair->name[EXRAY_SIDE_EDGE]);
        text(w, o, "reference", pair->name[EXRAY_SIDE_REFERENCE]);
        put(w, o, "comparable", cJSON_CreateBool(pair->comparable));
        add_metrics(w, o, &pair->metrics);
        number(w, o, "error_to_signal", pair->error);
        number(w, o, "noise_to_signal", pair->noise);
        number(w, o, "frames", (double)pair->frames);
        number(w, o, "frames_other_shape", (double)pair->other_shape);
        text(w, o, "problem", pair->problem);
    }
}

static void add_durations(json_writer *w, cJSON *o, const exray_durations *d)
{
    number(w, o, "frames", (double)d->count);
    number(w, o, "median_ms", d->median / 1e6);
    number(w, o, "p90_ms", d->p90 / 1e6);
    number(w, o, "low_ms", d->low / 1e6);
    number(w, o, "high_ms", d->high / 1e6);
}

static void add_node_latency(json_writer *w, cJSON *o, const char *key, const exray_node_latency *node)
{
    cJSON *side = put(w, o, key, node ? cJSON_CreateObject() : cJSON_CreateNull());
    if (!node)
        return;
    number(w, side, "index", node->node);
    add_durations(w, side, &node->time);
    number(w, side, "share", node->share);
    number(w, side, "macs", (double)node->macs);
}

/* Layers that findings name as slow: their evidence has "layer_N", N the edge's node. */
static void add_stragglers(json_writer *w, cJSON *latency, const xr_report *r)
{
    cJSON *list = put(w, latency, "stragglers", cJSON_CreateArray());
    const exray_model *model = exray_log_model(exray_comparison_log(r->comparison, EXRAY_SIDE_EDGE));
    const exray_latency_table *table = exray_comparison_latency(r->comparison, EXRAY_SIDE_EDGE);
    for (size_t i = 0; i < r->outcome->shown_count; i++) {
        const exray_finding *f = r->outcome->shown[i];
        if (strcmp(f->cause, "perf.straggler") != 0)
            continue;
        for (size_t k = 0; k < f->evidence_count; k++) {
            if (strncmp(f->evidence[k].key, "layer_", 6) != 0)
                continue;
            uint32_t n = (uint32_t)strtoul(f->evidence[k].key + 6, NULL, 10);
            const exray_node_latency *node = exray_latency_table_node(table, n);
            if (!model || n >= model->node_count || !node)
                continue;
            cJSON *o = push(w, list, cJSON_CreateObject());
            number(w, o, "layer", n);
            text(w, o, "name", exray_node_name(model, n));
            text(w, o, "op", model->nodes[n].op);
            number(w, o, "ratio", f->evidence[k].number);
            number(w, o, "edge_ms", node->time.median / 1e6);
            number(w, o, "share", node->share);
        }
    }
}

static void add_latency(json_writer *w, cJSON *root, const xr_report *r)
{
    const exray_comparison *c = r->comparison;
    const exray_latency_table *table[2] = {exray_comparison_latency(c, EXRAY_SIDE_EDGE),
                                           exray_comparison_latency(c, EXRAY_SIDE_REFERENCE)};
    double edge = xr_report_latency(c, EXRAY_SIDE_EDGE),
           reference = xr_report_latency(c, EXRAY_SIDE_REFERENCE);
    cJSON *o = put(w, root, "latency", cJSON_CreateObject());
    number(w, o, "edge_ms", edge);
    number(w, o, "reference_ms", reference);
    number(w, o, "ratio", edge / reference);
    for (int s = 0; s < 2; s++) {
        cJSON *side = put(w, o, s ? "reference" : "edge", cJSON_CreateObject());
        add_durations(w, side, &table[s]->settled);
        number(w, side, "warmup_frames", (double)table[s]->warmup);
    }
    add_stragglers(w, o, r);
    cJSON *layers = put(w, o, "layers", cJSON_CreateArray());
    for (size_t i = 0; i < exray_comparison_layer_count(c); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        const exray_node_latency *a = exray_latency_table_node(table[0], layer->node[0]);
        const exray_node_latency *b = exray_latency_table_node(table[1], layer->node[1]);
        if (layer->output != 0 || (!a && !b))
            continue;
        cJSON *item = push(w, layers, cJSON_CreateObject());
        add_node_latency(w, item, "edge", a);
        add_node_latency(w, item, "reference", b);
        number(w, item, "ratio", a && b ? a->time.median / b->time.median : NAN);
    }
}

static void add_assertions(json_writer *w, cJSON *root, const xr_report *r)
{
    cJSON *list = put(w, root, "assertions", cJSON_CreateArray());
    for (size_t i = 0; i < r->outcome->run_count; i++) {
        const xr_run *run = &r->outcome->run[i];
        cJSON *o = push(w, list, cJSON_CreateObject());
        text(w, o, "name", run->assertion->name);
        text(w, o, "status",
             run->status == EXRAY_OK        ? "judged"
             : run->status == EXRAY_E_STATE ? "unjudged"
                                            : "failed");
        text(w, o, "reason", run->status == EXRAY_OK ? NULL : run->message);
        number(w, o, "findings", (double)run->findings);
    }
    cJSON *unjudged = put(w, root, "unjudged", cJSON_CreateArray());
    for (const char *const *remark = r->not_used; remark && *remark; remark++)
        push(w, unjudged, text_item(*remark));
}

static void add_isolation(json_writer *w, cJSON *root, const xr_isolation *i)
{
    cJSON *o = put(w, root, "isolation", i ? cJSON_CreateObject() : cJSON_CreateNull());
    if (!i)
        return;
    put(w, o, "asked", cJSON_CreateBool(i->asked));
    text(w, o, "engine", i->engine);
    text(w, o, "model", i->model);
    number(w, o, "wrong_layers", (double)i->wrong);
    number(w, o, "run", (double)i->run);
    number(w, o, "wrong_alone", (double)i->failed);
    text(w, o, "reason", i->why);
}

static void add_reruns(json_writer *w, cJSON *root, const xr_told_reruns *r)
{
    bool any = r && (r->engine || *r->why);
    cJSON *o = put(w, root, "reruns", any ? cJSON_CreateObject() : cJSON_CreateNull());
    if (!any)
        return;
    text(w, o, "engine", r->engine);
    number(w, o, "runs", (double)r->runs);
    text(w, o, "reason", *r->why ? r->why : NULL);
}

enum { MOST_RANGES = 256, MOST_EVENTS = 256 }; /* of a log that are listed; all are counted */

static void add_covered(json_writer *w, cJSON *o, const exray_log *log)
{
    xr_frame_range range[MOST_RANGES];
    const size_t ranges = xr_frame_ranges(log, range, MOST_RANGES);
    cJSON *list = put(w, o, "frames", cJSON_CreateArray());
    for (size_t i = 0; i < ranges && i < MOST_RANGES; i++) {
        cJSON *pair = push(w, list, cJSON_CreateArray());
        push(w, pair, cJSON_CreateNumber((double)range[i].first));
        push(w, pair, cJSON_CreateNumber((double)range[i].last));
    }
    number(w, o, "frame_ranges", (double)ranges);
    number(w, o, "frames_recorded", (double)exray_log_frame_count(log));
    number(w, o, "frames_ran", (double)xr_frames_ran(log));
}

static void add_events(json_writer *w, cJSON *o, const exray_log *log)
{
    xr_told told;
    const size_t count = exray_log_event_count(log);
    cJSON *list = put(w, o, "events", cJSON_CreateArray());
    xr_told_by(log, &told);
    for (size_t i = 0; i < count && i < MOST_EVENTS; i++) {
        const exray_event *event = exray_log_event(log, i);
        cJSON *item = push(w, list, cJSON_CreateObject());
        text(w, item, "kind", event->kind_name);
        text(w, item, "text", event->text);
        number(w, item, "frame", event->has_frame ? (double)event->frame : NAN);
        number(w, item, "records_lost", event->has_records_lost ? (double)event->records_lost : NAN);
    }
    number(w, o, "event_count", (double)count);
    number(w, o, "gaps", (double)told.gaps);
    number(w, o, "errors", (double)told.errors);
    number(w, o, "records_lost", (double)(told.gap_records + told.error_records));
}

static void add_logs(json_writer *w, cJSON *root, const exray_comparison *c)
{
    static const char *const sides[2] = {"edge", "reference"};
    cJSON *logs = put(w, root, "logs", cJSON_CreateObject());
    for (int s = 0; s < 2; s++) {
        const exray_log *log = exray_comparison_log(c, (exray_side)s);
        const exray_model *model = exray_log_model(log);
        cJSON *o = put(w, logs, sides[s], cJSON_CreateObject());
        text(w, o, "path", exray_log_path(log));
        text(w, o, "log_id", exray_log_metadata(log, "log_id"));
        text(w, o, "model", model ? model->name : NULL);
        text(w, o, "engine", model ? model->engine : NULL);
        text(w, o, "engine_version", model ? model->engine_version : NULL);
        text(w, o, "kernels", model ? model->kernels : NULL);
        add_covered(w, o, log);
        add_events(w, o, log);
    }
}

bool xr_report_json(const xr_report *r, FILE *out)
{
    json_writer w = {false};
    const exray_comparison *c = r->comparison;
    cJSON *root = cJSON_CreateObject();
    text(&w, root, "format", "exray-validation");
    number(&w, root, "version", 1);
    text(&w, root, "verdict", xr_verdict_name(r->outcome->verdict));
    text(&w, root, "reason", *r->outcome->reason ? r->outcome->reason : NULL);
    add_logs(&w, root, c);
    add_frames(&w, root, c);
    add_accuracy(&w, root, c);
    add_coverage(&w, root, c);
    cJSON *findings = put(&w, root, "findings", cJSON_CreateArray());
    for (size_t i = 0; i < r->outcome->shown_count; i++)
        add_finding(&w, findings, c, r->outcome->shown[i]);
    add_gate(&w, root, r);
    add_io(&w, root, "inputs", exray_comparison_input(c, 0), exray_comparison_input_count(c));
    cJSON *layers = put(&w, root, "layers", cJSON_CreateArray());
    for (size_t i = 0; i < exray_comparison_layer_count(c); i++)
        add_layer(&w, layers, exray_comparison_layer(c, i), xr_layer_cause(r, i));
    add_io(&w, root, "outputs", exray_comparison_output(c, 0), exray_comparison_output_count(c));
    add_latency(&w, root, r);
    add_assertions(&w, root, r);
    add_isolation(&w, root, r->isolation);
    add_reruns(&w, root, r->reruns);
    if (!w.failed)
        return xr_json_put(root, out);
    cJSON_Delete(root);
    return false;
}
