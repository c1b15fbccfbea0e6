/* An ONNX model, byte by byte (onnx.proto3): y = Add(Relu(x), w), with x, w and y float[4]. */
#ifndef XR_SMALL_ONNX_H
#define XR_SMALL_ONNX_H

#include <stdint.h>
#include <string.h>

typedef struct message {
    uint8_t data[1024];
    size_t size;
} message;

static inline void put_byte(message *m, unsigned value)
{
    m->data[m->size++] = (uint8_t)value;
}

/* Numbers here are below 128: one byte each. */
static inline void put_number(message *m, unsigned field, unsigned value)
{
    put_byte(m, field << 3);
    put_byte(m, value);
}

static inline void put_bytes(message *m, unsigned field, const void *data, size_t size)
{
    put_byte(m, field << 3 | 2);
    if (size >= 128) {
        put_byte(m, (unsigned)(size & 0x7F) | 0x80);
        put_byte(m, (unsigned)(size >> 7));
    } else
        put_byte(m, (unsigned)size);
    memcpy(m->data + m->size, data, size);
    m->size += size;
}

static inline void put_text(message *m, unsigned field, const char *text)
{
    put_bytes(m, field, text, strlen(text));
}

static inline void put_message(message *m, unsigned field, const message *inner)
{
    put_bytes(m, field, inner->data, inner->size);
}

static inline message node_message(const char *op, const char *a, const char *b, const char *out)
{
    message m = {.size = 0};
    put_text(&m, 1, a);
    if (b)
        put_text(&m, 1, b);
    put_text(&m, 2, out);
    put_text(&m, 4, op);
    return m;
}

/* ValueInfoProto: name, type { tensor_type { elem_type, shape { dim { dim_value } } } } */
static inline message value_message(const char *name)
{
    message m = {.size = 0}, type = m, tensor = m, shape = m, dim = m;
    put_number(&dim, 1, 4);
    put_message(&shape, 1, &dim);
    put_number(&tensor, 1, 1);
    put_message(&tensor, 2, &shape);
    put_message(&type, 1, &tensor);
    put_text(&m, 1, name);
    put_message(&m, 2, &type);
    return m;
}

static const float small_weights[4] = {1, 2, 3, 4};

static inline message small_onnx(void)
{
    message graph = {.size = 0}, model = graph, weights = graph;
    const message nodes[2] = {node_message("Relu", "x", NULL, "h"), node_message("Add", "h", "w", "y")};
    const message in = value_message("x"), out = value_message("y");
    put_message(&graph, 1, &nodes[0]);
    put_message(&graph, 1, &nodes[1]);
    put_text(&graph, 2, "g");
    put_number(&weights, 1, 4);
    put_number(&weights, 2, 1);
    put_text(&weights, 8, "w");
    put_bytes(&weights, 9, small_weights, sizeof small_weights);
    put_message(&graph, 5, &weights);
    put_message(&graph, 11, &in);
    put_message(&graph, 12, &out);
    put_number(&model, 1, 8);
    put_message(&model, 7, &graph);
    return model;
}

#endif
