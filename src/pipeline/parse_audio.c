#include "pipeline/parse_audio.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE_MOST = 768000, WINDOW_MOST = 1 << 28, CHANNELS_MOST = 64 };

/* ---- Features: keys that are numbers or one of some names ------------------------------------------- */

typedef enum value_kind { WHOLE, REAL, NAME } value_kind;

typedef struct feature_key {
    const char *name;
    value_kind kind;
    size_t offset;            /* of the field, 32 bits */
    int64_t least, most;      /* WHOLE */
    const xr_choice *choices; /* NAME */
    size_t choice_count;
    bool zero_is_below; /* REAL: a zero that is no default is told as -1 */
} feature_key;

static const xr_choice windows[] = {{"hann", EXRAY_MEL_HANN},
                                    {"hann_symmetric", EXRAY_MEL_HANN_SYMMETRIC},
                                    {"hamming", EXRAY_MEL_HAMMING},
                                    {"blackman", EXRAY_MEL_BLACKMAN},
                                    {"rectangular", EXRAY_MEL_RECTANGULAR},
                                    {"povey", EXRAY_MEL_POVEY},
                                    {"hamming_symmetric", EXRAY_MEL_HAMMING_SYMMETRIC}};
static const xr_choice centers[] = {
    {"false", EXRAY_MEL_FROM_START}, {"true", EXRAY_MEL_CENTER_ZEROS}, {"reflect", EXRAY_MEL_CENTER_REFLECT}};
static const xr_choice pads[] = {{"middle", EXRAY_MEL_PAD_MIDDLE}, {"end", EXRAY_MEL_PAD_END}};
static const xr_choice scales[] = {{"htk", EXRAY_MEL_HTK}, {"slaney", EXRAY_MEL_SLANEY}};
static const xr_choice triangles[] = {{"hertz", EXRAY_MEL_OF_HERTZ}, {"mel", EXRAY_MEL_OF_MEL}};
static const xr_choice norms[] = {{"none", 0}, {"slaney", 1}};
static const xr_choice logs[] = {{"none", EXRAY_MEL_LINEAR},
                                 {"natural", EXRAY_MEL_NATURAL},
                                 {"log10", EXRAY_MEL_LOG10},
                                 {"db", EXRAY_MEL_DB}};
static const xr_choice truths[] = {{"false", 0}, {"true", 1}};
static const xr_choice lies[] = {{"false", 1}, {"true", 0}};
static const xr_choice tables[] = {{"auto", EXRAY_MICROFRONTEND_AUTO},
                                   {"tensorflow", EXRAY_MICROFRONTEND_TENSORFLOW},
                                   {"tflm", EXRAY_MICROFRONTEND_TFLM},
                                   {"floats", EXRAY_MICROFRONTEND_FLOATS}};

#define WHOLE_OF(type, name, least, most)                                                                    \
    {                                                                                                        \
#name, WHOLE, offsetof(type, name), least, most, NULL, 0, false                                      \
    }
#define REAL_OF(type, name)                                                                                  \
    {                                                                                                        \
#name, REAL, offsetof(type, name), 0, 0, NULL, 0, false                                              \
    }
#define POSITIVE_OF(type, name)                                                                              \
    {                                                                                                        \
#name, REAL, offsetof(type, name), 0, 0, NULL, 0, true                                               \
    }
#define NAME_OF(type, key, field, names)                                                                     \
    {                                                                                                        \
#key, NAME, offsetof(type, field), 0, 0, names, XR_COUNT(names), false                               \
    }

static const feature_key mel_keys[] = {
    WHOLE_OF(exray_mel, n_fft, 2, 1 << 15),
    WHOLE_OF(exray_mel, win_length, 1, 1 << 15),
    WHOLE_OF(exray_mel, hop_length, 1, 1 << 24),
    NAME_OF(exray_mel, window, window, windows),
    NAME_OF(exray_mel, center, center, centers),
    NAME_OF(exray_mel, pad, pad, pads),
    WHOLE_OF(exray_mel, n_mels, 1, 1024),
    REAL_OF(exray_mel, fmin),
    REAL_OF(exray_mel, fmax),
    NAME_OF(exray_mel, scale, scale, scales),
    NAME_OF(exray_mel, triangles, triangles, triangles),
    NAME_OF(exray_mel, norm, slaney_norm, norms),
    WHOLE_OF(exray_mel, power, 1, 2),
    NAME_OF(exray_mel, log, log, logs),
    REAL_OF(exray_mel, offset),
    REAL_OF(exray_mel, top_db),
    NAME_OF(exray_mel, remove_dc_offset, remove_dc_offset, truths),
    REAL_OF(exray_mel, pre_emphasis),
    REAL_OF(exray_mel, floor),
};

static const feature_key microfrontend_keys[] = {
    WHOLE_OF(exray_microfrontend_options, sample_rate, 1000, 192000),
    WHOLE_OF(exray_microfrontend_options, window_size, 1, 1000),
    WHOLE_OF(exray_microfrontend_options, window_step, 1, 10000),
    WHOLE_OF(exray_microfrontend_options, num_channels, 1, 512),
    POSITIVE_OF(exray_microfrontend_options, upper_band_limit),
    POSITIVE_OF(exray_microfrontend_options, lower_band_limit),
    WHOLE_OF(exray_microfrontend_options, smoothing_bits, 1, 16),
    POSITIVE_OF(exray_microfrontend_options, even_smoothing),
    POSITIVE_OF(exray_microfrontend_options, odd_smoothing),
    POSITIVE_OF(exray_microfrontend_options, min_signal_remaining),
    NAME_OF(exray_microfrontend_options, enable_pcan, enable_pcan, truths),
    POSITIVE_OF(exray_microfrontend_options, pcan_strength),
    POSITIVE_OF(exray_microfrontend_options, pcan_offset),
    WHOLE_OF(exray_microfrontend_options, gain_bits, 16, 31),
    NAME_OF(exray_microfrontend_options, enable_log, disable_log, lies),
    WHOLE_OF(exray_microfrontend_options, scale_shift, 1, 15),
    WHOLE_OF(exray_microfrontend_options, left_context, 0, 64),
    WHOLE_OF(exray_microfrontend_options, right_context, 0, 64),
    WHOLE_OF(exray_microfrontend_options, frame_stride, 1, 65535),
    NAME_OF(exray_microfrontend_options, zero_padding, zero_padding, truths),
    WHOLE_OF(exray_microfrontend_options, out_scale, 1, 65535),
    NAME_OF(exray_microfrontend_options, tables, tables, tables),
};

static bool parse_feature_key(xr_parser *p, const xr_yaml *child, const char *where, const feature_key *key,
                              void *options)
{
    uint8_t *field = (uint8_t *)options + key->offset;
    char expected[80];
    int64_t whole = 0;
    double real = 0;
    int chosen = 0;
    if (!xr_parse_need_scalar(p, child, where))
        return false;
    if (key->kind == NAME) {
        if (!xr_parse_choose(p, child, where, "value", key->choices, key->choice_count, &chosen))
            return false;
        whole = chosen;
    } else if (key->kind == WHOLE && !xr_parse_integer(child->text, key->least, key->most, &whole)) {
        snprintf(expected, sizeof expected, "a whole number %lld to %lld", (long long)key->least,
                 (long long)key->most);
        return xr_parse_fail_value(p, child->line, where, child->text, expected);
    } else if (key->kind == REAL && (!xr_parse_number(child->text, &real) || real < -1e9 || real > 1e9 ||
                                     (key->zero_is_below && real < 0)))
        return xr_parse_fail_value(p, child->line, where, child->text,
                                   key->zero_is_below ? "a number from 0 on" : "a number");
    const uint32_t word = (uint32_t)whole;
    const float number = key->zero_is_below && real == 0 ? -1 : (float)real;
    memcpy(field, key->kind == REAL ? (const void *)&number : (const void *)&word, sizeof word);
    return true;
}

static bool parse_feature_keys(xr_parser *p, const xr_yaml *node, const char *where, const feature_key *keys,
                               size_t count, void *options)
{
    xr_choice names[32];
    for (size_t i = 0; i < count; i++)
        names[i] = (xr_choice){keys[i].name, (int)i};
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, where, "needs keys below it, such as {n_fft: 512} for mel");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        char path[96];
        if (!xr_parse_find(child->key, names, count, &key))
            return xr_parse_fail_unknown(p, child->key_line, where, "key", child->key, names, count);
        snprintf(path, sizeof path, "%s.%s", where, child->key);
        if (!parse_feature_key(p, child, path, &keys[key], options))
            return false;
    }
    return true;
}

static bool parse_features(xr_parser *p, const xr_yaml *node)
{
    static const char where[] = "audio.features";
    static const xr_choice kinds[] = {
        {"none", XR_AUDIO_SAMPLES}, {"mel", XR_AUDIO_MEL}, {"microfrontend", XR_AUDIO_MICROFRONTEND}};
    xr_audio *a = &p->pipeline->audio;
    const xr_yaml *only = node->kind == XR_YAML_MAP ? node->first : NULL;
    int kind;
    a->features_line = node->line;
    if (!only) {
        if (!xr_parse_choose(p, node, where, "kind of features", kinds, XR_COUNT(kinds), &kind))
            return false;
        a->features = (xr_audio_features)kind;
        return true;
    }
    a->features_line = only->key_line;
    if (only->next)
        return xr_parse_fail(p, only->next->key_line, where, "takes one kind: mel or microfrontend");
    if (!xr_parse_find(only->key, kinds + 1, XR_COUNT(kinds) - 1, &kind))
        return xr_parse_fail_unknown(p, only->key_line, where, "kind of features", only->key, kinds + 1,
                                     XR_COUNT(kinds) - 1);
    a->features = (xr_audio_features)kind;
    return kind == XR_AUDIO_MEL
               ? parse_feature_keys(p, only, "audio.features.mel", mel_keys, XR_COUNT(mel_keys), &a->mel)
               : parse_feature_keys(p, only, "audio.features.microfrontend", microfrontend_keys,
                                    XR_COUNT(microfrontend_keys), &a->microfrontend);
}

/* ---- The other keys --------------------------------------------------------------------------------- */

/* 16000 [sinc|linear|hold] */
static bool parse_rate(xr_parser *p, const xr_yaml *node)
{
    static const char where[] = "audio.rate";
    static const xr_choice kinds[] = {
        {"sinc", EXRAY_RESAMPLER_SINC}, {"linear", EXRAY_RESAMPLER_LINEAR}, {"hold", EXRAY_RESAMPLER_HOLD}};
    xr_words w;
    int64_t rate;
    int kind = EXRAY_RESAMPLER_SINC;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    if (w.count > 2 || !xr_parse_integer(w.word[0], 1, RATE_MOST, &rate))
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "a rate in Hz, 1 to 768000, such as 16000");
    if (w.count == 2 && !xr_parse_find(w.word[1], kinds, XR_COUNT(kinds), &kind))
        return xr_parse_fail_unknown(p, node->line, where, "resampler", w.word[1], kinds, XR_COUNT(kinds));
    p->pipeline->audio.rate = (uint32_t)rate;
    p->pipeline->audio.resampler = (exray_resampler)kind;
    return true;
}

static bool parse_channels(xr_parser *p, const xr_yaml *node)
{
    static const char where[] = "audio.channels";
    static const xr_choice kinds[] = {{"mono", XR_AUDIO_MONO},
                                      {"left", XR_AUDIO_LEFT},
                                      {"right", XR_AUDIO_RIGHT},
                                      {"first", XR_AUDIO_FIRST}};
    xr_audio *a = &p->pipeline->audio;
    xr_words w;
    int64_t first = 1;
    int kind;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    if (!xr_parse_find(w.word[0], kinds, XR_COUNT(kinds), &kind))
        return xr_parse_fail_unknown(p, node->line, where, "choice of channels", w.word[0], kinds,
                                     XR_COUNT(kinds));
    a->channels = (xr_audio_channels)kind;
    if (kind == XR_AUDIO_FIRST ? w.count != 2 || !xr_parse_integer(w.word[1], 1, CHANNELS_MOST, &first)
                               : w.count != 1)
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "mono, left, right, or 'first N' with N 1 to 64");
    a->first = (uint32_t)first;
    return true;
}

static bool parse_scale(xr_parser *p, const xr_yaml *node)
{
    static const char where[] = "audio.scale";
    xr_audio *a = &p->pipeline->audio;
    if (!xr_parse_need_scalar(p, node, where))
        return false;
    a->rounded = strcmp(node->text, "int16") == 0;
    if (a->rounded)
        a->scale = 32768;
    else if (strcmp(node->text, "float") == 0)
        a->scale = 1;
    else if (!xr_parse_number(node->text, &a->scale) || a->scale == 0 || a->scale > 1e9 || a->scale < -1e9)
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "float, int16, or the number that 1.0 becomes");
    return true;
}

/* N [hop M] */
static bool parse_window(xr_parser *p, const xr_yaml *node)
{
    static const char where[] = "audio.window";
    xr_audio *a = &p->pipeline->audio;
    xr_words w;
    int64_t window, hop;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    bool ok = (w.count == 1 || (w.count == 3 && strcmp(w.word[1], "hop") == 0)) &&
              xr_parse_integer(w.word[0], 1, WINDOW_MOST, &window) &&
              xr_parse_integer(w.word[w.count == 3 ? 2 : 0], 1, WINDOW_MOST, &hop);
    if (!ok)
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "'N' or 'N hop M', in samples at `rate`, such as 15600 hop 7800");
    a->window = (uint64_t)window;
    a->hop = (uint64_t)hop;
    a->window_line = node->line;
    return true;
}

/* The features' options fit each other and the rate. */
static bool check_features(xr_parser *p)
{
    xr_audio *a = &p->pipeline->audio;
    exray_error why = {EXRAY_OK, ""};
    if (a->features == XR_AUDIO_MEL) {
        a->mel.rate = a->rate;
        exray_mel_run(&a->mel, NULL, 0, NULL, &why);
    } else if (a->features == XR_AUDIO_MICROFRONTEND) {
        if (a->rate && a->microfrontend.sample_rate && a->microfrontend.sample_rate != a->rate)
            return xr_parse_fail(p, a->features_line, "audio.features.microfrontend.sample_rate",
                                 "is another rate than audio.rate; leave it out");
        a->microfrontend.sample_rate = a->rate ? a->rate : a->microfrontend.sample_rate;
        exray_microfrontend_run(&a->microfrontend, NULL, 0, NULL, &why);
    }
    return why.status == EXRAY_OK || xr_parse_fail(p, a->features_line, "audio.features", why.message);
}

void xr_parse_default_audio(xr_pipeline *pipeline)
{
    pipeline->audio = (xr_audio){
        .scale = 1, .first = 1, .mel = EXRAY_MEL_INIT, .microfrontend = EXRAY_MICROFRONTEND_OPTIONS_INIT};
}

bool xr_parse_audio(xr_parser *p, const xr_yaml *node)
{
    enum { RATE, CHANNELS, SCALE, WINDOW, FEATURES };
    static const xr_choice keys[] = {
        {"rate", RATE}, {"channels", CHANNELS}, {"scale", SCALE}, {"window", WINDOW}, {"features", FEATURES}};
    p->pipeline->audio.given = true;
    p->pipeline->audio.line = node->key_line;
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, "audio", "needs keys below it, such as 'rate: 16000'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &key))
            return xr_parse_fail_unknown(p, child->key_line, "audio", "key", child->key, keys,
                                         XR_COUNT(keys));
        bool ok = key == RATE       ? parse_rate(p, child)
                  : key == CHANNELS ? parse_channels(p, child)
                  : key == SCALE    ? parse_scale(p, child)
                  : key == WINDOW   ? parse_window(p, child)
                                    : parse_features(p, child);
        if (!ok)
            return false;
    }
    return check_features(p);
}

/* ---- The short form --------------------------------------------------------------------------------- */

/* The length of "features: mel" or "features: microfrontend" at `at`, where a blank and a brace follow;
 * *word: where the kind begins.  0: there is none. */
static size_t shorthand_at(const char *text, size_t size, size_t at, size_t *word)
{
    static const char key[] = "features:";
    static const char *const kinds[] = {"mel", "microfrontend"};
    const size_t length = sizeof key - 1;
    if (size - at < length || memcmp(text + at, key, length) != 0)
        return 0;
    size_t i = at + length;
    while (i < size && (text[i] == ' ' || text[i] == '\t'))
        i++;
    *word = i;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const size_t kind = strlen(kinds[k]);
        size_t brace = i + kind;
        if (size - i < kind || memcmp(text + i, kinds[k], kind) != 0)
            continue;
        while (brace < size && (text[brace] == ' ' || text[brace] == '\t'))
            brace++;
        if (brace < size && text[brace] == '{')
            return i + kind - at;
    }
    return 0;
}

char *xr_parse_audio_shorthand(const char *text, size_t size, size_t *written)
{
    size_t room = size, used = 0, count = 0;
    for (size_t at = 0, word; at < size; at++)
        count += shorthand_at(text, size, at, &word) > 0;
    char *out = malloc(room + 4 * count + 1);
    if (!out)
        return NULL;
    bool open = false; /* a brace of ours waits for its end */
    for (size_t at = 0; at < size;) {
        size_t word, length = shorthand_at(text, size, at, &word);
        if (length && !open) {
            memcpy(out + used, text + at, word - at);
            used += word - at;
            out[used++] = '{';
            memcpy(out + used, text + word, at + length - word);
            used += at + length - word;
            out[used++] = ':';
            out[used++] = ' ';
            at += length;
            open = true;
            continue;
        }
        if (open && text[at] == '}') {
            out[used++] = '}';
            open = false;
        }
        out[used++] = text[at++];
    }
    out[used] = 0;
    *written = used;
    return out;
}
