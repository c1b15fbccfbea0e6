#include "checks/input/sound/sound_reading.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* ---- The step ---------------------------------------------------------------------------------- */

static bool is_multiple(const float *v, size_t n, double step)
{
    size_t moved = 0;
    for (size_t i = 0; i < n; i++) {
        double k = v[i] / step;
        /* Half of what float32 can still tell apart at that size. */
        if (!(fabs(k) < 1 << 24) || fabs(k - round(k)) > 2e-3 + fabs(k) * 2e-7)
            return false;
        moved += k != 0;
    }
    return moved > 0;
}

static double step_of(const float *v, size_t n)
{
    static const double steps[] = {1,           1.0 / 127,     1.0 / 128,         1.0 / 255,
                                   1.0 / 256,   1.0 / 32767,   1.0 / 32768,       1.0 / 65535,
                                   1.0 / 65536, 1.0 / 8388608, 1.0 / 2147483648.0};
    size_t probe = n < 512 ? n : 512, at = (n - probe) / 2;
    double least = INFINITY;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        if ((is_multiple(v + at, probe, steps[i]) || probe < n) && is_multiple(v, n, steps[i]))
            return steps[i];
    for (size_t i = 0; i < n; i++)
        if (v[i] != 0)
            least = fmin(least, fabs(v[i]));
    for (int k = 1; k <= 8 && isfinite(least); k++)
        if (is_multiple(v, n, least / k))
            return least / k;
    return 0;
}

/* ---- Numbers and bytes --------------------------------------------------------------------------- */

static double mu_law(uint8_t code)
{
    unsigned u = (unsigned)~code & 0xff;
    int t = (int)(((u & 0x0f) << 3) + 0x84) << ((u & 0x70) >> 4);
    return (u & 0x80 ? 0x84 - t : t - 0x84) / 32768.0;
}

static double a_law(uint8_t code)
{
    unsigned a = code ^ 0x55u, part = (a & 0x70) >> 4;
    int t = (int)((a & 0x0f) << 4);
    t = part == 0 ? t + 8 : (t + 0x108) << (part - 1);
    return (a & 0x80 ? t : -t) / 32768.0;
}

/* The least and the greatest number of steps. */
static void limits(const float *v, size_t n, double step, double *low, double *high)
{
    *low = INFINITY, *high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double k = round(v[i] / step);
        *low = fmin(*low, k), *high = fmax(*high, k);
    }
}

static int16_t word(double k)
{
    return (int16_t)(uint16_t)((long long)k & 0xffff);
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* 16-bit samples that stay as many. */
static size_t read_words(xr_sound_reading how, const float *v, size_t n, double step, float *out)
{
    for (size_t i = 0; i < n; i++) {
        double k = round(v[i] / step);
        uint16_t bits = (uint16_t)word(k);
        int16_t value = (int16_t)bits;
        if (how == XR_SAMPLES_SWAPPED)
            value = (int16_t)(uint16_t)(bits << 8 | bits >> 8);
        else if (how == XR_SAMPLES_OFFSET_BINARY)
            value = (int16_t)(uint16_t)(bits ^ 0x8000u);
        out[i] = (float)(value * step);
    }
    return n;
}

/* Bytes that stand for a sample each, or for a half of one. */
static size_t read_bytes(xr_sound_reading how, const float *v, size_t n, double step, float *out, size_t most)
{
    bool halves = how == XR_SAMPLES_BYTES || how == XR_SAMPLES_BYTES_HIGH;
    double full = 128 * step;
    size_t count = least(halves ? n / 2 : n, most);
    for (size_t i = 0; i < count; i++) {
        uint8_t a = (uint8_t)word(round(v[halves ? 2 * i : i] / step));
        if (halves) {
            uint8_t b = (uint8_t)word(round(v[2 * i + 1] / step));
            uint16_t bits = how == XR_SAMPLES_BYTES ? (uint16_t)(a | b << 8) : (uint16_t)(a << 8 | b);
            out[i] = (float)((int16_t)bits / 32768.0 * full);
        } else if (how == XR_SAMPLES_SIGN_OF_BYTES)
            out[i] = (float)((int8_t)(uint8_t)(a ^ 0x80u) * step);
        else
            out[i] = (float)((how == XR_SAMPLES_MU_LAW ? mu_law(a) : a_law(a)) * full);
    }
    return count;
}

static void put_words(const float *v, size_t n, double step, uint8_t *bytes)
{
    for (size_t i = 0; i < n; i++) {
        uint16_t bits = (uint16_t)word(round(v[i] / step));
        bytes[2 * i] = (uint8_t)bits;
        bytes[2 * i + 1] = (uint8_t)(bits >> 8);
    }
}

/* The value of `width` bytes, full scale 1. */
static double value_of(const uint8_t *b, xr_sound_reading how)
{
    uint32_t bits;
    float real;
    switch (how) {
    case XR_SAMPLES_TWO_BYTES:
        return (b[0] - 128) / 128.0;
    case XR_SAMPLES_TWO_SIGNED:
        return (int8_t)b[0] / 128.0;
    case XR_SAMPLES_24:
        bits = (uint32_t)b[0] << 8 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 24;
        return (int32_t)bits / 2147483648.0;
    default:
        break;
    }
    bits = (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
    if (how == XR_SAMPLES_32)
        return (int32_t)bits / 2147483648.0;
    memcpy(&real, &bits, sizeof real);
    return isfinite(real) && fabsf(real) < 1e6F ? real : NAN;
}

/* Whether every second word is the low half of a number of 32 bits: nothing, or without a course of its own.
 */
static bool are_low_halves(const float *v, size_t n)
{
    double energy = 0, shared = 0;
    for (size_t i = 0; i + 2 < n; i += 2)
        energy += (double)v[i] * v[i], shared += (double)v[i] * v[i + 2];
    return fabs(shared) <= 0.2 * energy;
}

/* Samples of another width in a buffer that was read 16 bits at a time. */
static size_t read_regrouped(xr_sound_reading how, const float *v, size_t n, double step, float *out,
                             size_t most)
{
    size_t width = how == XR_SAMPLES_24 ? 3 : how == XR_SAMPLES_32 || how == XR_SAMPLES_FLOATS ? 4 : 1;
    size_t count = least(2 * n / width, most);
    uint8_t *bytes = malloc(2 * n + 4);
    for (size_t i = 0; bytes && i < count; i++) {
        if (i == 0)
            put_words(v, n, step, bytes);
        double value = value_of(bytes + i * width, how);
        if (!isfinite(value)) {
            count = 0;
            break;
        }
        out[i] = (float)(value * 32768 * step);
    }
    free(bytes);
    return bytes ? count : 0;
}

static size_t read_bits(const float *v, size_t n, float *out, size_t most)
{
    size_t count = least(2 * n, most);
    for (size_t i = 0; i < count; i++) {
        uint32_t bits;
        memcpy(&bits, &v[i / 2], sizeof bits);
        out[i] = (float)((int16_t)(uint16_t)(i % 2 ? bits >> 16 : bits) / 32768.0);
    }
    return count;
}

xr_sample_kind xr_sample_kind_of(const float *v, size_t n)
{
    xr_sample_kind kind = {.step = step_of(v, n)};
    double low, high;
    if (kind.step <= 0)
        return kind;
    limits(v, n, kind.step, &low, &high);
    kind.bytes = low >= -128 && high <= 255 && (low >= 0 || high <= 127) && high - low > 16;
    kind.words = low >= -32768 && high <= 65535 && (low >= 0 || high <= 32767) && high - low > 255;
    kind.unsigned_words = kind.words && low >= 0 && high > 32767;
    kind.low_halves = kind.words && are_low_halves(v, n);
    return kind;
}

size_t xr_read_samples(xr_sound_reading how, const float *v, size_t n, const xr_sample_kind *kind, float *out,
                       size_t most)
{
    if (how == XR_SAMPLES_AS_IS) {
        n = least(n, most);
        memcpy(out, v, n * sizeof *out);
        return n;
    }
    if (how == XR_SAMPLES_BITS)
        return read_bits(v, n, out, most);
    if (how == XR_SAMPLES_REVERSED) {
        n = least(n, most);
        for (size_t i = 0; i < n; i++)
            out[i] = v[n - 1 - i];
        return n;
    }
    if (most < n)
        return 0;
    switch (how) {
    case XR_SAMPLES_WRAPPED:
        return kind->unsigned_words ? read_words(how, v, n, kind->step, out) : 0;
    case XR_SAMPLES_SWAPPED:
    case XR_SAMPLES_OFFSET_BINARY:
        return kind->words ? read_words(how, v, n, kind->step, out) : 0;
    case XR_SAMPLES_BYTES:
    case XR_SAMPLES_BYTES_HIGH:
    case XR_SAMPLES_SIGN_OF_BYTES:
    case XR_SAMPLES_MU_LAW:
    case XR_SAMPLES_A_LAW:
        return kind->bytes ? read_bytes(how, v, n, kind->step, out, most) : 0;
    case XR_SAMPLES_32:
        return kind->low_halves ? read_regrouped(how, v, n, kind->step, out, most) : 0;
    default:
        return kind->words ? read_regrouped(how, v, n, kind->step, out, most) : 0;
    }
}

/* ---- Words --------------------------------------------------------------------------------------- */

static const struct {
    const char *name, *words, *fix;
} known[XR_SAMPLES_READINGS] = {
    [XR_SAMPLES_AS_IS] = {"", "", ""},
    [XR_SAMPLES_SWAPPED] = {"byte_order",
                            "the two bytes of each 16-bit sample are exchanged (byte order, endianness)",
                            "Read 16-bit samples in the byte order in which they are stored: WAV and most "
                            "microphones have the low byte first."},
    [XR_SAMPLES_WRAPPED] = {"unsigned", "negative 16-bit samples are read as unsigned: 65536 too large",
                            "Read samples as signed 16-bit integers (int16_t), then scale them."},
    [XR_SAMPLES_OFFSET_BINARY] =
        {"offset_binary",
         "16-bit samples have the wrong sign: unsigned ones (silence at 32768) are read as "
         "signed, or the other way round",
         "Read samples with the sign with which they are stored; of unsigned ones "
         "subtract 32768."},
    [XR_SAMPLES_BYTES] = {"bytes", "each byte of the 16-bit samples is read as a sample of 8 bits",
                          "Read the buffer as int16_t, two bytes a sample, instead of bytes."},
    [XR_SAMPLES_BYTES_HIGH] =
        {"bytes", "each byte of the 16-bit samples, the high one first, is read as a sample of 8 bits",
         "Read the buffer as 16-bit samples, two bytes each, instead of bytes."},
    [XR_SAMPLES_SIGN_OF_BYTES] =
        {"unsigned_bytes",
         "8-bit samples have the wrong sign: unsigned ones (silence at 128) are read as "
         "signed, or the other way round",
         "Read 8-bit samples with their sign: in WAV they are unsigned; subtract 128."},
    [XR_SAMPLES_MU_LAW] = {"mu_law", "the 8-bit codes of mu-law (G.711) are read as samples",
                           "Decode mu-law to linear samples before scaling."},
    [XR_SAMPLES_A_LAW] = {"a_law", "the 8-bit codes of A-law (G.711) are read as samples",
                          "Decode A-law to linear samples before scaling."},
    [XR_SAMPLES_TWO_BYTES] = {"byte_pairs", "two 8-bit samples are read as one of 16 bits",
                              "Read the buffer as 8-bit samples (unsigned, silence at 128)."},
    [XR_SAMPLES_TWO_SIGNED] = {"byte_pairs", "two signed 8-bit samples are read as one of 16 bits",
                               "Read the buffer as signed 8-bit samples."},
    [XR_SAMPLES_24] = {"width_24", "samples of 24 bits are read 16 bits at a time",
                       "Read three bytes a sample (24 bits), then scale by 8388608."},
    [XR_SAMPLES_32] = {"width_32", "samples of 32 bits are read 16 bits at a time",
                       "Read four bytes a sample (int32_t), then scale by 2147483648."},
    [XR_SAMPLES_FLOATS] = {"floats_as_16_bit", "float32 samples are read as 16-bit integers, two for each",
                           "Read the buffer as float32: it is no 16-bit PCM."},
    [XR_SAMPLES_BITS] =
        {"bits_as_floats", "the bytes of 16-bit samples are taken for float32, two samples for one",
         "Convert each 16-bit sample to float and divide by 32768, instead of copying the bytes."},
    [XR_SAMPLES_REVERSED] = {"reversed", "the samples are reversed in time: the last one is first",
                             "Read the buffer from its oldest sample to its newest: look for an index that "
                             "runs backwards."},
};

const char *xr_reading_words(xr_sound_reading how)
{
    return known[how].words;
}

const char *xr_reading_fix(xr_sound_reading how)
{
    return known[how].fix;
}

const char *xr_reading_name(xr_sound_reading how)
{
    return known[how].name;
}
