/* /event: as it is written, and as the log reader has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "log/log_file.h"
#include <string.h>

enum { LOG_SIZE = 1 << 20 };

static uint8_t log_bytes[LOG_SIZE];

static exray_log *read_log(exray_recorder *recorder)
{
    exray_error error;
    assert_int_equal(exray_recorder_close(recorder), EXRAY_OK);
    exray_log *log =
        xr_log_open_bytes(log_bytes, (size_t)exray_recorder_bytes_written(recorder), "events", &error);
    if (!log)
        fail_msg("%s", error.message);
    assert_null(exray_log_unknown(log));
    return log;
}

static void open_log(exray_recorder *recorder, bool stream, exray_capture capture)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.stream = stream;
    config.capture = capture;
    assert_int_equal(exray_recorder_open_memory(recorder, log_bytes, LOG_SIZE, &config), EXRAY_OK);
}

static void check_event(const exray_event *event, exray_event_kind kind, const char *text, int64_t frame)
{
    assert_non_null(event);
    assert_int_equal(event->kind, kind);
    assert_string_equal(event->kind_name, exray_event_kind_name(kind));
    assert_string_equal(event->text, text);
    assert_int_equal(event->has_frame, frame >= 0);
    if (frame >= 0)
        assert_int_equal(event->frame, frame);
    assert_false(event->has_records_lost);
}

static void an_event_is_read_as_it_was_written(void **state)
{
    (void)state;
    for (int stream = 0; stream < 2; stream++) {
        exray_recorder recorder;
        open_log(&recorder, stream, EXRAY_CAPTURE_FRAME);
        assert_int_equal(exray_recorder_event(&recorder, EXRAY_EVENT_USER, "camera found"), EXRAY_OK);
        exray_recorder_frame_begin(&recorder, "a");
        exray_recorder_event(&recorder, EXRAY_EVENT_USER, "two\nlines\tare one");
        exray_recorder_frame_end(&recorder);
        exray_recorder_event(&recorder, EXRAY_EVENT_RESET, NULL);
        exray_recorder_frame_begin(&recorder, "b");
        exray_log *log = read_log(&recorder);
        assert_int_equal(exray_log_event_count(log), 3);
        check_event(exray_log_event(log, 0), EXRAY_EVENT_USER, "camera found", -1);
        check_event(exray_log_event(log, 1), EXRAY_EVENT_USER, "two lines are one", 0);
        check_event(exray_log_event(log, 2), EXRAY_EVENT_RESET, "", 1);
        assert_null(exray_log_event(log, 3));
        assert_true(exray_log_event(log, 1)->log_time >= exray_log_frame(log, 0)->begin_ns);
        assert_int_equal(exray_log_frame_count(log), 2);
        exray_log_close(log);
    }
}

static void a_long_text_ends_with_a_whole_character(void **state)
{
    (void)state;
    char text[600] = "";
    for (int i = 0; i < 199; i++)
        strcat(text, "\xC3\xBC"); /* 398 bytes */
    strcat(text, "-\xC3\xBC and more");
    exray_recorder recorder;
    open_log(&recorder, true, EXRAY_CAPTURE_FRAME);
    exray_recorder_event(&recorder, EXRAY_EVENT_USER, text);
    exray_log *log = read_log(&recorder);
    assert_int_equal(strlen(exray_log_event(log, 0)->text), 399);
    assert_memory_equal(exray_log_event(log, 0)->text, text, 399);
    exray_log_close(log);
}

static void only_two_kinds_are_the_applications(void **state)
{
    (void)state;
    for (int kind = -1; kind <= EXRAY_EVENT_OTHER; kind++) {
        exray_recorder recorder;
        open_log(&recorder, true, EXRAY_CAPTURE_FRAME);
        const bool fine = kind == EXRAY_EVENT_USER || kind == EXRAY_EVENT_RESET;
        assert_int_equal(exray_recorder_event(&recorder, (exray_event_kind)kind, "x"),
                         fine ? EXRAY_OK : EXRAY_E_ARGUMENT);
        exray_recorder_close(&recorder);
    }
    assert_string_equal(exray_event_kind_name(EXRAY_EVENT_OTHER), "other");
    assert_string_equal(exray_event_kind_name((exray_event_kind)1000), "other");
}

static void a_log_of_nothing_has_no_events(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, true, EXRAY_CAPTURE_OFF);
    assert_int_equal(exray_recorder_event(&recorder, EXRAY_EVENT_USER, "x"), EXRAY_OK);
    exray_log *log = read_log(&recorder);
    assert_int_equal(exray_log_event_count(log), 0);
    exray_log_close(log);
    assert_int_equal(exray_recorder_event(&recorder, EXRAY_EVENT_USER, "x"), EXRAY_E_STATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_read_as_it_was_written),
        cmocka_unit_test(a_long_text_ends_with_a_whole_character),
        cmocka_unit_test(only_two_kinds_are_the_applications),
        cmocka_unit_test(a_log_of_nothing_has_no_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
