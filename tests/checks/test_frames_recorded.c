/* Logs that the recorder wrote and that lack frames: what they say of them, and whether it explains the lack.
 */
#define _POSIX_C_SOURCE 200809L
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "checks/covered.h"
#include "checks/frame_coverage.h"
#include "compare/compare.h"
#include "log/log_file.h"
#include <errno.h>
#include <exray/flight.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FRAMES = 400, ROOM = 4 << 20, VALUES = 64 };

typedef struct sink {
    uint8_t *bytes;
    size_t used;
    bool busy;
} sink;

static sink edge_sink, reference_sink;

static int set_up(void **state)
{
    (void)state;
    edge_sink.bytes = malloc(ROOM);
    reference_sink.bytes = malloc(ROOM);
    return edge_sink.bytes && reference_sink.bytes ? 0 : 1;
}

static int tear_down(void **state)
{
    (void)state;
    free(edge_sink.bytes);
    free(reference_sink.bytes);
    return 0;
}

static int take(void *user, const void *bytes, size_t size)
{
    sink *s = user;
    if (s->busy)
        return EAGAIN;
    assert_true(size <= ROOM - s->used);
    memcpy(s->bytes + s->used, bytes, size);
    s->used += size;
    return 0;
}

static void log_tensor(exray_recorder *r, exray_kind kind, uint64_t frame)
{
    static const int64_t shape[] = {1, VALUES};
    float values[VALUES];
    for (int i = 0; i < VALUES; i++)
        values[i] = (float)(frame * 7 + (uint64_t)i) * (kind == EXRAY_KIND_INPUT ? 0.5f : 1.0f);
    exray_recorder_log_tensor(r, &(exray_tensor){.kind = kind,
                                                 .index = EXRAY_NO_INDEX,
                                                 .info = {.name = kind == EXRAY_KIND_INPUT ? "x" : "y",
                                                          .dtype = EXRAY_DTYPE_FLOAT32,
                                                          .rank = 2,
                                                          .shape = shape},
                                                 .data = values,
                                                 .size = sizeof values});
}

static void record_frame(exray_recorder *r, uint64_t frame)
{
    assert_int_equal(exray_recorder_frame_begin_at(r, frame, NULL), EXRAY_OK);
    log_tensor(r, EXRAY_KIND_INPUT, frame);
    log_tensor(r, EXRAY_KIND_OUTPUT, frame);
    exray_recorder_frame_end(r);
}

static void open_on(exray_recorder *r, sink *s, const exray_recorder_config *config)
{
    s->used = 0;
    s->busy = false;
    assert_int_equal(exray_recorder_open_callback(r, take, s, config), EXRAY_OK);
}

static exray_log *read_bytes(const uint8_t *bytes, size_t size)
{
    exray_error error;
    exray_log *log = xr_log_open_bytes(bytes, size, "log", &error);
    if (!log)
        fail_msg("%s", error.message);
    return log;
}

/* Frames first, first + step, ... of the reference, with all they have. */
static exray_log *reference_of(uint64_t first, uint64_t step, uint64_t end)
{
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.role = EXRAY_ROLE_REFERENCE;
    open_on(&r, &reference_sink, &config);
    for (uint64_t f = first; f < end; f += step)
        record_frame(&r, f);
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    return read_bytes(reference_sink.bytes, reference_sink.used);
}

static exray_log *edge_log(exray_recorder *r)
{
    exray_recorder_close(r);
    return read_bytes(edge_sink.bytes, edge_sink.used);
}

/* Closes both logs.  `covers` and `why` are parts of what is said; NULL: nothing is. */
static void check(exray_log *edge, exray_log *reference, bool explained, const char *covers, const char *why)
{
    exray_error error;
    char words[800];
    xr_frame_coverage coverage;
    exray_comparison *c = xr_compare(edge, reference, NULL, &error);
    assert_non_null(c);
    xr_frame_coverage_get(c, &coverage);
    xr_covered_words(edge, words, sizeof words);
    if (explained != (coverage.share >= 0.99))
        fail_msg("share %g of %zu frames, %zu matched, %zu explained: %s", coverage.share, coverage.frames,
                 coverage.matched, coverage.explained, coverage.why);
    if (covers ? !strstr(words, covers) : *words != 0)
        fail_msg("'%s' is not in '%s'", covers ? covers : "", words);
    if (why ? !strstr(coverage.why, why) : *coverage.why != 0)
        fail_msg("'%s' is not in '%s'", why ? why : "", coverage.why);
    xr_comparison_free(c);
    exray_log_close(edge);
    exray_log_close(reference);
}

static void test_a_whole_log_says_nothing(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < 5; f++)
        record_frame(&r, f);
    exray_recorder_event(&r, EXRAY_EVENT_USER, "the lamp is on");
    check(edge_log(&r), reference_of(0, 1, 5), true, NULL, NULL);
}

static void test_a_log_that_ends_early_explains_nothing(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < 5; f++)
        record_frame(&r, f);
    check(edge_log(&r), reference_of(0, 1, 50), false, NULL, NULL);
}

/* Inputs become statistics, then frames are thinned: the replay has the frames with data. */
static void test_a_budget(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.byte_budget = 60000;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++)
        record_frame(&r, f);
    exray_log *edge = edge_log(&r);
    const exray_record *record;
    uint64_t rich = 0;
    while (rich < exray_log_frame_count(edge) &&
           (record = exray_log_find(edge, rich, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, "x")) &&
           record->has_data)
        rich++;
    assert_in_range(rich, 3, FRAMES / 2);
    check(edge, reference_of(0, 1, rich), true, "the budget of 60000 bytes", "inputs of ");
}

static void test_a_budget_that_thins(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.byte_budget = 60000;
    config.capture = EXRAY_CAPTURE_FRAME;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++)
        record_frame(&r, f);
    check(edge_log(&r), reference_of(0, 1, FRAMES), true, "more ranges of 400", "the budget of 60000 bytes");
}

static void test_every_nth_frame_and_the_first(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.every_nth = 10;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++)
        record_frame(&r, f);
    exray_log *edge = edge_log(&r);
    assert_string_equal(exray_log_metadata(edge, "every_nth"), "10");
    assert_null(exray_log_metadata(edge, "first_frames"));
    check(edge, reference_of(0, 10, FRAMES), true, NULL, "without the tensors of 360 frames (every_nth)");
    config.every_nth = 0;
    config.first_frames = 20;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++)
        record_frame(&r, f);
    edge = edge_log(&r);
    assert_string_equal(exray_log_metadata(edge, "first_frames"), "20");
    check(edge, reference_of(0, 1, 20), true, NULL, "(first_frames)");
    /* Fewer than were recorded with their tensors. */
    check(read_bytes(edge_sink.bytes, edge_sink.used), reference_of(0, 1, 10), false, NULL, "first_frames");
}

static void test_the_level_is_set_to_off(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++) {
        if (f == 12)
            assert_int_equal(exray_recorder_set_capture(&r, EXRAY_CAPTURE_OFF), EXRAY_OK);
        record_frame(&r, f);
    }
    check(edge_log(&r), reference_of(0, 1, FRAMES), true, "frames 0-11 of 13; capture off, before stats",
          "ends where its capture level was set to off");
}

static void test_the_level_falls_for_a_while(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++) {
        if (f == 12 || f == FRAMES - 2)
            exray_recorder_set_capture(&r, f == 12 ? EXRAY_CAPTURE_FRAME : EXRAY_CAPTURE_IO);
        record_frame(&r, f);
    }
    check(edge_log(&r), reference_of(0, 1, 12), false,
          "2 changes of the level, the last: capture io, before frame", "no inputs of 386 frames");
    exray_log *edge = read_bytes(edge_sink.bytes, edge_sink.used);
    exray_recorder ref;
    config.role = EXRAY_ROLE_REFERENCE;
    open_on(&ref, &reference_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++)
        if (f < 12 || f >= FRAMES - 2)
            record_frame(&ref, f);
    exray_recorder_close(&ref);
    check(edge, read_bytes(reference_sink.bytes, reference_sink.used), true, "changes of the level",
          "no inputs of 386 frames");
}

/* A sink that takes nothing for a while. */
static void test_a_gap(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.stream = true;
    config.policy = EXRAY_POLICY_DROP;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < FRAMES; f++) {
        edge_sink.busy = f >= 47 && f < FRAMES - 1;
        record_frame(&r, f);
    }
    edge_sink.busy = false;
    exray_log *edge = edge_log(&r);
    xr_told told;
    xr_told_by(edge, &told);
    assert_int_equal(told.gaps, 1);
    assert_true(told.gap_records > 300);
    check(edge, reference_of(0, 1, FRAMES), true, "; 1 gap, ", ": ");
}

/* A call that is refused costs a record, and no frame. */
static void test_an_error(void **state)
{
    (void)state;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    open_on(&r, &edge_sink, &config);
    for (uint64_t f = 0; f < 8; f++) {
        static const int64_t shape[] = {1, VALUES};
        exray_recorder_frame_begin_at(&r, f, NULL);
        if (f == 5)
            exray_recorder_log_tensor(
                &r, &(exray_tensor){
                        .kind = EXRAY_KIND_INPUT,
                        .info = {.name = "x", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = shape},
                        .data = "short",
                        .size = 5});
        else
            log_tensor(&r, EXRAY_KIND_INPUT, f);
        log_tensor(&r, EXRAY_KIND_OUTPUT, f);
        exray_recorder_frame_end(&r);
    }
    check(edge_log(&r), reference_of(0, 1, 8), true, "frames 0-7; 1 error, 1 record lost: ", NULL);
}

static void test_a_file_of_several(void **state)
{
    (void)state;
    char folder[512], path[600];
    exray_error error;
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.max_files = 5;
    config.file_bytes = 1 << 20;
    snprintf(folder, sizeof folder, "%s/recorded.XXXXXX", EXRAY_TEST_DIR);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/e.mcap", folder);
    assert_int_equal(exray_recorder_open_file(&r, path, &config), EXRAY_OK);
    for (uint64_t f = 0; f < 30; f++) {
        if (f == 10 || f == 20)
            assert_int_equal(exray_recorder_next_file(&r), EXRAY_OK);
        record_frame(&r, f);
    }
    assert_int_equal(exray_recorder_close(&r), EXRAY_OK);
    static const char *const covers[] = {
        "frames 0-9; file 1 of the recording, which goes on in the next",
        "frames 10-19 of 20; file 2 of the recording, which goes on in the next",
        "frames 20-29 of 30; file 3 of the recording",
    };
    static const char *const why[] = {"is one file of several", "is one file of several", "pass over 20"};
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/e-%04d.mcap", folder, i + 1);
        exray_log *edge = exray_log_open(path, &error);
        if (!edge)
            fail_msg("%s", error.message);
        check(edge, reference_of(0, 1, 30), true, covers[i], why[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(folder), 0);
}

static void test_the_frames_of_triggers(void **state)
{
    (void)state;
    static uint8_t ring[1 << 20];
    exray_recorder r;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    exray_flight_config flight = EXRAY_FLIGHT_CONFIG_INIT;
    flight.memory = ring;
    flight.memory_size = sizeof ring;
    config.flight = &flight;
    for (int off = 0; off < 2; off++) {
        config.capture = off ? EXRAY_CAPTURE_OFF : EXRAY_CAPTURE_FRAME;
        open_on(&r, &edge_sink, &config);
        for (uint64_t f = 0; f < FRAMES; f++) {
            record_frame(&r, f);
            if (f == 50)
                assert_int_equal(exray_recorder_trigger(&r, 5, 3, "a bump"), EXRAY_OK);
        }
        exray_log *edge = edge_log(&r);
        if (off)
            check(edge, reference_of(0, 1, FRAMES), true, "frames 46-53 of ",
                  "the frames that a trigger asked for");
        else
            check(edge, reference_of(46, 1, 54), true, NULL,
                  "had no reason to write the inputs of 392 frames");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_whole_log_says_nothing),
        cmocka_unit_test(test_a_log_that_ends_early_explains_nothing),
        cmocka_unit_test(test_a_budget),
        cmocka_unit_test(test_a_budget_that_thins),
        cmocka_unit_test(test_every_nth_frame_and_the_first),
        cmocka_unit_test(test_the_level_is_set_to_off),
        cmocka_unit_test(test_the_level_falls_for_a_while),
        cmocka_unit_test(test_a_gap),
        cmocka_unit_test(test_an_error),
        cmocka_unit_test(test_a_file_of_several),
        cmocka_unit_test(test_the_frames_of_triggers),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
