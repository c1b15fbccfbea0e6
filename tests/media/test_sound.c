/* Sounds from memory: what the header promises, and files that are damaged. */
#include <exray/sound.h>

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A WAV file of two channels, 16 bits, three points in time, with a chunk of odd size before
 * the samples. */
static const uint8_t wav[] = {
    'R', 'I', 'F', 'F', 58,  0,   0, 0,    'W',  'A', 'V',  'E', 'f', 'm',  't',  ' ', 16,
    0,   0,   0,   1,   0,   2,   0, 0x80, 0x3e, 0,   0,    0,   250, 0,    0,    4,   0,
    16,  0,   'L', 'I', 'S', 'T', 3, 0,    0,    0,   'a',  'b', 'c', 0,    'd',  'a', 't',
    'a', 12,  0,   0,   0,   0,   0, 0xff, 0x7f, 0,   0x80, 1,   0,   0xff, 0xff, 0,   0x40,
};
static const float expected[] = {0, 32767.0f / 32768, -1, 1.0f / 32768, -1.0f / 32768, 0.5f};

static void expect(const exray_media *media, const void *data, size_t size, uint32_t rate, uint32_t channels,
                   const float *samples, size_t length)
{
    exray_error error = {EXRAY_OK, ""};
    exray_sound *sound = exray_sound_decode(media, data, size, &error);
    if (!sound)
        fail_msg("%s", error.message);
    assert_int_equal(exray_sound_rate(sound), rate);
    assert_int_equal(exray_sound_channels(sound), channels);
    assert_int_equal(exray_sound_length(sound), length);
    for (size_t i = 0; i < length * channels; i++)
        assert_true(exray_sound_samples(sound)[i] == samples[i]);
    exray_sound_free(sound);
}

static void test_wav(void **state)
{
    (void)state;
    expect(NULL, wav, sizeof wav, 16000, 2, expected, 3);
    const exray_media media = {.format = "wav"};
    expect(&media, wav, sizeof wav, 16000, 2, expected, 3);
}

static void test_raw(void **state)
{
    (void)state;
    const exray_media s16 = {.format = "s16", .sample_rate = 8000, .channels = 2};
    expect(&s16, wav + sizeof wav - 12, 12, 8000, 2, expected, 3);
    const exray_media f32 = {.format = "f32"};
    const float values[] = {0.25f, -3, 1e-9f};
    expect(&f32, values, sizeof values, 0, 1, values, 3);
    expect(&f32, NULL, 0, 0, 1, NULL, 0);
}

/* As far as it goes, where the samples have begun; an error before. */
static void test_cut_short(void **state)
{
    (void)state;
    const size_t begin = sizeof wav - 12;
    for (size_t size = 0; size < sizeof wav; size++) {
        uint8_t *exact = malloc(size + !size);
        assert_non_null(exact);
        memcpy(exact, wav, size);
        exray_error error = {EXRAY_OK, ""};
        exray_sound *sound = exray_sound_decode(NULL, exact, size, &error);
        if (size < begin) {
            assert_null(sound);
            assert_int_equal(error.status, EXRAY_E_FORMAT);
            assert_true(error.message[0] != 0 && strchr(error.message, '\n') == NULL);
        } else
            assert_int_equal(exray_sound_length(sound), (size - begin) / 4);
        exray_sound_free(sound);
        free(exact);
    }
}

/* One byte changed: an error, or no more samples than there are bytes. */
static void test_damaged(void **state)
{
    (void)state;
    uint8_t copy[sizeof wav];
    for (size_t at = 0; at < sizeof wav; at++)
        for (unsigned value = 0; value < 256; value += 5) {
            memcpy(copy, wav, sizeof wav);
            copy[at] = (uint8_t)value;
            exray_error error = {EXRAY_OK, ""};
            exray_sound *sound = exray_sound_decode(NULL, copy, sizeof copy, &error);
            if (sound)
                assert_true(exray_sound_length(sound) * exray_sound_channels(sound) <= sizeof copy);
            else
                assert_true(error.status != EXRAY_OK && error.message[0] != 0);
            exray_sound_free(sound);
        }
}

static void test_what_is_no_sound(void **state)
{
    (void)state;
    static const char *const formats[] = {"jpeg", "rgb8", "utf8", "S16", ""};
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++) {
        const exray_media media = {.format = formats[i]};
        exray_error error = {EXRAY_OK, ""};
        assert_null(exray_sound_decode(&media, wav, sizeof wav, &error));
        assert_int_equal(error.status, EXRAY_E_UNSUPPORTED);
    }
    const exray_media many = {.format = "s16", .channels = 5000};
    exray_error error = {EXRAY_OK, ""};
    assert_null(exray_sound_decode(&many, wav, sizeof wav, &error));
    assert_int_equal(error.status, EXRAY_E_FORMAT);
    assert_null(exray_sound_decode(NULL, NULL, 5, &error));
    assert_int_equal(error.status, EXRAY_E_ARGUMENT);
    exray_sound_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wav),
        cmocka_unit_test(test_raw),
        cmocka_unit_test(test_cut_short),
        cmocka_unit_test(test_damaged),
        cmocka_unit_test(test_what_is_no_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
