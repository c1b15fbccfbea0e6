/* Sounds as sensor records: what is written, read back by the log's reader; what is refused. */
#include <exray/exray.h>
#include <exray/log.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char path[] = EXRAY_TEST_DIR "/sounds.mcap";

static void open_recorder(exray_recorder *recorder)
{
    const exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    assert_int_equal(exray_recorder_open_file(recorder, path, &config), EXRAY_OK);
    assert_int_equal(exray_recorder_frame_begin(recorder, "here"), EXRAY_OK);
}

static void expect(const exray_log *log, size_t i, const char *format, uint32_t channels, exray_dtype dtype,
                   const void *data, size_t size)
{
    exray_error error;
    exray_tensor_view view;
    exray_slot *slot = exray_slot_new();
    const exray_record *record = &exray_log_records(log, 0)[i];
    assert_int_equal(exray_log_read_tensor(log, record, slot, &view, &error), EXRAY_OK);
    assert_true(view.has_media);
    assert_string_equal(view.media.format, format);
    assert_int_equal(view.media.channels, channels);
    assert_int_equal(view.info.dtype, dtype);
    assert_int_equal(view.size, size);
    assert_memory_equal(view.data, data, size);
    exray_slot_free(slot);
}

static void test_written(void **state)
{
    (void)state;
    static const int16_t whole[6] = {1, -2, 3, -4, 32767, -32768};
    static const float real[3] = {0.5f, -1, 0.25f};
    static const char wav[] = "RIFF....WAVE";
    exray_recorder recorder;
    exray_error error;
    open_recorder(&recorder);
    exray_media media = {.format = "s16", .sample_rate = 44100, .channels = 2};
    assert_int_equal(exray_recorder_log_sound(&recorder, "both", &media, whole, sizeof whole), EXRAY_OK);
    media = (exray_media){.format = "f32", .sample_rate = 8000};
    assert_int_equal(exray_recorder_log_sound(&recorder, "one", &media, real, sizeof real), EXRAY_OK);
    media.format = "wav";
    assert_int_equal(exray_recorder_log_sound(&recorder, "file", &media, wav, 12), EXRAY_OK);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    exray_log *log = exray_log_open(path, &error);
    assert_non_null(log);
    expect(log, 0, "s16", 2, EXRAY_DTYPE_INT16, whole, sizeof whole);
    expect(log, 1, "f32", 1, EXRAY_DTYPE_FLOAT32, real, sizeof real);
    expect(log, 2, "wav", 0, EXRAY_DTYPE_UINT8, wav, 12);
    exray_log_close(log);
}

static void test_refused(void **state)
{
    (void)state;
    static const int16_t samples[6] = {0};
    exray_recorder recorder;
    open_recorder(&recorder);
    exray_media media = {.format = "s24"};
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", &media, samples, 12), EXRAY_E_ARGUMENT);
    media = (exray_media){.format = "s16", .channels = 5};
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", &media, samples, 12), EXRAY_E_ARGUMENT);
    media.channels = 1;
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", &media, samples, 11), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", &media, NULL, 12), EXRAY_E_ARGUMENT);
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", NULL, samples, 12), EXRAY_E_ARGUMENT);
    media.channels = 1u << 31;
    assert_int_equal(exray_recorder_log_sound(&recorder, "a", &media, samples, 12), EXRAY_E_ARGUMENT);
    media.channels = 1;
    assert_int_equal(exray_recorder_log_sound(&recorder, "empty", &media, samples, 0), EXRAY_OK);
    exray_recorder_close(&recorder); /* tells of them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
