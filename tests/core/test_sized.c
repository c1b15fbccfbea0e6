/* Structs that grow, and programs that were compiled with other headers than the library's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <exray/exray.h>

enum { LOG_SIZE = 512 << 10 };
static uint8_t log_bytes[LOG_SIZE];

static void expect_refused(const exray_recorder_config *config, const char *said)
{
    exray_recorder recorder;
    assert_int_equal(exray_recorder_memory_needed(config), 0);
    assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, config), EXRAY_E_ARGUMENT);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), said));
    assert_non_null(strstr(exray_recorder_error_message(&recorder), ": config: "));
    assert_null(strchr(exray_recorder_error_message(&recorder), '\n'));
    assert_int_equal(exray_recorder_frame_begin(&recorder, NULL), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
}

static void test_a_size_that_was_never_set(void **state)
{
    (void)state;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.size = 0;
    expect_refused(&config, "its size was never set");
    config.size = 3;
    expect_refused(&config, "its size was never set");
    memset(&config, 0xA5, sizeof config);
    expect_refused(&config, "its size was never set");
}

/* A program that was compiled with a header that had fewer fields: they are at their defaults. */
static void test_an_older_header(void **state)
{
    (void)state;
    exray_recorder recorder;
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FULL;
    config.size = offsetof(exray_recorder_config, no_io_data);
    memset((char *)&config + config.size, 0xFF, sizeof config - config.size);
    assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, &config), EXRAY_OK);
    assert_true(exray_recorder_wants(&recorder, EXRAY_KIND_LAYER, 0, "a"));
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
}

static void test_a_newer_header(void **state)
{
    (void)state;
    struct {
        exray_recorder_config known;
        uint64_t field;
    } config = {EXRAY_RECORDER_CONFIG_INIT, 0};
    exray_recorder recorder;
    config.known.size = sizeof config;
    assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, &config.known), EXRAY_OK);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    config.field = 1;
    expect_refused(&config.known, "a field unknown to this library");
}

static void test_config_of_a_capture_level(void **state)
{
    (void)state;
    exray_recorder recorder;
    for (int capture = EXRAY_CAPTURE_DEFAULT; capture <= EXRAY_CAPTURE_FULL; capture++) {
        const exray_recorder_config *config = exray_recorder_config_of((exray_capture)capture);
        assert_int_equal(config->capture, capture);
        assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, config), EXRAY_OK);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    }
    static const int no_levels[] = {EXRAY_CAPTURE_FULL + 1, 1000, -1};
    for (size_t i = 0; i < sizeof no_levels / sizeof *no_levels; i++) {
        const exray_recorder_config *config = exray_recorder_config_of((exray_capture)no_levels[i]);
        assert_int_equal(exray_recorder_open_memory(&recorder, log_bytes, LOG_SIZE, config),
                         EXRAY_E_ARGUMENT);
    }
}

/* All that is known of such a recorder is that it is there: nothing beyond its first word is touched. */
static void expect_no_use(size_t size, const char *version)
{
    uint64_t *words = malloc(sizeof *words);
    assert_non_null(words);
    exray_recorder *recorder = (exray_recorder *)(void *)words;
    assert_int_equal(exray_recorder_open_file_sized(recorder, size, version, "unused.mcap", NULL),
                     EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_open_callback_sized(recorder, size, version, NULL, NULL, NULL),
                     EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_open_memory_sized(recorder, size, version, log_bytes, LOG_SIZE, NULL),
                     EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_error_status(recorder), EXRAY_E_UNSUPPORTED);
    assert_non_null(strstr(exray_recorder_error_message(recorder), "the headers of another version"));
    assert_non_null(strstr(exray_recorder_error_message(recorder), EXRAY_VERSION));
    assert_int_equal(exray_recorder_frame_begin(recorder, "a"), EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_log_scalar(recorder, "a", 1), EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_frame_end(recorder), EXRAY_E_UNSUPPORTED);
    assert_int_equal(exray_recorder_fail(recorder, EXRAY_E_IO, "x"), EXRAY_E_UNSUPPORTED);
    assert_false(exray_recorder_wants(recorder, EXRAY_KIND_INPUT, 0, "a"));
    assert_false(exray_recorder_has_model(recorder));
    assert_int_equal(exray_recorder_dropped(recorder), 0);
    assert_int_equal(exray_recorder_bytes_written(recorder), 0);
    assert_int_equal(exray_recorder_frame_index(recorder), 0);
    assert_int_equal(exray_recorder_frame_elapsed(recorder), 0);
    exray_recorder_set_arena_bytes(recorder, 1);
    exray_recorder_abandon(recorder);
    assert_int_equal(exray_recorder_close(recorder), EXRAY_E_UNSUPPORTED);
    free(words);
}

static void test_headers_of_another_version(void **state)
{
    (void)state;
    static const char *const others[] = {"0.1.0", "0.20.0", "9.2.0", "0.2", "0", "", NULL};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        expect_no_use(sizeof(exray_recorder), others[i]);
    expect_no_use(sizeof(exray_recorder) - 8, EXRAY_VERSION);
    expect_no_use(0, EXRAY_VERSION);
}

static void test_headers_of_another_patch(void **state)
{
    (void)state;
    /* "0.2.0-dev" and "0.2.7" fit. */
    char version[32] = EXRAY_VERSION;
    strcpy(strchr(strchr(version, '.') + 1, '.'), ".7");
    exray_recorder recorder;
    assert_int_equal(
        exray_recorder_open_memory_sized(&recorder, sizeof recorder + 64, version, log_bytes, LOG_SIZE, NULL),
        EXRAY_OK);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_size_that_was_never_set),
        cmocka_unit_test(test_an_older_header),
        cmocka_unit_test(test_a_newer_header),
        cmocka_unit_test(test_config_of_a_capture_level),
        cmocka_unit_test(test_headers_of_another_version),
        cmocka_unit_test(test_headers_of_another_patch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
