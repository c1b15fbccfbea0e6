/* From a sound to a model's input: channels, rate, scale, windows, features, the tensor's order. */
#include "pipeline/audio.h"
#include "pipeline/parse.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 16000, LENGTH = 3200 };

/* Two channels, of 16 bits. */
static int16_t stereo[LENGTH][2];

static void fill(void)
{
    for (int i = 0; i < LENGTH; i++) {
        stereo[i][0] = (int16_t)lround(12000 * sin(0.11 * i) + 3000 * sin(1.3 * i));
        stereo[i][1] = (int16_t)lround(9000 * cos(0.07 * i));
    }
}

typedef struct made {
    uint8_t *bytes;
    size_t size;
    int64_t shape[EXRAY_MAX_RANK];
    exray_status status;
    exray_error error;
} made;

static void *room(void *user, size_t size)
{
    made *m = user;
    m->bytes = malloc(size + 1);
    m->size = size;
    return m->bytes;
}

/* Runs a pipeline on `count` samples of each channel. */
static made run(const char *text, size_t count, exray_dtype dtype, uint32_t rank, const int64_t *shape)
{
    made m = {.error = {EXRAY_OK, ""}};
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &m.error);
    if (!pipeline)
        fail_msg("%s", m.error.message);
    const exray_media media = {.format = "s16", .sample_rate = RATE, .channels = 2};
    const exray_tensor_info info = {.name = "in", .dtype = dtype, .rank = rank, .shape = shape};
    m.status = xr_pipeline_make_audio(pipeline, &media, stereo, count * sizeof *stereo, NULL, NULL, &info,
                                      m.shape, room, &m, &m.error);
    xr_pipeline_free(pipeline);
    return m;
}

static void test_channels_and_scale(void **state)
{
    (void)state;
    static const int64_t open[] = {-1, -1}, planar[] = {1, 2, 100}, interleaved[] = {1, 100, 2};
    made m = run("audio: {rate: 16000}", 100, EXRAY_DTYPE_FLOAT32, 2, open);
    assert_int_equal(m.status, EXRAY_OK);
    assert_int_equal(m.shape[0], 1);
    assert_int_equal(m.shape[1], 100);
    for (int i = 0; i < 100; i++)
        assert_true(fabsf(((float *)m.bytes)[i] - (float)(stereo[i][0] + stereo[i][1]) / 65536) < 1e-7f);
    free(m.bytes);
    m = run("audio: {channels: right, scale: int16}", 100, EXRAY_DTYPE_INT16, 2, open);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((int16_t *)m.bytes)[i], stereo[i][1]);
    free(m.bytes);
    m = run("audio: {channels: left, scale: 100}", 100, EXRAY_DTYPE_FLOAT32, 2, open);
    assert_true(fabsf(((float *)m.bytes)[7] - 100 * (float)stereo[7][0] / 32768) < 1e-5f);
    free(m.bytes);
    m = run("audio: {channels: first 2, scale: int16}", 100, EXRAY_DTYPE_INT16, 3, interleaved);
    assert_memory_equal(m.bytes, stereo, 100 * sizeof *stereo);
    free(m.bytes);
    m = run("audio: {channels: first 2, scale: int16}", 100, EXRAY_DTYPE_INT16, 3, planar);
    for (int i = 0; i < 100; i++)
        assert_int_equal(((int16_t *)m.bytes)[100 + i], stereo[i][1]);
    free(m.bytes);
}

static void test_rates(void **state)
{
    (void)state;
    static const int64_t half[] = {1, LENGTH / 2}, open[] = {1, -1};
    made m = run("audio: {rate: 8000, channels: right}", LENGTH, EXRAY_DTYPE_FLOAT32, 2, half);
    assert_int_equal(m.status, EXRAY_OK);
    for (int i = 200; i < 1400; i++) /* a slow tone stays as it is */
        assert_true(fabsf(((float *)m.bytes)[i] - (float)stereo[2 * i][1] / 32768) < 1e-4f);
    free(m.bytes);
    m = run("audio: {rate: 8000 hold, channels: right, scale: int16}", LENGTH, EXRAY_DTYPE_INT16, 2, open);
    for (int i = 0; i < 1600; i++)
        assert_int_equal(((int16_t *)m.bytes)[i], stereo[2 * i][1]);
    free(m.bytes);
}

static void test_windows(void **state)
{
    (void)state;
    static const uint32_t rates[][2] = {{16000, 16000}, {16000, 44100}, {16000, 11025},
                                        {8000, 48000},  {16000, 16001}, {0, 9}};
    static const uint64_t windows[][2] = {{400, 160}, {1, 1}, {15600, 7800}, {480, 481}};
    for (size_t r = 0; r < 6; r++)
        for (size_t w = 0; w < 4; w++)
            for (uint64_t length = 0; length < 60000; length += 997) {
                const xr_audio a = {.rate = rates[r][0], .window = windows[w][0], .hop = windows[w][1]};
                const uint64_t count = xr_audio_window_count(&a, rates[r][1], length),
                               size = xr_audio_window_length(&a, rates[r][1], length);
                if (a.rate && a.rate != rates[r][1]) { /* as few samples as become a window */
                    assert_true(exray_resampling_length((size_t)size, rates[r][1], a.rate) >= a.window);
                    assert_true(exray_resampling_length((size_t)size - 1, rates[r][1], a.rate) < a.window);
                }
                assert_true(count == 0 || xr_audio_window_begin(&a, rates[r][1], count - 1) + size <= length);
                assert_true(xr_audio_window_begin(&a, rates[r][1], count) + size > length);
            }
    const xr_audio whole = {.rate = 16000};
    assert_int_equal(xr_audio_window_count(&whole, 8000, 77), 1);
    assert_int_equal(xr_audio_window_length(&whole, 8000, 77), 77);
    assert_int_equal(xr_audio_window_count(&whole, 8000, 0), 0);
}

static void test_parts(void **state)
{
    (void)state;
    /* A window's first sample is the one at its time in the whole recording, where that is resampled. */
    static const uint32_t rates[] = {8000, 11025, 22050, 44100, 48000, 16001};
    for (size_t r = 0; r < 6; r++)
        for (uint64_t k = 0; k < 40; k++) {
            const xr_audio a = {.rate = 16000, .window = 480, .hop = 241};
            const uint64_t begin = xr_audio_window_begin(&a, rates[r], k);
            const xr_audio_part part = xr_audio_part_at(&a, rates[r], begin);
            const double start = (double)(begin - part.before) * 16000 / rates[r]; /* of what is resampled */
            assert_true(part.before <= begin && part.before <= xr_audio_reach(&a, rates[r]));
            const double off = fabs(start + (double)part.first - (double)(k * a.hop));
            assert_true(rates[r] == 16001 ? off < 1.01 : off < 1e-9);
        }
    const xr_audio same = {.rate = 16000, .window = 480, .hop = 241}, whole = {.rate = 16000};
    assert_int_equal(xr_audio_reach(&same, 16000), 0);
    assert_int_equal(xr_audio_reach(&whole, 8000), 0);
    assert_int_equal(xr_audio_part_at(&same, 48000, UINT64_MAX).before, 0);
}

/* What is around a frame that is not of whole samples is not heard. */
static void test_damaged_surroundings(void **state)
{
    (void)state;
    static const int64_t open[] = {-1, -1};
    const char *text = "audio: {rate: 8000, window: 40 hop 20}";
    const xr_sound_around torn = {.begin = 300, .before = stereo, .before_size = 7};
    const exray_media media = {.format = "s16", .sample_rate = RATE, .channels = 2};
    const exray_tensor_info info = {.name = "in", .dtype = EXRAY_DTYPE_FLOAT32, .rank = 2, .shape = open};
    made m = {.error = {EXRAY_OK, ""}}, alone = run(text, 80, EXRAY_DTYPE_FLOAT32, 2, open);
    xr_pipeline *pipeline = xr_pipeline_parse(text, strlen(text), "p.yaml", &m.error);
    assert_non_null(pipeline);
    assert_int_equal(xr_pipeline_make_audio(pipeline, &media, stereo, 80 * sizeof *stereo, &torn, NULL, &info,
                                            m.shape, room, &m, &m.error),
                     EXRAY_OK);
    assert_int_equal(m.size, alone.size);
    assert_memory_equal(m.bytes, alone.bytes, m.size);
    xr_pipeline_free(pipeline);
    free(m.bytes);
    free(alone.bytes);
}

static void test_features(void **state)
{
    (void)state;
    static const int64_t rows[] = {1, 18, 40, 1}, turned[] = {1, 40, 18}, open[] = {-1, -1, -1},
                         flat[] = {1, 720};
    static const char mel[] = "audio: {channels: left, features: mel {win_length: 400, hop_length: 160}}";
    made a = run(mel, LENGTH, EXRAY_DTYPE_FLOAT32, 4, rows),
         b = run(mel, LENGTH, EXRAY_DTYPE_FLOAT32, 3, turned),
         c = run(mel, LENGTH, EXRAY_DTYPE_FLOAT32, 3, open),
         d = run(mel, LENGTH, EXRAY_DTYPE_FLOAT32, 2, flat);
    assert_int_equal(a.status | b.status | c.status | d.status, EXRAY_OK);
    assert_int_equal(c.shape[0], 1);
    assert_int_equal(c.shape[1], 18);
    assert_int_equal(c.shape[2], 40);
    assert_memory_equal(a.bytes, c.bytes, a.size);
    assert_memory_equal(a.bytes, d.bytes, a.size);
    for (int row = 0; row < 18; row++)
        for (int bin = 0; bin < 40; bin++)
            assert_true(((float *)a.bytes)[row * 40 + bin] == ((float *)b.bytes)[bin * 18 + row]);
    free(a.bytes);
    free(b.bytes);
    free(c.bytes);
    free(d.bytes);
}

static void test_microfrontend(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 9, 40};
    static const char text[] =
        "audio:\n  rate: 16000\n  channels: left\n  features: microfrontend {window_size: 30,\n"
        "    window_step: 20, num_channels: 40, enable_pcan: true}\n";
    exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
    how.window_step = 20;
    int16_t left[LENGTH];
    uint16_t raw[360];
    exray_error error;
    for (int i = 0; i < LENGTH; i++)
        left[i] = stereo[i][0];
    assert_int_equal(exray_microfrontend_rows(&how, LENGTH), 9);
    assert_int_equal(exray_microfrontend_run(&how, left, LENGTH, raw, &error), EXRAY_OK);
    made m = run(text, LENGTH, EXRAY_DTYPE_INT8, 3, shape);
    assert_int_equal(m.status, EXRAY_OK);
    for (int i = 0; i < 360; i++)
        assert_int_equal(((int8_t *)m.bytes)[i], exray_microfrontend_int8(raw[i]));
    free(m.bytes);
    m = run(text, LENGTH, EXRAY_DTYPE_FLOAT32, 3, shape);
    for (int i = 0; i < 360; i++)
        assert_true(((float *)m.bytes)[i] == (float)raw[i] * 0.0390625f);
    free(m.bytes);
    m = run(text, LENGTH, EXRAY_DTYPE_UINT16, 3, shape);
    assert_memory_equal(m.bytes, raw, sizeof raw);
    free(m.bytes);
}

static void expect_error(const char *text, size_t count, const int64_t *shape, exray_status status,
                         const char *says)
{
    made m = run(text, count, EXRAY_DTYPE_FLOAT32, 2, shape);
    assert_int_equal(m.status, status);
    assert_int_equal(m.error.status, status);
    if (!strstr(m.error.message, says))
        fail_msg("%s", m.error.message);
    assert_null(m.bytes);
}

static void test_errors(void **state)
{
    (void)state;
    static const int64_t shape[] = {1, 400}, odd[] = {7, -1};
    expect_error("audio:\n  channels: first 3", 400, shape, EXRAY_E_ARGUMENT,
                 "p.yaml:1: audio.channels: the sound has 2 channels, it takes 3");
    expect_error("audio:\n  window: 500", 400, shape, EXRAY_E_ARGUMENT,
                 "p.yaml:2: audio.window: the sound has 400 samples at 16000 Hz, a window takes 500; log the "
                 "sound of a "
                 "whole window with each frame");
    expect_error("audio:\n  window: 300", 400, shape, EXRAY_E_UNSUPPORTED,
                 "p.yaml:2: audio.window: 300 samples do not fill the model's input [1,400]");
    expect_error("audio:", 401, shape, EXRAY_E_ARGUMENT, "name its length, such as window: 15600");
    expect_error("audio:", 400, odd, EXRAY_E_ARGUMENT, "do not fill the model's input [7,-1]");
    expect_error("audio:", 0, shape, EXRAY_E_ARGUMENT, "the sound has no samples");
    expect_error("audio:\n  rate: 50", 400, shape, EXRAY_E_LIMIT,
                 "p.yaml:1: audio.rate: cannot resample from 16000");
    expect_error("audio:\n  features: mel {}", 400, shape, EXRAY_E_ARGUMENT,
                 "p.yaml:2: audio.features: 400 samples at 16000 Hz are too few for one window");
    expect_error("audio:\n  features: microfrontend {window_size: 30}", 400, shape, EXRAY_E_ARGUMENT,
                 "are too few");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_channels_and_scale),
        cmocka_unit_test(test_rates),
        cmocka_unit_test(test_windows),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_damaged_surroundings),
        cmocka_unit_test(test_features),
        cmocka_unit_test(test_microfrontend),
        cmocka_unit_test(test_errors),
    };
    fill();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
