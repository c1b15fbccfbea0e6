/* What the index keeps of messages, and the records that are made of it: the same ones, in little memory. */
#include "mcap_bytes.h"

#include "log/log_file.h"
#include <exray/recorder.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_same(const exray_record *a, const exray_record *b)
{
    assert_int_equal(a->message, b->message);
    assert_int_equal(a->kind, b->kind);
    assert_int_equal(a->index, b->index);
    assert_int_equal(a->output, b->output);
    assert_int_equal(a->occurrence, b->occurrence);
    assert_int_equal(a->has_data, b->has_data);
    assert_int_equal(a->has_sketch, b->has_sketch);
    assert_true(a->log_time == b->log_time && a->frame == b->frame);
    assert_true(a->position == b->position && a->size == b->size && a->chunk == b->chunk);
    assert_string_equal(a->topic, b->topic);
    assert_string_equal(a->name, b->name);
}

/* Every field at its limits comes back. */
static void test_records_come_back(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0,         1, UINT32_MAX - 1, UINT32_MAX, (uint64_t)UINT32_MAX + 1,
                                       UINT64_MAX};
    enum { NUMBERS = sizeof numbers / sizeof *numbers };
    static const uint32_t occurrences[] = {0, 1, 510, 511, 512, UINT32_MAX};
    enum { OCCURRENCES = sizeof occurrences / sizeof *occurrences, MOST = NUMBERS * OCCURRENCES * 4 };
    static exray_record given[MOST];
    uint32_t forms[2] = {0, 0};
    xr_entries entries = {.most = MOST};
    size_t count = 0;
    for (int flags = 0; flags < 4; flags++)
        for (int n = 0; n < NUMBERS; n++)
            for (int o = 0; o < OCCURRENCES; o++) {
                const int form = (n + o) % 2;
                given[count] = (exray_record){.message = form ? EXRAY_MESSAGE_TENSOR : EXRAY_MESSAGE_LATENCY,
                                              .kind = form ? EXRAY_KIND_INPUT : EXRAY_KIND_COUNT,
                                              .index = EXRAY_NO_INDEX,
                                              .output = form ? 7 : 0,
                                              .occurrence = occurrences[o],
                                              .has_data = flags & 1,
                                              .has_sketch = flags & 2,
                                              .log_time = numbers[n],
                                              .frame = numbers[(n + o) % NUMBERS],
                                              .topic = form ? "/input/x" : "/latency",
                                              .name = form ? "x" : "",
                                              .position = numbers[(n + 1) % NUMBERS],
                                              .size = numbers[(n + 2) % NUMBERS],
                                              .chunk = n % 2 ? EXRAY_NO_INDEX : (uint32_t)n};
                assert_true(xr_entries_add(&entries, &given[count++], &forms[form]));
            }
    assert_int_equal(entries.count, MOST);
    assert_int_equal(entries.form_count, 2);
    for (size_t i = 0; i < MOST; i++) {
        exray_record back;
        assert_int_equal(xr_entry_count(&entries, &entries.entry[i]), 1);
        assert_int_equal(xr_entry_records(&entries, &entries.entry[i], &back), 1);
        assert_true(xr_entry_frame(&entries, &entries.entry[i]) == given[i].frame);
        assert_same(&back, &given[i]);
    }
    const exray_record one = given[0];
    assert_false(xr_entries_add(&entries, &one, &forms[0])); /* as many as may be */
    xr_entries_free(&entries);
}

/* Statistics of one message, of sizes that need one to three bytes as a length. */
static void test_gathered_come_back(void **state)
{
    (void)state;
    static const uint32_t index[] = {3, 1, 8}, sizes[] = {127, 128, 20000};
    static const char *const topics[] = {"/layer/3", "/layer/1", "/layer/8"};
    const xr_gathering gathering = {.kind = EXRAY_KIND_LAYER, .count = 3, .index = index, .topic = topics};
    xr_entries entries = {.most = 7};
    assert_int_equal(xr_entries_find_gathering(&entries, &gathering, 0), EXRAY_NO_INDEX);
    const uint32_t number = xr_entries_add_gathering(&entries, &gathering);
    assert_int_equal(xr_entries_find_gathering(&entries, &gathering, 5), number);
    const exray_record first = {.log_time = 5, .frame = 6, .position = 1000, .chunk = 2};
    const xr_entries_mark mark = xr_entries_at(&entries);
    assert_true(xr_entries_can_gather(&entries, &first));
    assert_true(xr_entries_add_gathered(&entries, number, &first, sizes));
    xr_entries_back(&entries, mark);
    assert_true(xr_entries_add_gathered(&entries, number, &first, sizes));
    assert_true(xr_entries_add_gathered(&entries, number, &first, sizes));
    assert_false(xr_entries_add_gathered(&entries, number, &first, sizes));
    for (int i = 0; i < 2; i++) {
        exray_record record[3];
        assert_int_equal(xr_entry_records(&entries, &entries.entry[i], record), 3);
        const uint64_t position[] = {1000, 1000 + 127 + 3, 1000 + 127 + 3 + 128 + 4};
        for (int k = 0; k < 3; k++)
            assert_same(&record[k], &(exray_record){.kind = EXRAY_KIND_LAYER,
                                                    .index = index[k],
                                                    .log_time = 5,
                                                    .frame = 6,
                                                    .topic = topics[k],
                                                    .name = "",
                                                    .position = position[k] | XR_RECORD_GATHERED,
                                                    .size = sizes[k],
                                                    .chunk = 2});
    }
    xr_entries_free(&entries);
}

/* A record with or without data, of the frame 1. */
static bytes record_of(bool data)
{
    static const float value[] = {1, 2};
    bytes b = {0};
    if (data)
        return pb_tensor(1, value, 2);
    pb_number(&b, 1, 1);
    return b;
}

/* How many records a frame has, where a topic has these, each with data ('d') or without ('-'). */
static size_t count_of(const char *topic, const char *records)
{
    bytes b = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, topic);
    for (; *records; records++)
        put_message(&b, 1, 1, record_of(*records == 'd'));
    exray_error error;
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
    assert_non_null(log);
    const size_t count = exray_log_frame(log, 0)->record_count;
    assert_int_equal(exray_log_damaged(log), 0);
    exray_log_close(log);
    free(b.data);
    return count;
}

/* A flight recorder's statistics and data are one record; a picture without data among others is one, too. */
static void test_several_pictures(void **state)
{
    (void)state;
    assert_int_equal(count_of("/sensor/camera", "dd"), 2);
    assert_int_equal(count_of("/sensor/camera", "-d"), 1);
    assert_int_equal(count_of("/sensor/camera", "d-"), 2);
    assert_int_equal(count_of("/sensor/camera", "dd--"), 4);
    assert_int_equal(count_of("/sensor/camera", "--"), 2);
    assert_int_equal(count_of("/layer/3", "-d"), 1);
    assert_int_equal(count_of("/layer/3", "d-"), 1);
}

/* ---- A recorded log ------------------------------------------------------------- */

static int keep(void *user, const void *data, size_t size)
{
    put(user, data, size);
    return 0;
}

enum { LAYERS = 20, WIDTH = 8 };

static bytes record(size_t frames, exray_capture capture)
{
    static exray_recorder recorder;
    static const int64_t shape[] = {1, WIDTH};
    exray_tensor_info tensor[LAYERS + 1];
    exray_node node[LAYERS];
    uint32_t number[LAYERS + 1];
    uint64_t times[LAYERS];
    for (uint32_t i = 0; i <= LAYERS; i++) {
        number[i] = i;
        tensor[i] = (exray_tensor_info){.name = "t", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape};
    }
    for (uint32_t i = 0; i < LAYERS; i++)
        node[i] = (exray_node){.op = "RELU",
                               .name = "relu",
                               .inputs = &number[i],
                               .input_count = 1,
                               .outputs = &number[i + 1],
                               .output_count = 1};
    const exray_model model = {.name = "m",
                               .engine = "none",
                               .tensors = tensor,
                               .tensor_count = LAYERS + 1,
                               .nodes = node,
                               .node_count = LAYERS};
    bytes b = {0};
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = capture;
    config.stream = true;
    assert_int_equal(exray_recorder_open_callback(&recorder, keep, &b, &config), EXRAY_OK);
    exray_recorder_log_model(&recorder, &model);
    for (size_t f = 0; f < frames; f++) {
        float value[WIDTH] = {(float)f, 1, 2};
        exray_recorder_frame_begin(&recorder, "camera");
        for (uint32_t i = 0; i < LAYERS; i++) {
            const exray_tensor layer = {.kind = EXRAY_KIND_LAYER,
                                        .index = i,
                                        .in_model = true,
                                        .model_tensor = i + 1,
                                        .info = tensor[i + 1],
                                        .data = value,
                                        .size = sizeof value};
            exray_recorder_log_tensor(&recorder, &layer);
            times[i] = i;
        }
        exray_recorder_log_latency(&recorder, number, times, times, LAYERS);
        exray_recorder_frame_end(&recorder);
    }
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    return b;
}

/* Bytes of a record's share of the index. */
static double share(size_t frames, exray_capture capture)
{
    bytes b = record(frames, capture);
    exray_error error;
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
    assert_non_null(log);
    size_t records = 0;
    for (size_t f = 0; f < frames; f++)
        records += exray_log_frame(log, f)->record_count;
    const xr_entries *e = &log->entries;
    const size_t all = e->count * sizeof *e->entry + e->sizes_count + e->wide_count * sizeof *e->wide +
                       frames * sizeof *log->frames + log->arena.total;
    exray_log_close(log);
    free(b.data);
    return (double)all / (double)records;
}

static void test_little_memory(void **state)
{
    (void)state;
    enum { FRAMES = 3000 };
    /* /frame and /latency: two entries and a frame, and its source. */
    assert_true(share(FRAMES, EXRAY_CAPTURE_FRAME) < (2 * 32 + 88 + 24) / 2.0);
    /* The same and 20 layers in a message. */
    assert_true(share(FRAMES, EXRAY_CAPTURE_STATS) < (3 * 32 + 88 + 24 + LAYERS * 2) / 22.0);
}

/* In a slot, frames in any order; the other ones stay as they are. */
static void test_records_in_slots(void **state)
{
    (void)state;
    enum { FRAMES = 5 };
    static const exray_capture captures[] = {EXRAY_CAPTURE_FRAME, EXRAY_CAPTURE_STATS, EXRAY_CAPTURE_FULL};
    for (size_t k = 0; k < sizeof captures / sizeof *captures; k++) {
        bytes b = record(FRAMES, captures[k]);
        exray_error error;
        exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
        exray_log *other = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
        exray_slot *slot = exray_slot_new();
        for (size_t n = 0; n < 3 * FRAMES; n++) {
            const size_t f = n * 3 % FRAMES;
            const exray_log *of = n % 4 == 1 ? other : log;
            size_t count, again;
            const exray_record *kept = exray_log_records(of, f);
            const exray_record *in = exray_log_records_in(of, f, slot, &count);
            assert_int_equal(count, exray_log_frame(of, f)->record_count);
            assert_ptr_equal(in, exray_log_records_in(of, f, slot, &again));
            assert_int_equal(count, again);
            for (size_t i = 0; i < count; i++) {
                exray_tensor_view view;
                assert_same(&in[i], &kept[i]);
                assert_int_equal(in[i].frame, f);
                if (in[i].message == EXRAY_MESSAGE_TENSOR)
                    assert_int_equal(exray_log_read_tensor(of, &in[i], slot, &view, &error), EXRAY_OK);
            }
            assert_ptr_equal(kept, exray_log_records(of, f));
        }
        exray_slot_free(slot);
        exray_log_close(other);
        exray_log_close(log);
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records_come_back), cmocka_unit_test(test_gathered_come_back),
        cmocka_unit_test(test_several_pictures),  cmocka_unit_test(test_little_memory),
        cmocka_unit_test(test_records_in_slots),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
