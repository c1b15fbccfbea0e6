/* A sink that does not take everything at once: what does not fit is dropped, counted and told, and the log
 * can be read all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "log/log_file.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { LOG_SIZE = 8 << 20, FRAMES = 8, LAYERS = 4 };

typedef enum manner { REFUSES, TAKES_HALF } manner;

typedef struct sink {
    uint8_t *bytes;
    size_t used;
    int calls, first, last, error; /* the calls first ... last are refused */
    manner how;
} sink;

static int write_sink(void *user, const void *bytes, size_t size)
{
    sink *s = user;
    s->calls++;
    const bool refused = s->calls >= s->first && s->calls <= s->last;
    const size_t part = !refused ? size : s->how == TAKES_HALF ? size / 2 : 0;
    assert_true(part <= LOG_SIZE - s->used);
    memcpy(s->bytes + s->used, bytes, part);
    s->used += part;
    if (!refused)
        return 0;
    return s->how == TAKES_HALF ? EXRAY_WRITE_TOOK(part) : s->error;
}

static size_t layer_size(uint32_t layer)
{
    static const size_t sizes[LAYERS] = {100, 3000, 20000, 90000};
    return sizes[layer];
}

static uint8_t value_of(uint32_t frame, uint32_t layer, size_t at)
{
    return (uint8_t)(at * 7 + frame * 31 + layer);
}

static void record(exray_recorder *recorder)
{
    static uint8_t data[90000];
    for (uint32_t f = 0; f < FRAMES; f++) {
        exray_recorder_frame_begin(recorder, "x");
        for (uint32_t k = 0; k < LAYERS; k++) {
            const int64_t shape[] = {(int64_t)layer_size(k)};
            for (size_t i = 0; i < layer_size(k); i++)
                data[i] = value_of(f, k, i);
            assert_int_equal(
                exray_recorder_log_tensor(
                    recorder, &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                              .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                              .index = k,
                                              .data = data,
                                              .size = layer_size(k)}),
                EXRAY_OK);
        }
        assert_int_equal(exray_recorder_frame_end(recorder), EXRAY_OK);
    }
}

/* Whether the record is read, with the values that were written: none is believed that was not. */
static bool check_layer(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_tensor_view view;
    if (exray_log_read_tensor(log, record, slot, &view, NULL))
        return false;
    assert_int_equal(view.size, layer_size(record->index));
    bool same = true;
    for (size_t i = 0; i < view.size; i++)
        same &= ((const uint8_t *)view.data)[i] == value_of((uint32_t)record->frame, record->index, i);
    assert_true(same);
    return true;
}

/* Everything is either in the log or counted; a gap is told. */
static void check_log(const sink *s, uint64_t dropped, bool may_be_damaged)
{
    exray_error error;
    exray_log *log = xr_log_open_bytes(s->bytes, s->used, "refused", &error);
    exray_slot *slot = exray_slot_new();
    if (!log)
        fail_msg("%s", error.message);
    assert_null(exray_log_truncated(log));
    uint64_t kept = 0, told = 0;
    for (size_t f = 0; f < exray_log_frame_count(log); f++) {
        const exray_record *records = exray_log_records(log, f);
        for (size_t i = 0; i < exray_log_frame(log, f)->record_count; i++)
            kept += records[i].message != EXRAY_MESSAGE_TENSOR || check_layer(log, &records[i], slot);
    }
    for (size_t i = 0; i < exray_log_event_count(log); i++) {
        const exray_event *event = exray_log_event(log, i);
        assert_int_equal(event->kind, EXRAY_EVENT_GAP);
        assert_non_null(strstr(event->text, "cannot write to"));
        told += event->records_lost;
    }
    if (!may_be_damaged)
        assert_int_equal(exray_log_damaged(log), 0);
    assert_int_equal(told, dropped);
    /* One more /system at the end where the count was not told yet. */
    assert_in_range(kept + dropped, FRAMES * (LAYERS + 2), FRAMES * (LAYERS + 2) + 1);
    exray_slot_free(slot);
    exray_log_close(log);
}

static exray_recorder_config config_of(int mode)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FULL;
    config.stream = mode == 0;
    config.chunk_size = mode == 2 ? 64 << 10 : 1 << 20;
    config.max_channels = 64;
    config.max_chunks = 64;
    return config;
}

/* Each of the writes in turn is refused, once or a few times; the log goes on. */
static void refuse_each(int mode, int error, manner how, int times)
{
    const exray_recorder_config config = config_of(mode);
    sink s = {.bytes = malloc(LOG_SIZE), .how = how, .error = error};
    int writes = 1;
    for (s.first = 0; s.first <= writes; s.first++) {
        exray_recorder recorder;
        s.last = s.first ? s.first + times - 1 : 0;
        s.calls = 0;
        s.used = 0;
        const exray_status opened = exray_recorder_open_callback(&recorder, write_sink, &s, &config);
        if (s.first == 1 && how == REFUSES) {
            assert_int_not_equal(opened, EXRAY_OK); /* without its beginning there is no log */
            exray_recorder_close(&recorder);
            continue;
        }
        assert_int_equal(opened, EXRAY_OK);
        record(&recorder);
        const exray_status closed = exray_recorder_close(&recorder);
        if (s.first == 0)
            writes = s.calls;
        if (s.first && s.last >= s.calls && how == REFUSES)
            continue; /* to the very end */
        if (closed)
            fail_msg("write %d: %s", s.first, exray_recorder_error_message(&recorder));
        check_log(&s, exray_recorder_dropped(&recorder), true);
    }
    free(s.bytes);
}

static void one_refusal_costs_what_does_not_fit(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        refuse_each(mode, EAGAIN, REFUSES, 1);
        refuse_each(mode, EIO, REFUSES, 1);
        refuse_each(mode, ENOSPC, REFUSES, 5);
    }
}

static void a_short_write_costs_nothing(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        const exray_recorder_config config = config_of(mode);
        sink s = {.bytes = malloc(LOG_SIZE), .how = TAKES_HALF, .first = 1, .last = 1 << 30};
        /* Every call takes half of what it is given, and one byte is taken by none. */
        exray_recorder recorder;
        s.last = 7;
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
        s.calls = 0;
        record(&recorder);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_int_equal(exray_recorder_dropped(&recorder), 0);
        check_log(&s, 0, false);
        free(s.bytes);
    }
}

/* A disk that is full for some frames, and a reader of the log that comes after. */
static void the_gap_names_its_first_frame(void **state)
{
    (void)state;
    const exray_recorder_config config = config_of(0);
    sink s = {.bytes = malloc(LOG_SIZE), .error = ENOSPC};
    exray_recorder recorder;
    assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
    s.first = 15;
    s.last = 40;
    s.calls = 0;
    record(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    exray_error error;
    exray_log *log = xr_log_open_bytes(s.bytes, s.used, "gap", &error);
    assert_non_null(log);
    assert_int_equal(exray_log_event_count(log), 1);
    const exray_event *event = exray_log_event(log, 0);
    assert_true(event->has_frame && event->frame > 0 && event->frame < FRAMES - 1);
    assert_true(event->records_lost > 1);
    assert_non_null(strstr(event->text, "No space left on device"));
    exray_log_close(log);
    free(s.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_refusal_costs_what_does_not_fit),
        cmocka_unit_test(a_short_write_costs_nothing),
        cmocka_unit_test(the_gap_names_its_first_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
