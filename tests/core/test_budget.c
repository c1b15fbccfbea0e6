/* What a log of so many bytes has of a run of any length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/scan.h"
#include <exray/exray.h>

enum { NODES = 31, INPUT = 96 * 96 * 3 };

typedef struct target {
    uint8_t bytes[8 << 20];
    size_t used;
} target;
static target it;

static int write_target(void *user, const void *data, size_t size)
{
    target *t = user;
    assert_true(t->used + size <= sizeof t->bytes);
    memcpy(t->bytes + t->used, data, size);
    t->used += size;
    return 0;
}

static void log_tensor(exray_recorder *r, exray_kind kind, uint32_t index, const void *data, int64_t size)
{
    const exray_tensor tensor = {.kind = kind,
                                 .index = index,
                                 .info = {.name = "t", .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = &size},
                                 .data = data,
                                 .size = (size_t)size};
    exray_recorder_log_tensor(r, &tensor);
}

/* A picture classifier's frame: input, layers, output, a time for each layer. */
static void record_frame(exray_recorder *r)
{
    static uint8_t values[INPUT];
    static uint32_t nodes[NODES];
    static uint64_t starts[NODES], times[NODES];
    for (uint32_t i = 0; i < NODES; i++) {
        nodes[i] = i;
        starts[i] = 100000 * i;
        times[i] = 90000 + i;
    }
    exray_recorder_frame_begin(r, "front camera");
    log_tensor(r, EXRAY_KIND_SENSOR, 0, values, INPUT);
    log_tensor(r, EXRAY_KIND_INPUT, 0, values, INPUT);
    for (uint32_t i = 0; i < NODES; i++)
        if (exray_recorder_wants(r, EXRAY_KIND_LAYER, i, NULL))
            log_tensor(r, EXRAY_KIND_LAYER, i, values, 2000);
    log_tensor(r, EXRAY_KIND_OUTPUT, 0, values, 1000);
    exray_recorder_log_latency(r, nodes, starts, times, NODES);
    exray_recorder_frame_end(r);
}

static scan record(int frames, uint64_t budget, exray_capture capture, bool stream)
{
    exray_recorder recorder;
    it.used = 0;
    const exray_recorder_config config = {
        .size = sizeof config, .capture = capture, .byte_budget = budget, .stream = stream};
    assert_int_equal(exray_recorder_open_callback(&recorder, write_target, &it, &config), EXRAY_OK);
    for (int i = 0; i < frames; i++)
        record_frame(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    assert_in_range(it.used, budget / 10, budget);
    scan s = scan_log(it.bytes, it.used);
    const scan_message *system = scan_find(&s, "/system", scan_count(&s, "/system") - 1);
    assert_int_equal(scan_value(system, 7), exray_recorder_dropped(&recorder));
    return s;
}

static size_t with_data(const scan *s, const char *topic)
{
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += strncmp(s->messages[i].topic, topic, strlen(topic)) == 0 && scan_has(&s->messages[i], 3);
    return count;
}

static void test_all_frames_fit(void **state)
{
    (void)state;
    static const struct {
        int frames;
        uint64_t budget;
    } runs[] = {{600, 1500000}, {2000, 5000000}};
    static const exray_capture captures[] = {EXRAY_CAPTURE_FRAME, EXRAY_CAPTURE_IO, EXRAY_CAPTURE_STATS,
                                             EXRAY_CAPTURE_FULL};
    for (size_t i = 0; i < 16; i++) {
        const int frames = runs[i % 2].frames;
        const exray_capture capture = captures[i / 4];
        scan s = record(frames, runs[i % 2].budget, capture, i / 2 % 2);
        assert_int_equal(scan_count(&s, "/frame"), frames);
        assert_int_equal(scan_count(&s, "/latency"), frames);
        assert_in_range(scan_count(&s, "/system"), frames, frames + 1);
        if (capture > EXRAY_CAPTURE_FRAME) {
            /* Inputs and sensors first with their data, then with statistics, then none. */
            const size_t inputs = scan_count(&s, "/input/"), data = with_data(&s, "/input/");
            assert_true(data >= 1 && data < inputs && inputs <= (size_t)frames);
            assert_true(scan_has(scan_find(&s, "/input/t", 0), 3));
            assert_true(scan_has(scan_find(&s, "/input/t", data), 4));
            assert_true(with_data(&s, "/sensor/") <= data + 1);
            assert_in_range(scan_count(&s, "/event"), 1, 2);
        }
        scan_free(&s);
    }
}

/* However long it is, the end is there: frames become rare. */
static void test_the_end_of_a_long_run(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++)
        for (int frames = 3000; frames <= 30000; frames *= 10) {
            scan s = record(frames, 400000, EXRAY_CAPTURE_STATS, stream);
            const size_t kept = scan_count(&s, "/frame");
            assert_in_range(kept, 300, frames - 1);
            assert_int_equal(scan_count(&s, "/latency"), kept);
            const int last = (int)scan_value(scan_find(&s, "/frame", kept - 1), 1);
            const int before = (int)scan_value(scan_find(&s, "/frame", kept - 2), 1);
            assert_true(frames - last <= 2 * (last - before));
            /* As it began: all, then every 2nd, 4th, ... */
            int step = 1, index = -1;
            for (size_t i = 0; i < kept; i++) {
                const int next = (int)scan_value(scan_find(&s, "/frame", i), 1);
                while (next - index > step)
                    step *= 2;
                assert_int_equal(next % step, 0);
                index = next;
            }
            assert_true(step > 1);
            assert_true(scan_count(&s, "/event") >= 4);
            scan_free(&s);
        }
}

/* Constants must not take all that there is for the data of frames, nor one tensor that never fits. */
static void test_constants_and_giants(void **state)
{
    (void)state;
    static uint8_t values[1 << 20];
    exray_recorder recorder;
    it.used = 0;
    const exray_recorder_config config = {
        .size = sizeof config, .capture = EXRAY_CAPTURE_FULL, .byte_budget = 1000000};
    assert_int_equal(exray_recorder_open_callback(&recorder, write_target, &it, &config), EXRAY_OK);
    for (uint32_t i = 0; i < 50; i++)
        log_tensor(&recorder, EXRAY_KIND_CONSTANT, i, values, 20000);
    for (int i = 0; i < 4; i++) {
        exray_recorder_frame_begin(&recorder, "x");
        log_tensor(&recorder, EXRAY_KIND_LAYER, 7, values, sizeof values);
        log_tensor(&recorder, EXRAY_KIND_INPUT, 0, values, 10000);
    }
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    scan s = scan_log(it.bytes, it.used);
    assert_in_range(with_data(&s, "/constant/"), 3, 8);
    assert_int_equal(scan_count(&s, "/constant/"), 50);
    assert_int_equal(scan_count(&s, "/layer/"), 4);
    assert_int_equal(with_data(&s, "/layer/"), 0);
    assert_int_equal(with_data(&s, "/input/"), 4);
    scan_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_frames_fit),
        cmocka_unit_test(test_the_end_of_a_long_run),
        cmocka_unit_test(test_constants_and_giants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
