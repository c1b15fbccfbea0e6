/* Arithmetic of TensorFlow's audio_microfrontend: floats where it has floats (tables), integers of its widths
 * elsewhere, since the result depends on both. */
#include "media/sound/front_end.h"

#include "base/error.h"
#include "core/sized.h"

#include <math.h>
#include <stdlib.h>

/* ---- Options ---------------------------------------------------------------------------------------- */

static void fill_number(float *number, float usual)
{
    *number = *number == 0 ? usual : *number < 0 ? 0 : *number;
}

static void fill_count(uint32_t *count, uint32_t usual)
{
    *count = *count ? *count : usual;
}

static const char *problem_of(const exray_microfrontend_options *o)
{
    if (o->sample_rate < 1000 || o->sample_rate > 192000)
        return "sample_rate is 1000 to 192000";
    if (o->window_size > 1000 || o->window_step > 10000 ||
        (uint64_t)o->window_size * o->sample_rate / 1000 > 32768 ||
        (uint64_t)o->window_step * o->sample_rate / 1000 == 0 ||
        (uint64_t)o->window_size * o->sample_rate / 1000 < 4)
        return "window_size is at most 1000 ms and 32768 samples, window_step at least a sample";
    if (o->num_channels > 512)
        return "num_channels is at most 512";
    if (!(o->lower_band_limit >= 0 && o->upper_band_limit > o->lower_band_limit &&
          o->upper_band_limit <= (float)o->sample_rate / 2))
        return "0 <= lower_band_limit < upper_band_limit <= half the rate";
    if (!(o->even_smoothing <= 1 && o->odd_smoothing <= 1 && o->min_signal_remaining <= 1))
        return "even_smoothing, odd_smoothing and min_signal_remaining are 0 to 1";
    if (o->smoothing_bits > 16 || o->gain_bits < 16 || o->gain_bits > 31 || o->scale_shift > 15)
        return "smoothing_bits is at most 16, gain_bits 16 to 31, scale_shift at most 15";
    if (!(o->pcan_strength >= 0 && o->pcan_strength <= 4 && o->pcan_offset > 0 && isfinite(o->pcan_offset)))
        return "pcan_strength is 0 to 4, pcan_offset above 0";
    if (o->left_context > 64 || o->right_context > 64 || o->out_scale > 65535 || o->frame_stride > 65535)
        return "left_context and right_context are at most 64, out_scale and frame_stride 65535";
    if (o->enable_pcan > 1 || o->disable_log > 1 || o->zero_padding > 1 ||
        o->tables > EXRAY_MICROFRONTEND_FLOATS)
        return "enable_pcan, disable_log and zero_padding are 0 or 1, tables is one of its enumerators";
    return NULL;
}

bool xr_front_end_options(exray_microfrontend_options *o, const exray_microfrontend_options *from,
                          exray_error *error)
{
    const char *problem = xr_sized_read(o, sizeof *o, from);
    if (!problem) {
        fill_count(&o->sample_rate, 16000);
        fill_count(&o->window_size, 25);
        fill_count(&o->window_step, 10);
        fill_count(&o->num_channels, 32);
        fill_number(&o->upper_band_limit, 7500);
        fill_number(&o->lower_band_limit, 125);
        fill_count(&o->smoothing_bits, 10);
        fill_number(&o->even_smoothing, 0.025f);
        fill_number(&o->odd_smoothing, 0.06f);
        fill_number(&o->min_signal_remaining, 0.05f);
        fill_number(&o->pcan_strength, 0.95f);
        fill_number(&o->pcan_offset, 80);
        fill_count(&o->gain_bits, 21);
        fill_count(&o->scale_shift, 6);
        fill_count(&o->frame_stride, 1);
        fill_count(&o->out_scale, 1);
        if (o->tables == EXRAY_MICROFRONTEND_AUTO)
            o->tables = o->window_step == 20 ? EXRAY_MICROFRONTEND_TFLM : EXRAY_MICROFRONTEND_FLOATS;
        problem = problem_of(o);
    }
    if (problem)
        xr_error_set(error, EXRAY_E_ARGUMENT, "a microfrontend: %s", problem);
    return !problem;
}

unsigned xr_bits_of(uint32_t value)
{
    unsigned bits = 0;
    for (; value; value >>= 1)
        bits++;
    return bits;
}

/* ---- Channels --------------------------------------------------------------------------------------- */

static float mel_of(bool floats, float hertz)
{
    return floats ? 1127.0f * log1pf(hertz / 700.0f) : (float)(1127.0 * log1p((double)hertz / 700.0));
}

static int16_t weight_of(exray_microfrontend_tables tables, double weight)
{
    const double scaled = weight * (1 << XR_CHANNEL_BITS);
    if (tables == EXRAY_MICROFRONTEND_FLOATS)
        return (int16_t)floorf((float)scaled + 0.5f);
    return (int16_t)floor(scaled + (tables == EXRAY_MICROFRONTEND_TFLM ? 0 : 0.5));
}

/* The middle of a channel in mel; before the first: the lower limit. */
static float middle_of(const exray_microfrontend_options *o, int channel)
{
    const bool floats = o->tables == EXRAY_MICROFRONTEND_FLOATS;
    const float low = mel_of(floats, o->lower_band_limit), span = mel_of(floats, o->upper_band_limit) - low;
    const float spacing = span / (float)(o->num_channels + 1);
    return channel < 0 ? low : low + spacing * (float)(channel + 1);
}

exray_status xr_channels_make(xr_mel_channels *c, const exray_microfrontend_options *o, uint32_t bins,
                              exray_error *error)
{
    c->count = o->num_channels + 1;
    c->first = malloc((c->count + 1) * sizeof *c->first);
    c->weight = malloc(bins * sizeof *c->weight);
    c->rest = malloc(bins * sizeof *c->rest);
    if (!c->first || !c->weight || !c->rest)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a microfrontend");
    const bool floats = o->tables == EXRAY_MICROFRONTEND_FLOATS;
    const float hertz = (float)(0.5 * o->sample_rate / (double)((float)bins - 1));
    uint32_t bin = (uint32_t)(1.5 + (double)(o->lower_band_limit / hertz));
    c->first[0] = bin;
    for (uint32_t channel = 0; channel < c->count; channel++) {
        const float middle = middle_of(o, (int)channel), before = middle_of(o, (int)channel - 1);
        for (; mel_of(floats, (float)bin * hertz) <= middle; bin++) {
            if (bin + 1 >= bins)
                return xr_error_set(error, EXRAY_E_ARGUMENT,
                                    "a microfrontend: upper_band_limit %g Hz is beyond what %u bins reach",
                                    (double)o->upper_band_limit, bins);
            const float weight = (middle - mel_of(floats, (float)bin * hertz)) / (middle - before);
            c->weight[bin - c->first[0]] = weight_of(o->tables, (double)weight);
            c->rest[bin - c->first[0]] =
                weight_of(o->tables, floats ? (double)(1.0f - weight) : 1.0 - (double)weight);
        }
        c->first[channel + 1] = bin;
    }
    return EXRAY_OK;
}

void xr_channels_free(xr_mel_channels *c)
{
    free(c->first);
    free(c->weight);
    free(c->rest);
    *c = (xr_mel_channels){0};
}

/* Rounded to the nearest, but not beyond what so many bits hold. */
static uint32_t root_of(uint64_t square)
{
    const uint64_t most = square >> 32 ? UINT32_MAX : UINT16_MAX;
    uint64_t root = (uint64_t)sqrt((double)square);
    root -= root > most ? root - most : 0;
    while (root * root > square)
        root--;
    while (root < most && (root + 1) * (root + 1) <= square)
        root++;
    return (uint32_t)(square - root * root > root && root < most ? root + 1 : root);
}

void xr_channels_sum(const xr_mel_channels *c, const uint32_t *energy, unsigned shift, uint32_t *out)
{
    uint64_t carried = 0; /* what the channel before leaves to this one */
    for (uint32_t channel = 0; channel < c->count; channel++) {
        uint64_t weighted = carried, rest = 0;
        for (uint32_t i = c->first[channel] - c->first[0]; i < c->first[channel + 1] - c->first[0]; i++) {
            /* The original's energy is a signed word. */
            const uint64_t value = (uint64_t)(int64_t)(int32_t)energy[i];
            weighted += (uint64_t)(int64_t)c->weight[i] * value;
            rest += (uint64_t)(int64_t)c->rest[i] * value;
        }
        if (channel > 0)
            out[channel - 1] = root_of(weighted) >> shift;
        carried = rest;
    }
}

/* ---- Noise ------------------------------------------------------------------------------------------ */

enum { NOISE_BITS = 14 };

void xr_noise_subtract(const exray_microfrontend_options *o, uint32_t *estimate, uint32_t *signal)
{
    const uint32_t floor_share = (uint16_t)(o->min_signal_remaining * (1 << NOISE_BITS));
    const uint32_t even = (uint16_t)(o->even_smoothing * (1 << NOISE_BITS)),
                   odd = (uint16_t)(o->odd_smoothing * (1 << NOISE_BITS));
    for (uint32_t i = 0; i < o->num_channels; i++) {
        const uint64_t smoothing = i % 2 ? odd : even;
        const uint32_t raised = signal[i] << o->smoothing_bits;
        uint32_t noise =
            (uint32_t)((raised * smoothing + estimate[i] * ((1u << NOISE_BITS) - smoothing)) >> NOISE_BITS);
        estimate[i] = noise;
        noise = noise < raised ? noise : raised;
        const uint32_t least = (uint32_t)((uint64_t)signal[i] * floor_share >> NOISE_BITS),
                       left = (raised - noise) >> o->smoothing_bits;
        signal[i] = left > least ? left : least;
    }
}

/* ---- Gain ------------------------------------------------------------------------------------------- */

enum { RATIO_BITS = 12, GAINED_BITS = 6 };

static int16_t gain_at(const exray_microfrontend_options *o, int bits, uint32_t noise)
{
    const float value = (float)noise / (float)((uint32_t)1 << bits);
    const float gain = (float)((uint32_t)1 << o->gain_bits) * powf(value + o->pcan_offset, -o->pcan_strength);
    return gain > INT16_MAX ? INT16_MAX : (int16_t)floorf(gain + 0.5f);
}

exray_status xr_gain_make(xr_gain *gain, const exray_microfrontend_options *o, int bits, exray_error *error)
{
    const int noise_bits = (int)o->smoothing_bits - bits, shift = (int)o->gain_bits - bits - RATIO_BITS;
    if (noise_bits < 0 || noise_bits > 31 || shift < 0)
        return xr_error_set(
            error, EXRAY_E_ARGUMENT,
            "a microfrontend: with windows of that size, PCAN takes more smoothing_bits or gain_bits");
    gain->shift = (unsigned)shift;
    gain->at[0] = gain_at(o, noise_bits, 0);
    gain->at[1] = gain_at(o, noise_bits, 1);
    for (unsigned octave = 2; octave <= 32; octave++) {
        const uint32_t begin = (uint32_t)1 << (octave - 1);
        const int32_t value = gain_at(o, noise_bits, begin);
        const int32_t to_middle = gain_at(o, noise_bits, begin + begin / 2) - value;
        const int32_t to_end = gain_at(o, noise_bits, octave == 32 ? begin + (begin - 1) : 2 * begin) - value;
        gain->octave[octave][0] = (int16_t)value;
        gain->octave[octave][1] = (int16_t)(4 * to_middle - to_end);
        gain->octave[octave][2] = (int16_t)(to_end - (4 * to_middle - to_end));
    }
    return EXRAY_OK;
}

static uint32_t gain_of(const xr_gain *gain, uint32_t noise)
{
    if (noise < 2)
        return (uint32_t)gain->at[noise];
    const unsigned octave = xr_bits_of(noise);
    const int16_t *curve = gain->octave[octave];
    if (noise == 2)
        return (uint32_t)curve[0];
    const int32_t part = (int32_t)((octave < 11 ? noise << (11 - octave) : noise >> (octave - 11)) & 0x3FF);
    int32_t value = (curve[2] * part >> 5) + curve[1] * 32;
    value = (value * part + (1 << 14)) >> 15;
    return (uint32_t)(int16_t)(value + curve[0]);
}

void xr_gain_apply(const xr_gain *gain, const uint32_t *noise, uint32_t *signal, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t ratio = (uint32_t)((uint64_t)signal[i] * gain_of(gain, noise[i]) >> gain->shift);
        signal[i] = ratio < 2 << RATIO_BITS ? ratio * ratio >> (2 + 2 * RATIO_BITS - GAINED_BITS)
                                            : (ratio >> (RATIO_BITS - GAINED_BITS)) - (1 << GAINED_BITS);
    }
}

/* ---- Logarithm -------------------------------------------------------------------------------------- */

enum { LOG_BITS = 16, SEGMENT_BITS = 7, LN_2 = 45426 /* * 2^16 */ };

void xr_log_table_make(xr_log_table *table)
{
    const int segments = 1 << SEGMENT_BITS;
    for (int i = 0; i <= segments + 1; i++) { /* the last is only read where it does not matter */
        double x = i < segments ? (double)i / segments : 0;
        table->correction[i] = (uint16_t)floor((log2(1 + x) - x) * (1 << LOG_BITS) + 0.5);
    }
}

uint16_t xr_log_scaled(const xr_log_table *table, const exray_microfrontend_options *o, uint32_t value,
                       int bits)
{
    if (!o->disable_log) {
        value = bits < 0 ? value >> -bits : value << bits;
        if (value <= 1)
            return 0;
        const unsigned whole = xr_bits_of(value) - 1;
        const uint32_t above = value - ((uint32_t)1 << whole);
        const int32_t part =
            (int32_t)(whole < LOG_BITS ? above << (LOG_BITS - whole) : above >> (whole - LOG_BITS));
        const int32_t segment = part >> (LOG_BITS - SEGMENT_BITS), size = 1 << (LOG_BITS - SEGMENT_BITS);
        const int32_t a = table->correction[segment], b = table->correction[segment + 1];
        const int32_t between = ((b - a) * (part - segment * size)) >> LOG_BITS;
        const uint32_t log_2 = (whole << LOG_BITS) + (uint32_t)(part + a + between);
        const uint32_t half = 1 << (LOG_BITS - 1);
        const uint32_t natural = (uint32_t)(((uint64_t)LN_2 * log_2 + half) >> LOG_BITS);
        value = ((natural << o->scale_shift) + half) >> LOG_BITS;
    }
    return (uint16_t)(value < UINT16_MAX ? value : UINT16_MAX);
}
