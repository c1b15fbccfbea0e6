/* The statistics of a frame's layers in one message: which layers, how many messages, what order.  The
 * messages are decoded here by hand: field 2 (packed nodes), field 3 (TensorStats). */
#include "scan.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <exray/exray.h>

enum { LOG_SIZE = 1 << 20, FLOATS = 64, NODES = 200 };
static uint8_t log_bytes[LOG_SIZE];
static float values[FLOATS];
static const int64_t shape[] = {FLOATS};

/* NODES nodes, node i computes tensor i + 1 of tensor i; the last tensor is a constant. */
static void log_model(exray_recorder *recorder)
{
    static exray_tensor_info tensors[NODES + 2];
    static exray_node nodes[NODES];
    static uint32_t positions[NODES + 1];
    for (uint32_t i = 0; i < NODES + 2; i++)
        tensors[i] = (exray_tensor_info){
            .name = i == 3 ? "third" : "t", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape};
    for (uint32_t i = 0; i <= NODES; i++)
        positions[i] = i;
    for (uint32_t i = 0; i < NODES; i++)
        nodes[i] = (exray_node){.op = "RELU",
                                .inputs = &positions[i],
                                .input_count = 1,
                                .outputs = &positions[i + 1],
                                .output_count = 1};
    exray_recorder_log_model(
        recorder,
        &(exray_model){.tensors = tensors, .tensor_count = NODES + 2, .nodes = nodes, .node_count = NODES});
}

static exray_tensor layer_at(uint32_t index)
{
    return (exray_tensor){.kind = EXRAY_KIND_LAYER,
                          .info = {.name = "t", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = shape},
                          .index = index,
                          .in_model = true,
                          .model_tensor = index + 1,
                          .data = values,
                          .size = sizeof values};
}

static void log_layer(exray_recorder *recorder, uint32_t index)
{
    const exray_tensor layer = layer_at(index);
    exray_recorder_log_tensor(recorder, &layer);
}

static void open_log(exray_recorder *recorder, exray_recorder_config config)
{
    config.size = sizeof config;
    config.chunk_size = 1 << 18;
    assert_int_equal(exray_recorder_open_memory(recorder, log_bytes, LOG_SIZE, &config), EXRAY_OK);
}

static scan close_log(exray_recorder *recorder)
{
    assert_int_equal(exray_recorder_close(recorder), EXRAY_OK);
    return scan_log(log_bytes, (size_t)exray_recorder_bytes_written(recorder));
}

typedef struct entries {
    uint32_t node[1024];
    size_t nodes, stats;
} entries;

static uint64_t varint(const uint8_t **at)
{
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
        value |= (uint64_t)(**at & 0x7F) << shift;
        if (!(*(*at)++ & 0x80))
            return value;
    }
}

static void add_entries(const scan_message *message, uint64_t frame, entries *out)
{
    const uint8_t *at = message->data, *end = at + message->size;
    uint64_t said = 0;
    while (at < end) {
        const uint64_t tag = varint(&at), value = varint(&at);
        if (tag == (1 << 3))
            said = value;
        if (tag == (2 << 3 | 2))
            for (const uint8_t *stop = at + value; at < stop;)
                out->node[out->nodes++] = (uint32_t)varint(&at);
        else if ((tag & 7) == 2)
            at += value;
        out->stats += tag == (3 << 3 | 2);
    }
    assert_int_equal(said, frame);
}

static entries entries_of(const scan *s, const char *topic, uint64_t frame)
{
    entries out = {0};
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->messages[i].topic, topic) == 0)
            add_entries(&s->messages[i], frame, &out);
    assert_int_equal(out.nodes, out.stats);
    return out;
}

static size_t count_of(const scan *s, const char *topic)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += strncmp(s->messages[i].topic, topic, strlen(topic)) == 0;
    return count;
}

static void one_message_a_frame(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, (exray_recorder_config){0});
    log_model(&recorder);
    exray_tensor constant = layer_at(NODES + 1);
    constant.kind = EXRAY_KIND_CONSTANT;
    constant.model_tensor = NODES + 1;
    exray_recorder_log_tensor(&recorder, &constant);
    exray_recorder_frame_begin(&recorder, "a");
    for (uint32_t i = 0; i < 20; i++)
        log_layer(&recorder, 19 - i);
    scan s = close_log(&recorder);
    entries layers = entries_of(&s, "/layers", 0), constants = entries_of(&s, "/constants", 0);
    assert_int_equal(layers.nodes, 20);
    for (uint32_t i = 0; i < 20; i++)
        assert_int_equal(layers.node[i], 19 - i);
    assert_int_equal(constants.nodes, 1);
    assert_int_equal(constants.node[0], NODES + 1);
    assert_int_equal(count_of(&s, "/layers"), 1);
    assert_int_equal(count_of(&s, "/layer/"), 0);
    /* Constants stand before the frame, its layers before its end. */
    assert_string_equal(s.messages[1].topic, "/constants");
    assert_string_equal(s.messages[2].topic, "/layers");
    scan_free(&s);
}

/* What the reader could not know from a node's number stays a record of its own. */
static void what_differs_is_a_tensor(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, (exray_recorder_config){0});
    exray_tensor layer = layer_at(0);
    exray_recorder_log_tensor(&recorder, &layer); /* no model yet */
    log_model(&recorder);
    for (int i = 0; i < 7; i++) {
        layer = layer_at((uint32_t)i + 1);
        layer.info_differs = i == 0;
        layer.output = i == 1;
        layer.occurrence = i == 2;
        layer.in_model = i != 3;
        layer.model_tensor -= i == 4;
        if (i == 5)
            layer.index = NODES;
        if (i == 6)
            layer.data = NULL, layer.size = 0;
        exray_recorder_log_tensor(&recorder, &layer);
    }
    scan s = close_log(&recorder);
    assert_int_equal(count_of(&s, "/layer/"), 8);
    assert_int_equal(count_of(&s, "/layers"), 0);
    scan_free(&s);
}

static void filters_and_levels(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, (exray_recorder_config){.layers = "third,#7-9", .every_nth = 2});
    log_model(&recorder);
    for (int frame = 0; frame < 2; frame++) {
        exray_recorder_frame_begin(&recorder, "a");
        for (uint32_t i = 0; i < NODES; i++)
            log_layer(&recorder, i);
    }
    scan s = close_log(&recorder);
    const entries layers = entries_of(&s, "/layers", 0);
    const uint32_t wanted[] = {2, 7, 8, 9}; /* node 2 computes "third" */
    assert_int_equal(layers.nodes, 4);
    assert_memory_equal(layers.node, wanted, sizeof wanted);
    scan_free(&s);
}

/* In 1 KiB about twenty layers fit: then a message is written and another begun. */
static void many_layers_in_little_memory(void **state)
{
    (void)state;
    static uint64_t memory[64 << 10];
    exray_recorder recorder;
    exray_recorder_config config = {.size = sizeof config, .max_channels = NODES, .memory = memory};
    const size_t most = exray_recorder_memory_needed(&config);
    config.max_channels = 8;
    assert_true(exray_recorder_memory_needed(&config) < most);
    config.memory_size = sizeof memory;
    config.max_channels = NODES;
    config.max_chunks = 16;
    open_log(&recorder, config);
    log_model(&recorder);
    exray_recorder_frame_begin(&recorder, "a");
    for (uint32_t i = 0; i < NODES; i++)
        log_layer(&recorder, i);
    assert_int_equal(exray_recorder_dropped(&recorder), 0);
    scan s = close_log(&recorder);
    const entries layers = entries_of(&s, "/layers", 0);
    assert_int_equal(layers.nodes, NODES);
    for (uint32_t i = 0; i < NODES; i++)
        assert_int_equal(layers.node[i], i);
    assert_in_range(count_of(&s, "/layers"), 1, NODES / 10);
    scan_free(&s);
}

int main(void)
{
    for (int i = 0; i < FLOATS; i++)
        values[i] = (float)i / 7 - 3;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message_a_frame),
        cmocka_unit_test(what_differs_is_a_tensor),
        cmocka_unit_test(filters_and_levels),
        cmocka_unit_test(many_layers_in_little_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
