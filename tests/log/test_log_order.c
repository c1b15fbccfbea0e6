/* Records in any order: frames come back in the order of their numbers, constants apart. */
#include "mcap_bytes.h"

#include "log/log_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { FRAMES = 7, CONSTANTS = 3, LAYERS = 4, WITHOUT_END = 4 };

/* Each frame has LAYERS layers, the last first, and its /frame, but the one of number WITHOUT_END; a constant
 * stands before every other frame.  `interleaved`: layer by layer, not frame by frame. */
static bytes make_log(const uint64_t *order, bool interleaved)
{
    bytes b = {0};
    char topic[32];
    put_header(&b, "exray");
    put_channel(&b, 1, "/frame");
    for (uint16_t i = 0; i < LAYERS; i++) {
        snprintf(topic, sizeof topic, "/layer/%u", i);
        put_channel(&b, (uint16_t)(10 + i), topic);
    }
    for (uint16_t i = 0; i < CONSTANTS; i++) {
        snprintf(topic, sizeof topic, "/constant/%u", i);
        put_channel(&b, (uint16_t)(20 + i), topic);
    }
    for (int n = 0; n < FRAMES * LAYERS; n++) {
        const int at = interleaved ? n % FRAMES : n / LAYERS, layer = interleaved ? n / FRAMES : n % LAYERS;
        const uint64_t f = order[at];
        const float value[1] = {(float)(10 * f) + (float)(LAYERS - 1 - layer)};
        if (layer == 0 && at % 2 == 0 && at / 2 < CONSTANTS)
            put_message(&b, (uint16_t)(20 + CONSTANTS - 1 - at / 2), 1, pb_tensor(0, value, 1));
        put_message(&b, (uint16_t)(10 + LAYERS - 1 - layer), 100 * f + 50, pb_tensor(f, value, 1));
        if (layer == LAYERS - 1 && f != WITHOUT_END)
            put_message(&b, 1, 100 * f + 99, pb_frame(f, 100 * f, 100 * f + 99));
    }
    return b;
}

static void expect_log(const uint64_t *order, bool interleaved)
{
    bytes b = make_log(order, interleaved);
    exray_error error;
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
    exray_slot *slot = exray_slot_new();
    size_t constants;
    assert_non_null(log);
    assert_int_equal(exray_log_frame_count(log), FRAMES);
    for (size_t f = 0; f < FRAMES; f++) {
        const exray_frame *frame = exray_log_frame(log, f);
        const exray_record *records = exray_log_records(log, f);
        const bool whole = f != WITHOUT_END;
        assert_int_equal(frame->index, f);
        assert_int_equal(frame->complete, whole);
        assert_int_equal(frame->begin_ns, whole ? 100 * f : 100 * f + 50);
        assert_int_equal(frame->record_count, LAYERS + whole);
        size_t layers = 0;
        for (size_t i = 0; i < frame->record_count; i++) {
            exray_tensor_view view;
            const float *values;
            assert_int_equal(records[i].frame, f);
            if (records[i].message != EXRAY_MESSAGE_TENSOR)
                continue;
            assert_int_equal(records[i].index, layers);
            assert_int_equal(exray_log_read_values(log, &records[i], slot, &view, &values, &error), EXRAY_OK);
            assert_true(values[0] == (float)(10 * f + layers));
            layers++;
        }
        assert_int_equal(layers, LAYERS);
        assert_ptr_equal(exray_log_find(log, f, EXRAY_KIND_LAYER, 2, 0, NULL), &records[2]);
    }
    const exray_record *records = exray_log_constants(log, &constants);
    assert_int_equal(constants, CONSTANTS);
    for (uint32_t i = 0; i < CONSTANTS; i++)
        assert_int_equal(records[i].index, i);
    assert_int_equal(exray_log_unchecked(log), FRAMES * LAYERS + FRAMES - 1 + CONSTANTS);
    exray_slot_free(slot);
    exray_log_close(log);
    free(b.data);
}

static void test_any_order(void **state)
{
    (void)state;
    static const uint64_t orders[][FRAMES] = {
        {0, 1, 2, 3, 4, 5, 6}, {6, 5, 4, 3, 2, 1, 0}, {3, 0, 6, 1, 5, 2, 4}, {0, 1, 2, 4, 3, 5, 6}};
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
        expect_log(orders[i], false);
        expect_log(orders[i], true);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_any_order)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
