/* What a recorder refuses: it costs that one record, is counted and told, and recording goes on. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scan.h"
#include <exray/exray.h>

enum { LOG_SIZE = 8 << 20 };

static uint8_t log_bytes[LOG_SIZE];

static void open_log(exray_recorder *recorder, const exray_recorder_config *config)
{
    assert_int_equal(exray_recorder_open_memory(recorder, log_bytes, LOG_SIZE, config), EXRAY_OK);
}

static void test_argument_errors(void **state)
{
    (void)state;
    static const int64_t two[] = {2}, negative[] = {-2}, nine[9] = {1, 1, 1, 1, 1, 1, 1, 1, 1};
    static const float scale[] = {1, 2, 3};
    static char long_name[1100];
    memset(long_name, 'a', sizeof long_name - 1);
    const exray_tensor good = {.kind = EXRAY_KIND_INPUT,
                               .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = two},
                               .data = "ab",
                               .size = 2};
    exray_tensor bad[10];
    for (size_t i = 0; i < 10; i++)
        bad[i] = good;
    bad[0].kind = (exray_kind)77;
    bad[1].info.dtype = (exray_dtype)77;
    bad[2].info.rank = 9;
    bad[2].info.shape = nine;
    bad[3].info.shape = NULL;
    bad[4].info.shape = negative;
    bad[5].size = 3;
    bad[6].info.quantization = (exray_quantization){3, 0, scale, NULL};
    bad[7].info.quantization = (exray_quantization){1, 0, NULL, NULL};
    bad[8].data = NULL;
    bad[9].info.name = long_name;
    for (size_t i = 0; i < 10; i++) {
        exray_recorder recorder;
        open_log(&recorder, NULL);
        assert_int_equal(exray_recorder_log_tensor(&recorder, &good), EXRAY_OK);
        assert_int_equal(exray_recorder_log_tensor(&recorder, &bad[i]), EXRAY_E_ARGUMENT);
        const char *message = exray_recorder_error_message(&recorder);
        assert_non_null(strstr(message, "exray_recorder_log_tensor"));
        assert_null(strchr(message, '\n'));
        /* It costs that one record; the first of a kind is told at once, the others are counted. */
        assert_int_equal(exray_recorder_log_tensor(&recorder, &bad[i]), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_log_tensor(&recorder, &good), EXRAY_OK);
        assert_int_equal(exray_recorder_frame_begin(&recorder, NULL), EXRAY_OK);
        assert_int_equal(exray_recorder_log_tensor(&recorder, &bad[i]), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_dropped(&recorder), 3);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_error_status(&recorder), EXRAY_E_ARGUMENT);
        /* The log has an end all the same: what was recorded is not lost. */
        scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(&recorder));
        assert_true(s.complete);
        assert_int_equal(scan_count(&s, "/input/0"), 2);
        assert_int_equal(scan_count(&s, "/frame"), 2);
        assert_int_equal(scan_count(&s, "/event"), 2);
        assert_int_equal(scan_value(scan_find(&s, "/event", 0), 4), 1);
        assert_int_equal(scan_value(scan_find(&s, "/event", 1), 4), 2);
        assert_int_equal(scan_value(scan_find(&s, "/system", 1), 7), 3);
        scan_free(&s);
    }
}

/* A hundred frames of which the fifth has a short picture, and kinds of errors without number. */
static void test_errors_are_bounded(void **state)
{
    (void)state;
    static const uint8_t picture[12];
    const exray_media media = {.format = "rgb8", .width = 2, .height = 2};
    exray_recorder recorder;
    open_log(&recorder, NULL);
    for (int i = 0; i < 100; i++) {
        char name[24];
        exray_recorder_frame_begin(&recorder, "x");
        exray_recorder_log_image(&recorder, "camera", &media, picture, i == 5 ? 11 : 12);
        snprintf(name, sizeof name, "tensor %d", i);
        const exray_tensor bad = {.kind = EXRAY_KIND_INPUT, .info = {.name = name}, .size = 1};
        assert_int_equal(exray_recorder_log_tensor(&recorder, &bad), EXRAY_E_ARGUMENT);
    }
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
    scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(&recorder));
    assert_true(s.complete);
    assert_int_equal(scan_count(&s, "/frame"), 100);
    assert_int_equal(scan_count(&s, "/sensor/camera"), 99);
    assert_int_equal(scan_count(&s, "/event"), 9);
    uint64_t lost = 0;
    for (size_t i = 0; i < 9; i++)
        lost += scan_value(scan_find(&s, "/event", i), 4);
    assert_int_equal(lost, 101);
    assert_int_equal(exray_recorder_dropped(&recorder), 101);
    scan_free(&s);
}

static void test_images_are_checked(void **state)
{
    (void)state;
    static const exray_media bad[] = {
        {.format = "rgb8", .width = 0, .height = 3},
        {.format = "rgb8", .width = 5, .height = 5},
        {.format = "p030", .width = 2, .height = 2},
        {.format = "p010", .width = 5, .height = 5},
        {.format = "bayer_rggb10", .width = 6, .height = 6},
        {.format = "bayer_rggb14", .width = 2, .height = 2},
        {.format = "bayer_rgbg8", .width = 2, .height = 2},
        {.format = "bayer_bggr8", .width = 4, .height = 4, .row_stride = 3},
        {.format = "rgb565", .width = 6, .height = 6},
        {.format = "gray8", .width = 4, .height = 4, .row_stride = 3},
        {.format = "nv12", .width = 7, .height = 7},
        {.format = "bgra8", .width = 0x7FFFFFFF, .height = 0x7FFFFFFF, .row_stride = 0xFFFFFFFF},
        {.width = 2, .height = 2},
    };
    const uint8_t data[64] = {0};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        exray_recorder recorder;
        open_log(&recorder, NULL);
        assert_int_equal(exray_recorder_log_image(&recorder, "camera", &bad[i], data, sizeof data),
                         EXRAY_E_ARGUMENT);
        exray_recorder_abandon(&recorder);
    }
    exray_recorder recorder;
    open_log(&recorder, NULL);
    assert_int_equal(exray_recorder_log_encoded(&recorder, "camera", "tiff", data, 3), EXRAY_E_ARGUMENT);
    exray_recorder_abandon(&recorder);
}

static void test_a_taps_failure(void **state)
{
    (void)state;
    exray_recorder recorder;
    open_log(&recorder, NULL);
    assert_int_equal(exray_recorder_fail(&recorder, EXRAY_E_ENGINE, "no symbol TfLiteX"), EXRAY_E_ENGINE);
    assert_string_equal(exray_recorder_error_message(&recorder), "no symbol TfLiteX");
    assert_int_equal(exray_recorder_frame_begin(&recorder, NULL), EXRAY_OK); /* the rest is recorded */
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ENGINE);
    scan s = scan_log(log_bytes, (size_t)exray_recorder_bytes_written(&recorder));
    assert_int_equal(scan_count(&s, "/frame"), 1);
    assert_int_equal(scan_count(&s, "/event"), 1);
    scan_free(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_argument_errors),
        cmocka_unit_test(test_errors_are_bounded),
        cmocka_unit_test(test_images_are_checked),
        cmocka_unit_test(test_a_taps_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
