#include "isolate/trial.h"

#include "compare/compare.h"
#include "compare/match/shapes.h"
#include "core/dtype.h"
#include "pipeline/target.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Frames that are looked through for those in which the two sides differ most. */
enum { MOST_LOOKED_AT = 64 };

static const char no_memory[] = "out of memory", other_shape[] = "its shape differs from the edge's";

void xr_trial_close(const xr_trial_bench *w, xr_trial *t)
{
    if (t->session)
        w->engine->close(t->session);
    xr_model_release(&t->file);
    free(t->bytes.data);
    for (uint32_t i = 0; i < XR_TRIAL_INPUTS; i++)
        free(t->value[i]);
    free(t->edge);
    free(t->reference);
}

/* ---- Cutting ------------------------------------------------------------------------- */

/* The original's tensor of that name: a cut-out model keeps names. */
static uint32_t original_tensor(const xr_trial_bench *w, const char *name)
{
    const exray_model *model = &w->plan.file->model;
    for (uint32_t t = 0; name && t < model->tensor_count; t++)
        if (model->tensors[t].name && strcmp(model->tensors[t].name, name) == 0 &&
            (w->plan.source[t].known || w->plan.producer[t] != EXRAY_NO_INDEX))
            return t;
    return EXRAY_NO_INDEX;
}

/* What a port of the cut model holds.  ONNX Runtime tells no scale of its integers: the file does. */
static exray_tensor_info describe_port(const xr_trial_bench *w, const exray_tensor_info *port,
                                       uint32_t tensor)
{
    exray_tensor_info info = *port;
    const exray_tensor_info *told[] = {&w->plan.file->model.tensors[tensor], &w->plan.known[tensor]};
    for (int i = 0; i < 2 && info.quantization.count == 0; i++)
        if (told[i]->dtype == info.dtype)
            info.quantization = told[i]->quantization;
    return info;
}

static exray_tensor_info input_info(const xr_trial_bench *w, const xr_trial *t, uint32_t i)
{
    return describe_port(w, w->engine->input(t->session, i), t->tensor[i]);
}

static exray_tensor_info output_info(const xr_trial_bench *w, const xr_trial *t)
{
    return describe_port(w, w->engine->output(t->session, t->output), t->output_tensor);
}

static const char *find_ports(const xr_trial_bench *w, size_t layer, xr_trial *t)
{
    const xr_engine *engine = w->engine;
    const exray_tensor_info *info;
    for (; (info = engine->input(t->session, t->inputs)); t->inputs++) {
        if (t->inputs == XR_TRIAL_INPUTS)
            return "it reads too many tensors";
        uint32_t tensor = original_tensor(w, info->name);
        if (tensor == EXRAY_NO_INDEX || !w->plan.source[tensor].known)
            return "the edge did not record what it reads";
        t->tensor[t->inputs] = tensor;
        t->source[t->inputs] = w->plan.source[tensor];
    }
    for (uint32_t i = 0; (info = engine->output(t->session, i)); i++) {
        uint32_t tensor = original_tensor(w, info->name);
        const xr_source *s = tensor == EXRAY_NO_INDEX ? NULL : &w->plan.source[tensor];
        if (s && s->known && s->kind == EXRAY_KIND_LAYER && s->pair == layer) {
            t->output = i;
            t->output_tensor = tensor;
            return NULL;
        }
    }
    return "the cut model does not return its output";
}

/* Dimensions that the file leaves open are those of the first frame. */
static void settle_shapes(xr_trial_bench *w, const uint32_t *nodes, uint32_t count)
{
    const exray_model *model = &w->plan.file->model;
    for (uint32_t n = 0; n < count; n++)
        for (uint32_t i = 0; i < model->nodes[nodes[n]].input_count; i++) {
            uint32_t t = model->nodes[nodes[n]].inputs[i];
            if (t >= model->tensor_count || !w->plan.source[t].known || !xr_plan_is_open(&w->plan, t))
                continue;
            exray_tensor_view view;
            const float *values;
            exray_error ignored;
            if (exray_comparison_values(w->comparison, EXRAY_SIDE_REFERENCE, 0, w->plan.source[t].kind,
                                        w->plan.source[t].pair, w->slot[0], &view, &values,
                                        &ignored) == EXRAY_OK)
                xr_plan_settle(&w->plan, t, &view.info);
        }
}

/* NULL, or why not. */
static const char *open_trial(xr_trial_bench *w, size_t layer, uint32_t least, xr_trial *t,
                              exray_error *error)
{
    uint32_t nodes[XR_BLOCK_MOST];
    const char *why = NULL;
    uint32_t count = xr_plan_block(&w->plan, layer, least, nodes, &why);
    if (count == 0)
        return why;
    t->keeps_state = xr_plan_keeps_state(&w->plan, nodes, count);
    settle_shapes(w, nodes, count);
    if (xr_model_cut(w->plan.file, nodes, count, w->plan.known, &t->bytes, error) != EXRAY_OK ||
        xr_model_read(t->bytes.data, t->bytes.size, &t->file, error) != EXRAY_OK)
        return error->message;
    xr_session_config config = {.model_path = "the cut-out layer",
                                .model_data = t->bytes.data,
                                .model_size = t->bytes.size,
                                .kernels = w->kernels,
                                .library = w->library};
    t->session = w->engine->open(&config, error);
    return t->session ? find_ports(w, layer, t) : error->message;
}

/* ---- Running --------------------------------------------------------------------------- */

/* Whether a tensor can hold so many elements, as far as its shape is known. */
static bool holds(const exray_tensor_info *info, uint64_t count)
{
    uint64_t room = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 0)
            return true;
        room *= (uint64_t)info->shape[i];
    }
    return info->rank == 0 || room == count;
}

/* Whether dimensions of 1 lie elsewhere, between engines of one layout: [1,12,24,1] is not [1,12,1,24] to
 * what spreads its values over another tensor. */
static bool spreads_otherwise(const xr_trial_bench *w, const exray_tensor_info *edge,
                              const exray_tensor_info *to)
{
    const exray_model *model[2];
    for (int s = 0; s < 2; s++)
        model[s] = exray_log_model(exray_comparison_log(w->comparison, (exray_side)s));
    bool differ = false;
    for (uint32_t i = 0; edge->rank == to->rank && i < to->rank; i++)
        differ = differ || (to->shape[i] >= 0 && to->shape[i] != edge->shape[i]);
    return differ && !xr_layouts_may_differ(model[0], model[1]);
}

/* A side's values of a tensor in a frame, in the reference's layout. */
static const char *side_values(const xr_trial_bench *w, exray_side side, const xr_source *source,
                               size_t frame, uint32_t slot, const exray_tensor_info *to, float **out,
                               uint64_t *count, exray_error *error)
{
    exray_tensor_view view;
    const float *values;
    if (exray_comparison_values(w->comparison, side, frame, source->kind, source->pair, w->slot[slot], &view,
                                &values, error) != EXRAY_OK)
        return "a log has no data of it in this frame";
    if (xr_dtype_is_integer(to->dtype) && view.info.quantization.count && !to->quantization.count)
        return "the model file does not tell the scale of its integers";
    xr_layout_match how = side == EXRAY_SIDE_EDGE ? xr_comparison_layout(w->comparison, source->kind,
                                                                         source->pair, &view.info, to)
                                                  : xr_match_layout(&view.info, to);
    if (how == XR_LAYOUT_NONE || !holds(to, view.count) ||
        (how == XR_LAYOUT_SAME && spreads_otherwise(w, &view.info, to)))
        return other_shape;
    float *room = realloc(*out, (view.count + 1) * sizeof *room);
    if (!room)
        return no_memory;
    *out = room;
    *count = view.count;
    if (how == XR_LAYOUT_SAME)
        memcpy(room, values, view.count * sizeof *room);
    else
        xr_convert_layout(&view.info, values, how, room);
    return NULL;
}

/* An input's values in its own type. */
static exray_status store(const exray_tensor_info *info, const float *values, uint64_t count, void *bytes,
                          size_t size, exray_error *error)
{
    if (info->dtype != EXRAY_DTYPE_BOOL)
        return xr_target_store(info, values, count, bytes, size, error);
    for (uint64_t i = 0; i < count; i++)
        ((uint8_t *)bytes)[i] = values[i] != 0;
    return EXRAY_OK;
}

/* Gives open dimensions of the inputs the frame's sizes, all before any value: a new shape may make the
 * engine forget what it was given.  A shape that does not fit is told when the values are taken. */
static void fix_open_shapes(const xr_trial_bench *w, const xr_trial *t, size_t frame)
{
    const xr_engine *engine = w->engine;
    for (uint32_t i = 0; i < t->inputs; i++) {
        const exray_tensor_info *info = engine->input(t->session, i);
        const xr_source *source = &t->source[i];
        exray_tensor_view view;
        const float *values;
        exray_error ignored;
        if (exray_comparison_values(w->comparison, t->side, frame, source->kind, source->pair, w->slot[i],
                                    &view, &values, &ignored) == EXRAY_OK &&
            view.info.rank == info->rank)
            engine->set_shape(t->session, i, view.info.shape, info->rank, &ignored);
    }
}

/* The range of an integer type with one scale; false, and left alone, for other tensors. */
static bool stored_range(const exray_tensor_info *info, double *low, double *high)
{
    int64_t least;
    uint64_t most;
    const exray_quantization *q = &info->quantization;
    if (!xr_dtype_is_integer(info->dtype) || exray_dtype_bits(info->dtype) > 16 || q->count != 1 ||
        !(q->scale[0] > 0))
        return false;
    xr_dtype_integer_range(info->dtype, &least, &most);
    double zero = q->zero_point ? (double)q->zero_point[0] : 0;
    *low = (double)q->scale[0] * ((double)least - zero);
    *high = (double)q->scale[0] * ((double)most - zero);
    return true;
}

static bool is_quantizing(const exray_node *node)
{
    return node->op && (strcmp(node->op, "QuantizeLinear") == 0 || strcmp(node->op, "QUANTIZE") == 0) &&
           node->output_count == 1;
}

/* The range that a tensor's readers hold it to, where all of them quantize it: what clips at its end, such as
 * a ReLU, is often that range alone, and the values that were recorded lie before it. */
static void read_range(const exray_model *model, uint32_t tensor, double *low, double *high)
{
    double least = INFINITY, most = -INFINITY;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; i < node->input_count; i++) {
            double from, to;
            if (node->inputs[i] != tensor)
                continue;
            if (!is_quantizing(node) || node->outputs[0] >= model->tensor_count ||
                !stored_range(&model->tensors[node->outputs[0]], &from, &to))
                return;
            least = fmin(least, from);
            most = fmax(most, to);
        }
    }
    if (least > most) /* nothing reads it */
        return;
    *low = least;
    *high = most;
}

/* The side's tensor that a source is, or EXRAY_NO_INDEX. */
static uint32_t tensor_of(const xr_trial_bench *w, exray_side side, const exray_model *model,
                          const xr_source *source)
{
    if (source->kind == EXRAY_KIND_INPUT) {
        const char *name = exray_comparison_input(w->comparison, source->pair)->name[side];
        for (uint32_t i = 0; i < model->input_count; i++)
            if (model->inputs[i] < model->tensor_count && model->tensors[model->inputs[i]].name &&
                strcmp(model->tensors[model->inputs[i]].name, name) == 0)
                return model->inputs[i];
        return EXRAY_NO_INDEX;
    }
    if (source->kind != EXRAY_KIND_LAYER)
        return EXRAY_NO_INDEX;
    const exray_layer_pair *layer = exray_comparison_layer(w->comparison, source->pair);
    uint32_t node = layer->node[side];
    uint32_t output = side == EXRAY_SIDE_EDGE ? layer->output : layer->reference_output;
    return node < model->node_count && output < model->nodes[node].output_count
               ? model->nodes[node].outputs[output]
               : EXRAY_NO_INDEX;
}

/* Holds a layer's values, or an input's, to what the side's own nodes read of them. */
static void hold_as_read(const xr_trial_bench *w, const xr_trial *t, uint32_t input)
{
    const exray_model *model = exray_log_model(exray_comparison_log(w->comparison, t->side));
    const uint32_t tensor = model ? tensor_of(w, t->side, model, &t->source[input]) : EXRAY_NO_INDEX;
    double low = -INFINITY, high = INFINITY;
    if (tensor == EXRAY_NO_INDEX)
        return;
    read_range(model, tensor, &low, &high);
    for (uint64_t i = 0; high < INFINITY && i < t->count[input]; i++)
        if (!isnan(t->value[input][i]))
            t->value[input][i] = (float)fmin(fmax(t->value[input][i], low), high);
}

static const char *feed(const xr_trial_bench *w, xr_trial *t, size_t frame, exray_error *error)
{
    const xr_engine *engine = w->engine;
    fix_open_shapes(w, t, frame);
    for (uint32_t i = 0; i < t->inputs; i++) {
        const exray_tensor_info info = input_info(w, t, i);
        const char *why =
            side_values(w, t->side, &t->source[i], frame, i, &info, &t->value[i], &t->count[i], error);
        if (why)
            return why;
        hold_as_read(w, t, i);
        size_t size = (t->count[i] * exray_dtype_bits(info.dtype) + 7) / 8;
        void *bytes = malloc(size + 1);
        exray_status status =
            bytes ? store(&info, t->value[i], t->count[i], bytes, size, error) : EXRAY_E_MEMORY;
        if (status == EXRAY_OK)
            status = engine->set_input(t->session, i, bytes, size, error);
        free(bytes);
        if (status != EXRAY_OK)
            return bytes ? error->message : no_memory;
    }
    return engine->run(t->session, error) == EXRAY_OK ? NULL : error->message;
}

static const char *take_output(const xr_trial_bench *w, xr_trial *t, exray_error *error)
{
    size_t size;
    const void *data = w->engine->output_data(t->session, t->output, &size);
    const exray_tensor_info info = output_info(w, t);
    float *room = realloc(t->reference, (t->output_count + 1) * sizeof *room);
    if (!room)
        return no_memory;
    t->reference = room;
    if (!data || exray_tensor_dequantize(&info, data, size, t->output_count, room) != EXRAY_OK)
        return error->message[0] ? error->message : "its output has another size";
    return NULL;
}

typedef struct sums {
    double n, difference, within, b, bb;
} sums;

static void add(sums *s, const xr_trial *t)
{
    for (uint64_t i = 0; i < t->output_count; i++) {
        double a = t->edge[i], b = t->reference[i];
        if (!isfinite(b))
            continue;
        s->n++;
        double held = fmin(fmax(b, t->low), t->high);
        s->difference += isfinite(a) ? (a - b) * (a - b) : INFINITY;
        s->within += isfinite(a) ? (a - held) * (a - held) : INFINITY;
        s->b += b;
        s->bb += b * b;
    }
}

static double deviation_of(const sums *s)
{
    double mean = s->b / s->n;
    return sqrt(fmax(0, s->bb / s->n - mean * mean));
}

/* An error, relative to the isolated output's deviation. */
static double relative(const sums *s, double difference)
{
    double mean = s->b / s->n, variance = s->bb / s->n - mean * mean;
    double unit = variance > 1e-12 * s->bb / s->n ? variance : s->bb / s->n;
    return difference == 0 ? 0 : unit > 0 ? sqrt(difference / s->n / unit) : INFINITY;
}

/* The range of the edge's tensor. */
static void find_range(const xr_trial_bench *w, size_t layer, xr_trial *t)
{
    const exray_layer_pair *pair = exray_comparison_layer(w->comparison, layer);
    const exray_model *model = exray_log_model(exray_comparison_log(w->comparison, EXRAY_SIDE_EDGE));
    t->low = -INFINITY;
    t->high = INFINITY;
    if (!model || pair->node[EXRAY_SIDE_EDGE] >= model->node_count ||
        pair->output >= model->nodes[pair->node[EXRAY_SIDE_EDGE]].output_count)
        return;
    uint32_t tensor = model->nodes[pair->node[EXRAY_SIDE_EDGE]].outputs[pair->output];
    if (tensor < model->tensor_count)
        stored_range(&model->tensors[tensor], &t->low, &t->high);
}

/* The mean square by which the two sides differ in a frame; negative: they cannot be compared there. */
static double difference_in(const xr_trial_bench *w, size_t layer, size_t frame)
{
    exray_tensor_view view[2];
    const float *value[2];
    exray_error error;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_values(w->comparison, (exray_side)s, frame, EXRAY_KIND_LAYER, layer, w->slot[s],
                                    &view[s], &value[s], &error) != EXRAY_OK)
            return -1;
    xr_layout_match how =
        xr_comparison_layout(w->comparison, EXRAY_KIND_LAYER, layer, &view[0].info, &view[1].info);
    float *turned = NULL;
    if (how == XR_LAYOUT_NONE || view[0].count != view[1].count)
        return -1;
    if (how != XR_LAYOUT_SAME) {
        turned = malloc((view[0].count + 1) * sizeof *turned);
        if (!turned)
            return -1;
        xr_convert_layout(&view[0].info, value[0], how, turned);
    }
    const float *a = turned ? turned : value[0], *b = value[1];
    double sum = 0;
    for (uint64_t i = 0; i < view[0].count; i++)
        sum += ((double)a[i] - b[i]) * ((double)a[i] - b[i]);
    free(turned);
    return isnan(sum) ? INFINITY : sum / (double)view[0].count;
}

/* Frames to run a layer on, in the order in which they are tried.  Returns how many. */
static size_t choose_frames(const xr_trial_bench *w, size_t layer, size_t list[MOST_LOOKED_AT])
{
    size_t frames = exray_comparison_frame_count(w->comparison), kept = 0;
    size_t step = frames > MOST_LOOKED_AT && w->worst ? frames / MOST_LOOKED_AT : 1;
    double worst[XR_TRIAL_FRAMES];
    if (!w->worst) {
        for (; kept < frames && kept < MOST_LOOKED_AT; kept++)
            list[kept] = kept;
        return kept;
    }
    for (size_t f = 0, seen = 0; f < frames && seen < MOST_LOOKED_AT; f += step, seen++) {
        double d = difference_in(w, layer, f);
        size_t at = kept;
        while (at > 0 && worst[at - 1] < d)
            at--;
        if (d < 0 || at == XR_TRIAL_FRAMES)
            continue;
        kept = kept < XR_TRIAL_FRAMES ? kept + 1 : kept;
        for (size_t k = kept - 1; k > at; k--) {
            worst[k] = worst[k - 1];
            list[k] = list[k - 1];
        }
        worst[at] = d;
        list[at] = f;
    }
    return kept;
}

/* Runs an open trial; its error, or NAN and why. */
static double run_trial(const xr_trial_bench *w, size_t layer, xr_trial *t, const char **why,
                        exray_error *error)
{
    const xr_source target = {true, EXRAY_KIND_LAYER, layer};
    size_t frame[MOST_LOOKED_AT], frames = choose_frames(w, layer, frame);
    sums s = {0};
    find_range(w, layer, t);
    *why = "no frame has data of both sides";
    for (size_t i = 0, done = 0; i < frames && done < XR_TRIAL_FRAMES; i++) {
        size_t f = frame[i];
        *why = feed(w, t, f, error);
        const exray_tensor_info info = output_info(w, t); /* of this run, where dimensions are open */
        if (!*why)
            *why = side_values(w, t->side, &target, f, XR_TRIAL_INPUTS, &info, &t->edge, &t->output_count,
                               error);
        if (!*why)
            *why = take_output(w, t, error);
        if (*why == other_shape && done) {
            *why = NULL;
            continue; /* frames of another shape than the first: of a model with open dimensions */
        }
        if (*why)
            return NAN;
        add(&s, t);
        done++;
    }
    t->deviation = s.n > 0 ? deviation_of(&s) : NAN;
    t->within = s.n > 0 ? relative(&s, s.within) : NAN;
    return s.n > 0 ? relative(&s, s.difference) : NAN;
}

double xr_trial_run(xr_trial_bench *w, exray_side side, size_t layer, uint32_t least, xr_trial *t,
                    const char **why)
{
    *t = (xr_trial){.error = {EXRAY_OK, ""}, .side = side};
    *why = open_trial(w, layer, least, t, &t->error);
    return *why ? NAN : run_trial(w, layer, t, why, &t->error);
}
