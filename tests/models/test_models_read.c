/* Model files made byte by byte: what is read of them, exposed and cut; damage is refused. */
#include "models/model_file.h"
#include "models/small_onnx.h"
#include "models/tflite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- TensorFlow Lite: y = ADD(RELU(x), w) ------------------------------------------------ */

typedef struct flat {
    uint8_t data[2048];
    uint32_t size;
} flat;

static void write_u32(flat *f, uint32_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        f->data[at + (uint32_t)i] = (uint8_t)(value >> 8 * i);
}

static uint32_t add_u32(flat *f, uint32_t value)
{
    write_u32(f, f->size, value);
    f->size += 4;
    return f->size - 4;
}

static void add_u16(flat *f, unsigned value)
{
    f->data[f->size++] = (uint8_t)value;
    f->data[f->size++] = (uint8_t)(value >> 8);
}

enum { MOST_FIELDS = 8 };

/* A table whose fields are 4 bytes each; at[i] is where field i is, 0: absent.  `has`: a bit a field. */
static uint32_t add_table(flat *f, unsigned fields, unsigned has, uint32_t at[MOST_FIELDS])
{
    uint32_t vtable = f->size, place = 4;
    add_u16(f, 4 + 2 * fields);
    unsigned count = 0;
    for (unsigned i = 0; i < fields; i++)
        count += has >> i & 1;
    add_u16(f, 4 + 4 * count);
    for (unsigned i = 0; i < fields; i++) {
        add_u16(f, has >> i & 1 ? place : 0);
        place += has >> i & 1 ? 4 : 0;
    }
    while (f->size % 4)
        f->data[f->size++] = 0;
    uint32_t table = add_u32(f, f->size - vtable);
    for (unsigned i = 0; i < fields; i++)
        at[i] = has >> i & 1 ? add_u32(f, 0) : 0;
    return table;
}

/* The distance at `from` leads to what comes next. */
static void refer(flat *f, uint32_t from)
{
    write_u32(f, from, f->size - from);
}

static void add_numbers(flat *f, uint32_t from, uint32_t count, uint32_t a, uint32_t b)
{
    refer(f, from);
    add_u32(f, count);
    if (count > 0)
        add_u32(f, a);
    if (count > 1)
        add_u32(f, b);
}

static void add_bytes(flat *f, uint32_t from, const void *data, uint32_t size)
{
    refer(f, from);
    add_u32(f, size);
    memcpy(f->data + f->size, data, size);
    f->size = (f->size + size + 1 + 3) & ~3u;
}

/* A vector of `count` tables; at[i] gets where the distance to table i is. */
static void add_tables(flat *f, uint32_t from, uint32_t count, uint32_t at[MOST_FIELDS])
{
    refer(f, from);
    add_u32(f, count);
    for (uint32_t i = 0; i < count; i++)
        at[i] = add_u32(f, 0);
}

/* The next table begins behind its vtable: the distance is set once that is known. */
static void set_table(flat *f, uint32_t from, uint32_t table)
{
    write_u32(f, from, table - from);
}

static flat small_tflite(void)
{
    flat f = {.size = 8};
    uint32_t model[MOST_FIELDS], part[MOST_FIELDS], graph[MOST_FIELDS], at[MOST_FIELDS];
    memcpy(f.data + 4, "TFL3", 4);
    write_u32(&f, 0, add_table(&f, 5, 1 << 0 | 1 << 1 | 1 << 2 | 1 << 4, model));
    write_u32(&f, model[0], 3);

    static const uint32_t builtin[2] = {19, 0}; /* RELU, ADD */
    add_tables(&f, model[XR_MODEL_OPERATOR_CODES], 2, part);
    for (int i = 0; i < 2; i++) {
        set_table(&f, part[i], add_table(&f, 4, 1 << XR_CODE_BUILTIN, at));
        write_u32(&f, at[XR_CODE_BUILTIN], builtin[i]);
    }

    add_tables(&f, model[XR_MODEL_BUFFERS], 2, part);
    set_table(&f, part[0], add_table(&f, 1, 0, at));
    set_table(&f, part[1], add_table(&f, 1, 1 << XR_BUFFER_DATA, at));
    add_bytes(&f, at[XR_BUFFER_DATA], small_weights, sizeof small_weights);

    add_tables(&f, model[XR_MODEL_SUBGRAPHS], 1, part);
    set_table(&f, part[0], add_table(&f, 4, 15, graph));
    static const char *const names[4] = {"x", "w", "h", "y"};
    add_tables(&f, graph[XR_SUBGRAPH_TENSORS], 4, part);
    for (uint32_t i = 0; i < 4; i++) {
        set_table(&f, part[i],
                  add_table(&f, 4, 1 << XR_TENSOR_SHAPE | 1 << XR_TENSOR_BUFFER | 1 << XR_TENSOR_NAME, at));
        write_u32(&f, at[XR_TENSOR_BUFFER], i == 1);
        add_numbers(&f, at[XR_TENSOR_SHAPE], 1, 4, 0);
        add_bytes(&f, at[XR_TENSOR_NAME], names[i], 1);
    }
    add_numbers(&f, graph[XR_SUBGRAPH_INPUTS], 1, 0, 0);
    add_numbers(&f, graph[XR_SUBGRAPH_OUTPUTS], 1, 3, 0);
    add_tables(&f, graph[XR_SUBGRAPH_OPERATORS], 2, part);
    for (uint32_t i = 0; i < 2; i++) {
        set_table(&f, part[i], add_table(&f, 3, 7, at));
        write_u32(&f, at[XR_OPERATOR_CODE], i);
        add_numbers(&f, at[XR_OPERATOR_INPUTS], i + 1, i ? 2 : 0, 1);
        add_numbers(&f, at[XR_OPERATOR_OUTPUTS], 1, i ? 3 : 2, 0);
    }
    return f;
}

/* ---- Both formats -------------------------------------------------------------------------- */

typedef struct bytes {
    const char *format;
    uint8_t data[2048];
    size_t size;
    const char *ops[2];
} bytes;

static bytes make(const char *format)
{
    bytes b = {.format = format};
    if (strcmp(format, "onnx") == 0) {
        message m = small_onnx();
        memcpy(b.data, m.data, b.size = m.size);
        b.ops[0] = "Relu", b.ops[1] = "Add";
    } else {
        flat f = small_tflite();
        memcpy(b.data, f.data, b.size = f.size);
        b.ops[0] = "RELU", b.ops[1] = "ADD";
    }
    return b;
}

static uint32_t tensor_of(const exray_model *model, const char *name)
{
    for (uint32_t i = 0; i < model->tensor_count; i++)
        if (strcmp(model->tensors[i].name, name) == 0)
            return i;
    fail_msg("there is no tensor %s", name);
    return 0;
}

static xr_model_file read_model(const void *data, size_t size)
{
    xr_model_file file;
    exray_error error = {EXRAY_OK, ""};
    if (xr_model_read(data, size, &file, &error) != EXRAY_OK)
        fail_msg("%s", error.message);
    return file;
}

static const char *const formats[] = {"onnx", "tflite"};

static void a_model_is_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bytes b = make(formats[i]);
        xr_model_file file = read_model(b.data, b.size);
        const exray_model *m = &file.model;
        assert_string_equal(file.format->name, formats[i]);
        assert_int_equal(m->node_count, 2);
        assert_int_equal(m->tensor_count, 4);
        uint32_t x = tensor_of(m, "x"), w = tensor_of(m, "w"), h = tensor_of(m, "h"), y = tensor_of(m, "y");
        for (int n = 0; n < 2; n++)
            assert_string_equal(m->nodes[n].op, b.ops[n]);
        assert_int_equal(m->nodes[0].inputs[0], x);
        assert_int_equal(m->nodes[0].outputs[0], h);
        assert_int_equal(m->nodes[1].input_count, 2);
        assert_int_equal(m->nodes[1].inputs[0], h);
        assert_int_equal(m->nodes[1].inputs[1], w);
        assert_int_equal(m->input_count, 1);
        assert_int_equal(m->inputs[0], x);
        assert_int_equal(m->output_count, 1);
        assert_int_equal(m->outputs[0], y);
        assert_int_equal(m->tensors[x].dtype, EXRAY_DTYPE_FLOAT32);
        assert_int_equal(m->tensors[x].rank, 1);
        assert_int_equal(m->tensors[x].shape[0], 4);
        assert_int_equal(file.constant[w].size, sizeof small_weights);
        assert_memory_equal(file.constant[w].data, small_weights, sizeof small_weights);
        assert_null(file.constant[h].data);
        xr_model_release(&file);
    }
}

static void inner_tensors_are_exposed(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bytes b = make(formats[i]);
        xr_model_file file = read_model(b.data, b.size);
        xr_model_bytes out;
        exray_error error = {EXRAY_OK, ""};
        assert_int_equal(xr_model_expose(&file, &out, &error), EXRAY_OK);
        xr_model_file exposed = read_model(out.data, out.size);
        assert_int_equal(exposed.model.output_count, 2);
        assert_int_equal(exposed.model.outputs[0], tensor_of(&exposed.model, "y"));
        assert_int_equal(exposed.model.outputs[1], tensor_of(&exposed.model, "h"));
        xr_model_release(&exposed);
        xr_model_release(&file);
        free(out.data);
    }
}

static void a_node_is_cut_out(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bytes b = make(formats[i]);
        xr_model_file file = read_model(b.data, b.size);
        xr_model_bytes out;
        exray_error error = {EXRAY_OK, ""};
        const uint32_t add = 1;
        exray_tensor_info known[4]; /* the ONNX file does not say what h is */
        for (uint32_t t = 0; t < 4; t++) {
            known[t] = file.model.tensors[file.model.inputs[0]];
            known[t].name = file.model.tensors[t].name;
        }
        if (xr_model_cut(&file, &add, 1, known, &out, &error) != EXRAY_OK)
            fail_msg("%s: %s", formats[i], error.message);
        xr_model_file cut = read_model(out.data, out.size);
        assert_int_equal(cut.model.node_count, 1);
        assert_string_equal(cut.model.nodes[0].op, b.ops[1]);
        assert_int_equal(cut.model.input_count, 1);
        assert_int_equal(cut.model.inputs[0], tensor_of(&cut.model, "h"));
        assert_int_equal(cut.model.output_count, 1);
        assert_int_equal(cut.model.outputs[0], tensor_of(&cut.model, "y"));
        assert_memory_equal(cut.constant[tensor_of(&cut.model, "w")].data, small_weights,
                            sizeof small_weights);
        xr_model_release(&cut);
        xr_model_release(&file);
        free(out.data);
    }
}

/* Cut short anywhere and with any bit flipped: read or refused with a reason, no more than that. */
static void damage_is_refused_or_read(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        bytes b = make(formats[i]);
        for (size_t cut = 0; cut < b.size * 9; cut++) {
            size_t size = cut < b.size ? cut : b.size;
            uint8_t *part = malloc(size ? size : 1); /* exact, so that a sanitizer sees a byte too many */
            assert_non_null(part);
            memcpy(part, b.data, size);
            if (cut >= b.size)
                part[(cut - b.size) / 8] ^= (uint8_t)(1 << (cut - b.size) % 8);
            xr_model_file file;
            exray_error error = {EXRAY_OK, ""};
            if (xr_model_read(part, size, &file, &error) == EXRAY_OK)
                xr_model_release(&file);
            else
                assert_true(error.message[0]);
            free(part);
        }
    }
    xr_model_file file;
    exray_error error = {EXRAY_OK, ""};
    assert_int_equal(xr_model_read("neither of them", 15, &file, &error), EXRAY_E_FORMAT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_model_is_read),
        cmocka_unit_test(inner_tensors_are_exposed),
        cmocka_unit_test(a_node_is_cut_out),
        cmocka_unit_test(damage_is_refused_or_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
