/* Sensor records that are sounds.  Layout of WAV files: Microsoft and IBM, Multimedia
 * Programming Interface and Data Specifications 1.0 (1991); the extensible header:
 * WAVEFORMATEXTENSIBLE. */
#include <exray/sound.h>

#include "base/error.h"

#include <stdlib.h>
#include <string.h>

enum {
    SAMPLES_MOST = 1 << 28, /* of all channels: 1 GiB as floats */
    CHANNELS_MOST = 1024,
    TAG_PCM = 1,
    TAG_FLOAT = 3,
    TAG_EXTENSIBLE = 0xFFFE,
    FORMAT_SIZE = 16,     /* of the chunk "fmt " in its oldest form */
    EXTENSIBLE_SIZE = 40, /* in its newest, which has the tag further behind */
    EXTENSIBLE_TAG = 24,
};

struct exray_sound {
    uint32_t rate, channels;
    size_t length;
    float *samples;
};

/* Samples as they lie in memory. */
typedef struct coding {
    bool is_float;
    unsigned bits;
    uint32_t rate, channels;
} coding;

static uint32_t load(const uint8_t *at, unsigned bytes)
{
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint32_t)at[i] << 8 * i;
    return value;
}

/* ---- Samples ------------------------------------------------------------------------ */

static float load_sample(const coding *c, const uint8_t *at)
{
    if (c->is_float && c->bits == 64) {
        uint64_t word = load(at, 4) | (uint64_t)load(at + 4, 4) << 32;
        double value;
        memcpy(&value, &word, sizeof value);
        return (float)value;
    }
    uint32_t word = load(at, c->bits / 8);
    if (c->is_float) {
        float value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
    if (c->bits == 8) /* the only one that is unsigned */
        return ((float)word - 128) / 128;
    int64_t value = word, half = (int64_t)1 << (c->bits - 1);
    return (float)((double)(value >= half ? value - 2 * half : value) / (double)half);
}

static exray_sound *take(const coding *c, const uint8_t *data, size_t size, exray_error *error)
{
    if (c->channels == 0 || c->channels > CHANNELS_MOST) {
        xr_error_set(error, EXRAY_E_FORMAT, "the sound has %u channels; 1 to %d make sense",
                     (unsigned)c->channels, CHANNELS_MOST);
        return NULL;
    }
    size_t length = size / (c->bits / 8) / c->channels, count = length * c->channels;
    if (count > SAMPLES_MOST) {
        xr_error_set(error, EXRAY_E_LIMIT, "the sound has %zu samples; at most %d are read", count,
                     SAMPLES_MOST);
        return NULL;
    }
    exray_sound *sound = calloc(1, sizeof *sound);
    float *samples = malloc((count + 1) * sizeof *samples);
    if (!sound || !samples) {
        free(sound);
        free(samples);
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a sound of %zu samples", count);
        return NULL;
    }
    for (size_t i = 0; i < count; i++)
        samples[i] = load_sample(c, data + i * (c->bits / 8));
    *sound = (exray_sound){c->rate, c->channels, length, samples};
    return sound;
}

/* ---- WAV ---------------------------------------------------------------------------- */

static bool read_coding(const uint8_t *at, size_t size, coding *c, exray_error *error)
{
    if (size < FORMAT_SIZE) {
        xr_error_set(error, EXRAY_E_FORMAT, "the WAV file's format chunk has %zu bytes, it takes 16", size);
        return false;
    }
    uint32_t tag = load(at, 2);
    if (tag == TAG_EXTENSIBLE && size >= EXTENSIBLE_SIZE)
        tag = load(at + EXTENSIBLE_TAG, 2);
    *c = (coding){tag == TAG_FLOAT, load(at + 14, 2), load(at + 4, 4), load(at + 2, 2)};
    bool known = tag == TAG_PCM ? c->bits == 8 || c->bits == 16 || c->bits == 24 || c->bits == 32
                                : tag == TAG_FLOAT && (c->bits == 32 || c->bits == 64);
    if (!known)
        xr_error_set(error, EXRAY_E_UNSUPPORTED,
                     "the WAV file's coding (tag %u, %u bits) is not read; PCM and IEEE float are",
                     (unsigned)tag, c->bits);
    return known;
}

/* Chunks of a name, a size and that many bytes, filled up to an even number. */
static exray_sound *decode_wav(const uint8_t *data, size_t size, exray_error *error)
{
    coding c = {0};
    if (size < 12 || memcmp(data, "RIFF", 4) != 0 || memcmp(data + 8, "WAVE", 4) != 0) {
        xr_error_set(error, EXRAY_E_FORMAT, "it is no WAV file: it does not begin with RIFF and WAVE");
        return NULL;
    }
    for (size_t at = 12; size - at >= 8;) {
        const uint8_t *chunk = data + at;
        size_t left = size - at - 8, wanted = load(chunk + 4, 4), has = wanted < left ? wanted : left;
        if (memcmp(chunk, "fmt ", 4) == 0 && !read_coding(chunk + 8, has, &c, error))
            return NULL;
        if (memcmp(chunk, "data", 4) == 0 && c.bits)
            return take(&c, chunk + 8, has, error);
        at += 8 + has + (has % 2 && has < left);
    }
    xr_error_set(error, EXRAY_E_FORMAT,
                 "the WAV file has no samples behind a format: it is damaged or cut short");
    return NULL;
}

exray_sound *exray_sound_decode(const exray_media *media, const void *data, size_t size, exray_error *error)
{
    const char *format = media && media->format ? media->format : "wav";
    if (!data && size) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "a sound's data is NULL");
        return NULL;
    }
    if (strcmp(format, "wav") == 0)
        return decode_wav(data, size, error);
    bool is_float = strcmp(format, "f32") == 0;
    if (!is_float && strcmp(format, "s16") != 0) {
        xr_error_set(error, EXRAY_E_UNSUPPORTED, "'%.40s' is no format of sounds; wav, s16 and f32 are",
                     format);
        return NULL;
    }
    coding c = {is_float, is_float ? 32 : 16, media->sample_rate, media->channels ? media->channels : 1};
    return take(&c, data, size, error);
}

void exray_sound_free(exray_sound *sound)
{
    if (!sound)
        return;
    free(sound->samples);
    free(sound);
}

uint32_t exray_sound_rate(const exray_sound *sound)
{
    return sound->rate;
}

uint32_t exray_sound_channels(const exray_sound *sound)
{
    return sound->channels;
}

size_t exray_sound_length(const exray_sound *sound)
{
    return sound->length;
}

const float *exray_sound_samples(const exray_sound *sound)
{
    return sound->samples;
}
