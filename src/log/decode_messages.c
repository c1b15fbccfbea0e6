#include "log/decode_messages.h"

#include <ctype.h>
#include <string.h>

enum {
    MAX_NODE_DEPTH = 8, /* of Node.inner */
    SHA256_SIZE = 32,
};

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "logs are little-endian, and the reader hands their numbers out in place"
#endif

/* ---- TensorInfo ------------------------------------------------------------ */

static bool decode_quantization(const xr_field *from, xr_arena *arena, exray_quantization *out)
{
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list scales = {0}, zero_points = {0};
    uint32_t axis = 0;
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.number == 1 && !xr_add_float(&f, &scales, arena))
            return false;
        if (f.number == 2 && !xr_add_u64(&f, &zero_points, arena))
            return false;
        if (xr_is(&f, 3, XR_WIRE_VARINT))
            axis = (uint32_t)f.value;
    }
    if (wire.bad || scales.count > UINT32_MAX)
        return false;
    int64_t *zeros = zero_points.items;
    if (zero_points.count == 1 && scales.count > 1) {
        /* One zero point for all the scales: what symmetric per-axis weights have. */
        int64_t zero = zeros[0];
        zeros = xr_arena_take(arena, scales.count * sizeof *zeros);
        if (!zeros)
            return false;
        for (size_t i = 0; i < scales.count; i++)
            zeros[i] = zero;
    } else if (zero_points.count && zero_points.count != scales.count) {
        return false;
    }
    *out = (exray_quantization){
        .count = (uint32_t)scales.count, .axis = axis, .scale = scales.items, .zero_point = zeros};
    return true;
}

static bool decode_info(const xr_field *from, xr_arena *arena, exray_tensor_info *out)
{
    *out = (exray_tensor_info){.name = "", .layout = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list shape = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES))
            out->name = xr_field_string(&f, arena);
        else if (xr_is(&f, 2, XR_WIRE_VARINT))
            out->dtype = exray_dtype_bits((exray_dtype)f.value) || f.value == EXRAY_DTYPE_STRING
                             ? (exray_dtype)f.value
                             : EXRAY_DTYPE_UNSPECIFIED;
        else if (f.number == 3 && !xr_add_u64(&f, &shape, arena))
            return false;
        else if (xr_is(&f, 4, XR_WIRE_BYTES) && !decode_quantization(&f, arena, &out->quantization))
            return false;
        else if (xr_is(&f, 5, XR_WIRE_VARINT))
            out->constant = f.value != 0;
        else if (xr_is(&f, 6, XR_WIRE_BYTES))
            out->layout = xr_field_string(&f, arena);
    }
    if (wire.bad || arena->failed)
        return false;
    if (shape.count > EXRAY_MAX_RANK) {
        /* More dimensions than are supported: of unknown shape. */
        shape.count = 1;
        *(int64_t *)shape.items = -1;
    }
    out->shape = shape.items;
    out->rank = (uint32_t)shape.count;
    return true;
}

/* ---- Model ----------------------------------------------------------------- */

static bool decode_pair(const xr_field *from, xr_arena *arena, exray_key_value *out)
{
    *out = (exray_key_value){.key = "", .value = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES))
            out->key = xr_field_string(&f, arena);
        else if (xr_is(&f, 2, XR_WIRE_BYTES))
            out->value = xr_field_string(&f, arena);
    }
    return !wire.bad && !arena->failed;
}

static bool decode_node(const xr_field *from, xr_arena *arena, unsigned depth, exray_node *out)
{
    if (depth > MAX_NODE_DEPTH)
        return false;
    *out = (exray_node){.op = "", .name = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list inputs = {0}, outputs = {0}, attributes = {0}, inner = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES)) {
            out->op = xr_field_string(&f, arena);
        } else if (xr_is(&f, 2, XR_WIRE_BYTES)) {
            out->name = xr_field_string(&f, arena);
        } else if (f.number == 3) {
            if (!xr_add_u32(&f, &inputs, arena))
                return false;
        } else if (f.number == 4) {
            if (!xr_add_u32(&f, &outputs, arena))
                return false;
        } else if (xr_is(&f, 5, XR_WIRE_VARINT)) {
            out->subgraph = (uint32_t)f.value;
        } else if (xr_is(&f, 6, XR_WIRE_BYTES)) {
            exray_key_value *pair = xr_list_add(&attributes, arena, sizeof *pair);
            if (!pair || !decode_pair(&f, arena, pair))
                return false;
        } else if (xr_is(&f, 7, XR_WIRE_BYTES)) {
            exray_node *node = xr_list_add(&inner, arena, sizeof *node);
            if (!node || !decode_node(&f, arena, depth + 1, node))
                return false;
        }
    }
    out->inputs = inputs.items;
    out->input_count = (uint32_t)inputs.count;
    out->outputs = outputs.items;
    out->output_count = (uint32_t)outputs.count;
    out->attributes = attributes.items;
    out->attribute_count = (uint32_t)attributes.count;
    out->inner = inner.items;
    out->inner_count = (uint32_t)inner.count;
    return !wire.bad && !arena->failed;
}

/* A position beyond the table becomes "absent": whoever uses the model need
 * not check again. */
static void mend_positions(const uint32_t *positions, uint32_t count, uint32_t tensor_count)
{
    uint32_t *mutable = (uint32_t *)(uintptr_t)positions; /* ours, in the arena */
    for (uint32_t i = 0; i < count; i++)
        if (mutable[i] >= tensor_count)
            mutable[i] = EXRAY_NO_INDEX;
}

static void mend_nodes(const exray_node *nodes, uint32_t count, uint32_t tensor_count)
{
    for (uint32_t i = 0; i < count; i++) {
        mend_positions(nodes[i].inputs, nodes[i].input_count, tensor_count);
        mend_positions(nodes[i].outputs, nodes[i].output_count, tensor_count);
        mend_nodes(nodes[i].inner, nodes[i].inner_count, tensor_count); /* depth is bounded: decode_node */
    }
}

/* Drops what is beyond the table; returns how many are left. */
static uint32_t mend_ends(xr_list *ends, uint32_t tensor_count)
{
    uint32_t *positions = ends->items, kept = 0;
    for (size_t i = 0; i < ends->count; i++)
        if (positions[i] < tensor_count)
            positions[kept++] = positions[i];
    return kept;
}

bool xr_decode_model(const uint8_t *data, size_t size, xr_arena *arena, exray_model *out)
{
    *out = (exray_model){.name = "", .engine = "", .engine_version = "", .kernels = ""};
    xr_wire wire = xr_wire_begin(data, size);
    xr_list tensors = {0}, nodes = {0}, inputs = {0}, outputs = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES)) {
            out->name = xr_field_string(&f, arena);
        } else if (xr_is(&f, 2, XR_WIRE_BYTES) && f.size == SHA256_SIZE) {
            uint8_t *sha256 = xr_arena_take(arena, SHA256_SIZE);
            if (sha256)
                memcpy(sha256, f.data, SHA256_SIZE);
            out->sha256 = sha256;
        } else if (xr_is(&f, 3, XR_WIRE_BYTES)) {
            out->engine = xr_field_string(&f, arena);
        } else if (xr_is(&f, 4, XR_WIRE_BYTES)) {
            out->engine_version = xr_field_string(&f, arena);
        } else if (xr_is(&f, 5, XR_WIRE_BYTES)) {
            out->kernels = xr_field_string(&f, arena);
        } else if (xr_is(&f, 6, XR_WIRE_VARINT)) {
            out->threads = (uint32_t)f.value;
        } else if (xr_is(&f, 7, XR_WIRE_BYTES)) {
            exray_tensor_info *info = xr_list_add(&tensors, arena, sizeof *info);
            if (!info || !decode_info(&f, arena, info))
                return false;
        } else if (xr_is(&f, 8, XR_WIRE_BYTES)) {
            exray_node *node = xr_list_add(&nodes, arena, sizeof *node);
            if (!node || !decode_node(&f, arena, 1, node))
                return false;
        } else if (f.number == 9) {
            if (!xr_add_u32(&f, &inputs, arena))
                return false;
        } else if (f.number == 10) {
            if (!xr_add_u32(&f, &outputs, arena))
                return false;
        }
    }
    if (wire.bad || arena->failed || tensors.count >= EXRAY_NO_INDEX || nodes.count >= EXRAY_NO_INDEX)
        return false;
    out->tensors = tensors.items;
    out->tensor_count = (uint32_t)tensors.count;
    out->nodes = nodes.items;
    out->node_count = (uint32_t)nodes.count;
    mend_nodes(out->nodes, out->node_count, out->tensor_count);
    out->inputs = inputs.items;
    out->input_count = mend_ends(&inputs, out->tensor_count);
    out->outputs = outputs.items;
    out->output_count = mend_ends(&outputs, out->tensor_count);
    return true;
}

const char *exray_node_name(const exray_model *model, uint32_t node)
{
    if (!model || node >= model->node_count)
        return "";
    const exray_node *n = &model->nodes[node];
    if (n->name && n->name[0])
        return n->name;
    if (n->output_count == 0 || n->outputs[0] >= model->tensor_count)
        return "";
    const char *name = model->tensors[n->outputs[0]].name;
    return name ? name : "";
}

const char *exray_node_attribute(const exray_node *node, const char *key)
{
    for (uint32_t i = 0; node && i < node->attribute_count; i++)
        if (node->attributes[i].key && strcmp(node->attributes[i].key, key) == 0)
            return node->attributes[i].value;
    return NULL;
}

void exray_node_plain_op(const char *op, char *out, size_t size)
{
    static const char *const prefixes[] = {"qlinear", "fused", "nhwc", "nchwc"};
    size_t n = 0;
    for (; op && *op && n + 1 < size; op++)
        if (isalnum((unsigned char)*op))
            out[n++] = (char)tolower((unsigned char)*op);
    out[n] = '\0';
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t length = strlen(prefixes[i]);
        if (n > length && memcmp(out, prefixes[i], length) == 0) {
            memmove(out, out + length, n - length + 1);
            n -= length;
            i = (size_t)-1; /* QLinearFused...: from the first again */
        }
    }
}

/* ---- Frame ----------------------------------------------------------------- */

static bool decode_entry(const xr_field *from, xr_arena *arena, const char **key, xr_field *value)
{
    *key = "";
    *value = (xr_field){0};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES))
            *key = xr_field_string(&f, arena);
        else if (f.number == 2)
            *value = f;
    }
    return !wire.bad && !arena->failed;
}

bool xr_decode_frame(const uint8_t *data, size_t size, xr_arena *arena, exray_frame *out,
                     xr_frame_extra *extra)
{
    *out = (exray_frame){.source = "", .complete = true};
    *extra = (xr_frame_extra){0};
    xr_wire wire = xr_wire_begin(data, size);
    xr_list values = {0}, spans = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        xr_field value;
        if (xr_is(&f, 1, XR_WIRE_VARINT)) {
            out->index = f.value;
        } else if (xr_is(&f, 2, XR_WIRE_BYTES)) {
            out->source = xr_field_string(&f, arena);
        } else if (xr_is(&f, 3, XR_WIRE_VARINT)) {
            out->has_label = true;
            out->label = (int64_t)f.value;
        } else if (xr_is(&f, 4, XR_WIRE_VARINT)) {
            out->begin_ns = f.value;
        } else if (xr_is(&f, 5, XR_WIRE_VARINT)) {
            out->end_ns = f.value;
        } else if (xr_is(&f, 6, XR_WIRE_VARINT)) {
            out->inference_ns = f.value;
        } else if (xr_is(&f, 7, XR_WIRE_BYTES)) {
            exray_named_value *v = xr_list_add(&values, arena, sizeof *v);
            if (!v || !decode_entry(&f, arena, &v->name, &value))
                return false;
            v->value = value.type == XR_WIRE_FIXED64 ? xr_field_double(&value) : 0;
        } else if (xr_is(&f, 8, XR_WIRE_BYTES)) {
            exray_named_span *s = xr_list_add(&spans, arena, sizeof *s);
            if (!s || !decode_entry(&f, arena, &s->name, &value))
                return false;
            s->nanoseconds = value.type == XR_WIRE_VARINT ? value.value : 0;
        }
    }
    *extra = (xr_frame_extra){values.items, spans.items, values.count, spans.count};
    return !wire.bad && !arena->failed;
}

/* ---- Tensor ---------------------------------------------------------------- */

bool xr_peek_tensor(const uint8_t *data, size_t size, xr_peek *out)
{
    *out = (xr_peek){0};
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_VARINT))
            out->frame = f.value;
        else if (xr_is(&f, 3, XR_WIRE_BYTES))
            out->has_data = true;
        else if (xr_is(&f, 5, XR_WIRE_BYTES))
            out->has_sketch = true;
        else if (xr_is(&f, 8, XR_WIRE_VARINT))
            out->occurrence = (uint32_t)f.value;
    }
    return !wire.bad;
}

bool xr_peek_frame_number(const uint8_t *data, size_t size, xr_peek *out)
{
    *out = (xr_peek){0};
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);)
        if (xr_is(&f, 1, XR_WIRE_VARINT))
            out->frame = f.value;
    return !wire.bad;
}

static bool decode_stats(const xr_field *from, exray_stats *out)
{
    *out = (exray_stats){0};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.type == XR_WIRE_VARINT) {
            uint64_t *counts[] = {
                NULL, &out->count, &out->nan_count, &out->inf_count, &out->zero_count, NULL, NULL,
                NULL, NULL,        &out->low_count, &out->high_count};
            if (f.number < sizeof counts / sizeof *counts && counts[f.number])
                *counts[f.number] = f.value;
        } else if (f.type == XR_WIRE_FIXED64) {
            double *moments[] = {&out->min, &out->max, &out->mean, &out->variance};
            if (f.number >= 5 && f.number <= 8)
                *moments[f.number - 5] = xr_field_double(&f);
        }
    }
    return !wire.bad;
}

/* Moments of channels count only as far as both are there; a histogram has its number of bins. */
static bool decode_channels(const xr_field *from, xr_arena *arena, exray_channel_stats *out)
{
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list mean = {0}, variance = {0}, histogram = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if ((f.number == 11 && !xr_add_float(&f, &mean, arena)) ||
            (f.number == 12 && !xr_add_float(&f, &variance, arena)) ||
            (f.number == 13 && !xr_add_u32(&f, &histogram, arena)))
            return false;
    }
    *out = (exray_channel_stats){0};
    if (mean.count == variance.count && mean.count <= EXRAY_MAX_CHANNEL_STATS) {
        out->channel_count = (uint32_t)mean.count;
        out->mean = mean.items;
        out->variance = variance.items;
    }
    if (histogram.count == EXRAY_HISTOGRAM_BINS) {
        out->bin_count = EXRAY_HISTOGRAM_BINS;
        out->histogram = histogram.items;
    }
    return !wire.bad && !arena->failed;
}

static bool decode_sketch(const xr_field *from, xr_arena *arena, exray_sketch *out)
{
    *out = (exray_sketch){0};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    xr_list buckets = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_VARINT))
            out->version = f.value <= UINT32_MAX ? (uint32_t)f.value : 0;
        else if (xr_is(&f, 2, XR_WIRE_VARINT))
            out->seed = f.value;
        else if (f.number == 3 && !xr_add_float(&f, &buckets, arena))
            return false;
    }
    if (buckets.count > UINT32_MAX)
        return false;
    out->bucket = buckets.items;
    out->count = (uint32_t)buckets.count;
    return !wire.bad && !arena->failed;
}

static bool decode_media(const xr_field *from, xr_arena *arena, exray_media *out)
{
    *out = (exray_media){.format = "", .matrix = ""};
    xr_wire wire = xr_wire_begin(from->data, from->size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES))
            out->format = xr_field_string(&f, arena);
        else if (xr_is(&f, 5, XR_WIRE_BYTES))
            out->matrix = xr_field_string(&f, arena);
        else if (f.type == XR_WIRE_VARINT)
            switch (f.number) {
            case 2:
                out->width = (uint32_t)f.value;
                break;
            case 3:
                out->height = (uint32_t)f.value;
                break;
            case 4:
                out->row_stride = (uint32_t)f.value;
                break;
            case 6:
                out->full_range = f.value != 0;
                break;
            case 7:
                out->rotation = (uint32_t)f.value;
                break;
            case 8:
                out->sample_rate = (uint32_t)f.value;
                break;
            case 9:
                out->channels = (uint32_t)f.value;
                break;
            default:
                break;
            }
    }
    return !wire.bad && !arena->failed;
}

bool xr_decode_tensor(const uint8_t *data, size_t size, xr_arena *arena, exray_tensor_view *out,
                      bool *has_info)
{
    *out = (exray_tensor_view){.model_tensor = EXRAY_NO_INDEX, .info = {.name = "", .layout = ""}};
    *has_info = false;
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 2, XR_WIRE_BYTES)) {
            *has_info = true;
            if (!decode_info(&f, arena, &out->info))
                return false;
        } else if (xr_is(&f, 3, XR_WIRE_BYTES)) {
            out->data = f.data;
            out->size = f.size;
        } else if (xr_is(&f, 4, XR_WIRE_BYTES)) {
            out->has_stats = true;
            if (!decode_stats(&f, &out->stats) || !decode_channels(&f, arena, &out->channels))
                return false;
        } else if (xr_is(&f, 5, XR_WIRE_BYTES)) {
            out->has_sketch = true;
            if (!decode_sketch(&f, arena, &out->sketch))
                return false;
        } else if (xr_is(&f, 6, XR_WIRE_VARINT)) {
            out->model_tensor = (uint32_t)f.value;
        } else if (xr_is(&f, 7, XR_WIRE_BYTES)) {
            out->has_media = true;
            if (!decode_media(&f, arena, &out->media))
                return false;
        }
    }
    return !wire.bad && !arena->failed;
}

bool xr_decode_gathered(const uint8_t *data, size_t size, xr_arena *arena, exray_tensor_view *out)
{
    const xr_field stats = {.data = data, .size = size};
    (void)arena;
    *out = (exray_tensor_view){
        .model_tensor = EXRAY_NO_INDEX, .info = {.name = "", .layout = ""}, .has_stats = true};
    return decode_stats(&stats, &out->stats);
}

/* ---- The others ------------------------------------------------------------ */

bool xr_decode_latency(const uint8_t *data, size_t size, xr_arena *arena, exray_latency *out)
{
    xr_wire wire = xr_wire_begin(data, size);
    xr_list node = {0}, start = {0}, duration = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        bool good = true;
        if (f.number == 2)
            good = xr_add_u32(&f, &node, arena);
        else if (f.number == 3)
            good = xr_add_u64(&f, &start, arena);
        else if (f.number == 4)
            good = xr_add_u64(&f, &duration, arena);
        if (!good)
            return false;
    }
    /* A writer may leave out the starts; the arrays are of one length all the same. */
    if (wire.bad || start.count > node.count || duration.count > node.count ||
        !xr_list_reserve(&start, arena, sizeof(uint64_t), node.count - start.count) ||
        !xr_list_reserve(&duration, arena, sizeof(uint64_t), node.count - duration.count))
        return false;
    *out = (exray_latency){node.items, start.items, duration.items, node.count};
    return true;
}

bool xr_decode_system(const uint8_t *data, size_t size, exray_system *out)
{
    *out = (exray_system){0};
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 2, XR_WIRE_VARINT)) {
            out->has_rss = true;
            out->rss_bytes = f.value;
        } else if (xr_is(&f, 3, XR_WIRE_VARINT)) {
            out->has_peak_rss = true;
            out->peak_rss_bytes = f.value;
        } else if (xr_is(&f, 4, XR_WIRE_VARINT)) {
            out->has_arena = true;
            out->arena_bytes = f.value;
        } else if (xr_is(&f, 5, XR_WIRE_FIXED64)) {
            out->has_celsius = true;
            out->cpu_celsius = xr_field_double(&f);
        } else if (xr_is(&f, 6, XR_WIRE_FIXED64)) {
            out->has_mhz = true;
            out->cpu_mhz = xr_field_double(&f);
        } else if (xr_is(&f, 7, XR_WIRE_VARINT)) {
            out->has_dropped = true;
            out->dropped_records = f.value;
        } else if (xr_is(&f, 8, XR_WIRE_VARINT)) {
            out->has_processors = true;
            out->processors = f.value < UINT32_MAX ? (uint32_t)f.value : UINT32_MAX;
        }
    }
    return !wire.bad;
}

bool xr_decode_reading(const uint8_t *data, size_t size, xr_arena *arena, exray_reading *out)
{
    *out = (exray_reading){.unit = ""};
    xr_wire wire = xr_wire_begin(data, size);
    xr_list values = {0};
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (f.number == 2 && !xr_add_double(&f, &values, arena))
            return false;
        if (xr_is(&f, 3, XR_WIRE_BYTES))
            out->unit = xr_field_string(&f, arena);
    }
    out->value = values.items;
    out->count = values.count;
    return !wire.bad && !arena->failed;
}

static exray_event_kind event_kind(const char *name)
{
    int kind = 0;
    while (kind < EXRAY_EVENT_OTHER && strcmp(name, exray_event_kind_name((exray_event_kind)kind)) != 0)
        kind++;
    return (exray_event_kind)kind;
}

bool xr_decode_event(const uint8_t *data, size_t size, xr_arena *arena, exray_event *out)
{
    *out = (exray_event){.kind_name = "", .text = ""};
    xr_wire wire = xr_wire_begin(data, size);
    for (xr_field f; xr_wire_next(&wire, &f);) {
        if (xr_is(&f, 1, XR_WIRE_BYTES)) {
            out->kind_name = xr_field_string(&f, arena);
        } else if (xr_is(&f, 2, XR_WIRE_BYTES)) {
            out->text = xr_field_string(&f, arena);
        } else if (xr_is(&f, 3, XR_WIRE_VARINT)) {
            out->has_frame = true;
            out->frame = f.value;
        } else if (xr_is(&f, 4, XR_WIRE_VARINT)) {
            out->has_records_lost = true;
            out->records_lost = f.value;
        }
    }
    if (wire.bad || arena->failed)
        return false;
    out->kind = event_kind(out->kind_name);
    return true;
}
