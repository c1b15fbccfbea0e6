/* Attributes of ONNX nodes as text, and the graphs within them. */
#include "models/onnx/onnx.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TEXT_LIMIT = 2048, /* bytes of an attribute's text: lists may be a table's contents */
    MAX_DEPTH = 64,    /* graphs within graphs */
};

/* ---- As text ------------------------------------------------------------------- */

typedef struct text {
    char bytes[TEXT_LIMIT + 64];
    size_t used;
    size_t left_out; /* items */
} text;

static void add_item(text *t, const char *item)
{
    size_t size = strlen(item);
    if (t->left_out || t->used + size + 1 > TEXT_LIMIT) {
        t->left_out++;
        return;
    }
    if (t->used)
        t->bytes[t->used++] = ',';
    memcpy(t->bytes + t->used, item, size);
    t->used += size;
}

static void add_integer(text *t, uint64_t bits)
{
    char item[24];
    snprintf(item, sizeof item, "%lld", (long long)(int64_t)bits);
    add_item(t, item);
}

static void add_float(text *t, uint32_t bits)
{
    float value;
    char item[32];
    memcpy(&value, &bits, sizeof value);
    snprintf(item, sizeof item, "%.9g", (double)value);
    add_item(t, item);
}

/* Strings may be any bytes; the log has UTF-8. */
static void add_string(text *t, xr_span string)
{
    char item[TEXT_LIMIT];
    size_t size = string.size < sizeof item - 1 ? string.size : sizeof item - 1;
    for (size_t i = 0; i < size; i++)
        item[i] = (char)(string.data[i] >= 0x20 && string.data[i] < 0x7F ? string.data[i] : '?');
    item[size] = '\0';
    add_item(t, item);
}

static bool add_tensor(xr_onnx *onnx, text *t, xr_span tensor)
{
    exray_tensor_info info = {0};
    xr_constant constant = {0};
    char item[256];
    if (!xr_onnx_read_tensor(onnx, tensor, &info, &constant))
        return false;
    int used = snprintf(item, sizeof item, "%s [", exray_dtype_name(info.dtype));
    for (uint32_t i = 0; i < info.rank; i++)
        used += snprintf(item + used, sizeof item - (size_t)used, "%s%lld", i ? "," : "",
                         (long long)info.shape[i]);
    snprintf(item + used, sizeof item - (size_t)used, "]");
    add_item(t, item);
    return true;
}

static void add_packed(text *t, const xr_pb_field *f, xr_pb *outer)
{
    xr_pb pb = xr_pb_begin(f->data, f->size);
    uint64_t value;
    if (f->number == 8)
        while (pb.at != pb.end && xr_pb_varint(&pb, &value))
            add_integer(t, value);
    else
        for (; pb.end - pb.at >= 4; pb.at += 4)
            add_float(t, (uint32_t)pb.at[0] | (uint32_t)pb.at[1] << 8 | (uint32_t)pb.at[2] << 16 |
                             (uint32_t)pb.at[3] << 24);
    outer->bad |= pb.bad || pb.at != pb.end;
}

/* Float32 weights of a body. */
typedef struct body_sums {
    double count, sum, square;
} body_sums;

static bool add_weights(xr_onnx *onnx, xr_span tensor, body_sums *sums)
{
    exray_tensor_info info = {0};
    xr_constant constant = {0};
    if (!xr_onnx_read_tensor(onnx, tensor, &info, &constant))
        return false;
    const uint8_t *data = constant.data;
    for (size_t i = 0; info.dtype == EXRAY_DTYPE_FLOAT32 && data && i + 4 <= constant.size; i += 4) {
        float value;
        memcpy(&value, data + i, sizeof value);
        sums->count++;
        sums->sum += value;
        sums->square += (double)value * value;
    }
    return true;
}

/* The value of a Constant. */
static bool add_constant(xr_onnx *onnx, xr_span node, body_sums *sums)
{
    xr_pb pb = xr_pb_begin(node.data, node.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (!xr_pb_is(&f, 5, XR_PB_BYTES))
            continue;
        xr_pb attribute = xr_pb_begin(f.data, f.size);
        for (xr_pb_field g; xr_pb_next(&attribute, &g);)
            if (xr_pb_is(&g, 5, XR_PB_BYTES) && !add_weights(onnx, (xr_span){g.data, g.size}, sums))
                return false;
    }
    return true;
}

/* Adds the operator of a NodeProto; false: it is a constant, which is none. */
static bool add_operator(text *t, xr_span node, bool first)
{
    xr_pb pb = xr_pb_begin(node.data, node.size);
    char item[80];
    const size_t before = (size_t)snprintf(item, sizeof item, "%s", first ? "graph of " : "");
    size_t used = before;
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, 4, XR_PB_BYTES))
            for (size_t i = 0; i < f.size && used < sizeof item - 1; i++)
                item[used++] = (char)(f.data[i] >= 0x20 && f.data[i] < 0x7F ? f.data[i] : '?');
    item[used] = '\0';
    if (strcmp(item + before, "Constant") == 0)
        return false;
    if (used)
        add_item(t, item);
    return true;
}

/* A GraphProto by the operators that it runs, so that another branch or body shows, and by its weights:
 * "graph of MatMul,Tanh; float32 64 mean 0.01 rms 0.5". */
static bool add_graph(xr_onnx *onnx, text *t, xr_span graph)
{
    size_t before = t->used;
    body_sums sums = {0};
    xr_pb pb = xr_pb_begin(graph.data, graph.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        const xr_span span = {f.data, f.size};
        if (xr_pb_is(&f, 1, XR_PB_BYTES) && !add_operator(t, span, t->used == before) &&
            !add_constant(onnx, span, &sums))
            return false;
        if (xr_pb_is(&f, 5, XR_PB_BYTES) && !add_weights(onnx, span, &sums))
            return false;
    }
    if (t->used == before)
        add_item(t, "graph");
    else if (sums.count > 0 && isfinite(sums.square) && !t->left_out && t->used < TEXT_LIMIT)
        t->used += (size_t)snprintf(t->bytes + t->used, 64, "; float32 %.0f mean %.6g rms %.6g", sums.count,
                                    sums.sum / sums.count, sqrt(sums.square / sums.count));
    return true;
}

/* One field of an AttributeProto. */
static bool add_value(xr_onnx *onnx, text *t, const xr_pb_field *f, xr_pb *pb)
{
    bool bytes = f->type == XR_PB_BYTES;
    xr_span span = {f->data, f->size};
    if (f->number == 2 && f->type == XR_PB_FIXED32)
        add_float(t, (uint32_t)f->value);
    else if (f->number == 7 && f->type == XR_PB_FIXED32)
        add_float(t, (uint32_t)f->value);
    else if ((f->number == 3 || f->number == 8) && f->type == XR_PB_VARINT)
        add_integer(t, f->value);
    else if ((f->number == 7 || f->number == 8) && bytes)
        add_packed(t, f, pb);
    else if ((f->number == 4 || f->number == 9) && bytes)
        add_string(t, span);
    else if ((f->number == 5 || f->number == 10) && bytes)
        return add_tensor(onnx, t, span);
    else if ((f->number == 6 || f->number == 11) && bytes)
        return add_graph(onnx, t, span);
    else if ((f->number == 22 || f->number == 23) && bytes)
        add_item(t, "sparse tensor");
    else if ((f->number == 14 || f->number == 15) && bytes)
        add_item(t, "type");
    return true;
}

bool xr_onnx_attribute(xr_onnx *onnx, xr_span attribute, exray_key_value *out)
{
    text t = {.used = 0};
    xr_span name = {0};
    xr_pb pb = xr_pb_begin(attribute.data, attribute.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, 1, XR_PB_BYTES))
            name = (xr_span){f.data, f.size};
        else if (!add_value(onnx, &t, &f, &pb))
            return false;
    if (pb.bad)
        return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "an attribute in it is damaged");
    if (t.left_out)
        t.used += (size_t)snprintf(t.bytes + t.used, 64, "... (%zu more)", t.left_out);
    out->key = xr_onnx_text(onnx, name);
    out->value = xr_onnx_text(onnx, (xr_span){(const uint8_t *)t.bytes, t.used});
    return out->key && out->value;
}

int64_t xr_onnx_integer(const exray_node *node, const char *key, int64_t otherwise)
{
    for (uint32_t i = 0; i < node->attribute_count; i++)
        if (strcmp(node->attributes[i].key, key) == 0)
            return strtoll(node->attributes[i].value, NULL, 10);
    return otherwise;
}

/* ---- Constant nodes --------------------------------------------------------------- */

/* value_float and the like are what a TensorProto without name, type and shape would hold: one is
 * assembled from them and read as any other. */
static bool read_plain_value(xr_onnx *onnx, const xr_pb_field *f, size_t count, exray_tensor_info *info,
                             xr_constant *constant, size_t *used)
{
    bool is_float = info->dtype == EXRAY_DTYPE_FLOAT32;
    size_t bytes = is_float ? 4 : 8;
    xr_pb pb = xr_pb_begin(f->data, f->size);
    do {
        uint64_t value = f->value;
        if (f->type == XR_PB_BYTES) {
            if (pb.at == pb.end)
                break;
            if (is_float ? pb.end - pb.at < 4 : !xr_pb_varint(&pb, &value))
                return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "the value of a Constant in it is damaged");
            if (is_float) {
                value = (uint32_t)pb.at[0] | (uint32_t)pb.at[1] << 8 | (uint32_t)pb.at[2] << 16 |
                        (uint32_t)pb.at[3] << 24;
                pb.at += 4;
            }
        }
        if (*used == count)
            break;
        uint8_t *out = (uint8_t *)(uintptr_t)constant->data + bytes * (*used)++;
        for (size_t i = 0; i < bytes; i++)
            out[i] = (uint8_t)(value >> 8 * i);
    } while (f->type == XR_PB_BYTES);
    return true;
}

bool xr_onnx_constant_value(xr_onnx *onnx, xr_span attribute, exray_tensor_info *info, xr_constant *constant)
{
    xr_span name = {0};
    size_t room = 0;
    xr_pb pb = xr_pb_begin(attribute.data, attribute.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        if (xr_pb_is(&f, 1, XR_PB_BYTES))
            name = (xr_span){f.data, f.size};
        if (xr_pb_is(&f, 5, XR_PB_BYTES))
            return xr_onnx_read_tensor(onnx, (xr_span){f.data, f.size}, info, constant);
        if (f.number == 2 || f.number == 3 || f.number == 7 || f.number == 8)
            room += f.type == XR_PB_BYTES ? f.size : 1; /* no entry takes less than a byte */
    }
    bool is_float = xr_onnx_is(name, "value_float") || xr_onnx_is(name, "value_floats");
    if (!is_float && !xr_onnx_is(name, "value_int") && !xr_onnx_is(name, "value_ints"))
        return true; /* strings, sparse tensors */
    bool list = name.size && name.data[name.size - 1] == 's';
    info->dtype = is_float ? EXRAY_DTYPE_FLOAT32 : EXRAY_DTYPE_INT64;
    constant->data = xr_onnx_alloc(onnx, room + 1, 8);
    if (!constant->data)
        return false;
    size_t used = 0;
    pb = xr_pb_begin(attribute.data, attribute.size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if ((f.number == 2 || f.number == 3 || f.number == 7 || f.number == 8) &&
            !read_plain_value(onnx, &f, room, info, constant, &used))
            return false;
    constant->size = used * (is_float ? 4 : 8);
    int64_t *shape = xr_onnx_alloc(onnx, 1, sizeof *shape);
    if (!shape)
        return false;
    *shape = (int64_t)used;
    info->shape = shape;
    info->rank = list ? 1 : 0;
    if (!list && used != 1)
        *constant = (xr_constant){0};
    return true;
}

/* ---- Bodies -------------------------------------------------------------------------- */

/* What a message on the stack is. */
typedef enum level_kind { NODE, ATTRIBUTE, GRAPH } level_kind;
typedef struct level {
    xr_pb pb;
    level_kind kind;
    bool body; /* within a graph of the node's */
} level;

static bool add_implicit(xr_onnx *onnx, xr_onnx_list *list, const xr_pb_field *name)
{
    uint32_t tensor = xr_onnx_find(onnx, (xr_span){name->data, name->size});
    if (tensor == EXRAY_NO_INDEX)
        return true;
    const uint32_t *known = list->items;
    for (size_t i = 0; i < list->count; i++)
        if (known[i] == tensor)
            return true;
    uint32_t *item = xr_onnx_add(onnx, list, sizeof *item);
    if (item)
        *item = tensor;
    return item != NULL;
}

/* Names may not be hidden by others in ONNX, so a name that a body reads and the
 * main graph has is the main graph's. */
bool xr_onnx_implicit(xr_onnx *onnx, xr_onnx_node *node)
{
    level stack[MAX_DEPTH * 3];
    size_t depth = 1;
    xr_onnx_list found = {0};
    stack[0] = (level){xr_pb_begin(node->message.data, node->message.size), NODE, false};
    while (depth) {
        level *top = &stack[depth - 1];
        xr_pb_field f;
        if (!xr_pb_next(&top->pb, &f)) {
            if (top->pb.bad)
                return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "a graph within a node of it is damaged");
            depth--;
            continue;
        }
        if (f.type != XR_PB_BYTES)
            continue;
        level_kind inner;
        bool name = false;
        if (top->kind == NODE && f.number == 5)
            inner = ATTRIBUTE;
        else if (top->kind == ATTRIBUTE && (f.number == 6 || f.number == 11))
            inner = GRAPH;
        else if (top->kind == GRAPH && f.number == 1)
            inner = NODE;
        else
            name = true;
        if (name) {
            bool reads = top->body && top->kind == NODE && f.number == 1;
            if (reads && !add_implicit(onnx, &found, &f))
                return false;
            /* A body may return a tensor of an outer graph: outputs are ValueInfoProtos. */
            if (top->kind == GRAPH && f.number == 12) {
                xr_pb info = xr_pb_begin(f.data, f.size);
                for (xr_pb_field v; xr_pb_next(&info, &v);)
                    if (xr_pb_is(&v, 1, XR_PB_BYTES) && !add_implicit(onnx, &found, &v))
                        return false;
            }
            continue;
        }
        if (depth == sizeof stack / sizeof *stack)
            return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "graphs within it are nested too deeply");
        stack[depth++] = (level){xr_pb_begin(f.data, f.size), inner, top->body || inner == GRAPH};
    }
    node->implicit = found.items;
    node->implicit_count = (uint32_t)found.count;
    return true;
}
