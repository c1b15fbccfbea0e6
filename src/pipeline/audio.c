/* Channels, rate, scale, window, features, the tensor. */
#include "pipeline/audio.h"

#include "base/error.h"
#include "media/sound/microfrontend.h"
#include "pipeline/target.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- A run ------------------------------------------------------------------------------------------ */

/* Values on their way: [channels][rows][columns]; raw samples have a column alone. */
typedef struct audio_run {
    const xr_pipeline *pipeline;
    const xr_audio *a;
    uint32_t rate, channels;
    size_t length;    /* samples of each channel */
    size_t part, own; /* of them, the frame's: the first, and how many */
    xr_audio_part at; /* where they lie, of a frame that is a part of a recording */
    uint64_t reach;   /* 0: it is resampled alone */
    float *samples;   /* [channels][length] */
    size_t rows, columns;
    float *values;
    uint32_t *noise; /* of microfrontend, that goes on; or NULL */
    uint16_t *raw;   /* of microfrontend: values before they are stored */
    exray_error *error;
} audio_run;

/* "p.yaml:7: audio.window: ..." */
static exray_status audio_error(const audio_run *r, unsigned line, exray_status status, const char *key,
                                const char *text)
{
    if (line)
        return xr_error_set(r->error, status, "%s:%u: %s: %s", r->pipeline->name, line, key, text);
    return xr_error_set(r->error, status, "%s: %s: %s", r->pipeline->name, key, text);
}

static exray_status no_memory(const audio_run *r)
{
    return xr_error_set(r->error, EXRAY_E_MEMORY, "out of memory for a sound");
}

/* Takes the channels apart. */
static exray_status take_channels(audio_run *r, const exray_sound *sound)
{
    const xr_audio *a = r->a;
    const uint32_t has = exray_sound_channels(sound);
    const uint32_t wanted = a->channels == XR_AUDIO_RIGHT ? 2 : a->channels == XR_AUDIO_FIRST ? a->first : 1;
    char text[96];
    if (has < wanted) {
        snprintf(text, sizeof text, "the sound has %u channel%s, it takes %u", has, has == 1 ? "" : "s",
                 wanted);
        return audio_error(r, a->line, EXRAY_E_ARGUMENT, "audio.channels", text);
    }
    r->channels = a->channels == XR_AUDIO_FIRST ? a->first : 1;
    r->length = exray_sound_length(sound);
    r->samples = malloc((r->length * r->channels + 1) * sizeof *r->samples);
    if (!r->samples)
        return no_memory(r);
    const float *from = exray_sound_samples(sound);
    for (size_t i = 0; i < r->length; i++) {
        const float *frame = from + i * has;
        double sum = 0;
        for (uint32_t c = 0; a->channels == XR_AUDIO_MONO && c < has; c++)
            sum += (double)frame[c];
        for (uint32_t c = 0; c < r->channels; c++)
            r->samples[c * r->length + i] = a->channels == XR_AUDIO_MONO    ? (float)(sum / has)
                                            : a->channels == XR_AUDIO_RIGHT ? frame[1]
                                                                            : frame[c];
    }
    return EXRAY_OK;
}

static void take_samples(audio_run *r, float *samples, size_t length)
{
    free(r->samples);
    r->samples = samples;
    r->length = length;
}

static exray_status resample_all(audio_run *r, const exray_resampling *how, uint32_t from, exray_error *why)
{
    const size_t made = exray_resampling_length(r->length, from, r->a->rate);
    float *out = malloc((made * r->channels + 1) * sizeof *out);
    exray_status status = out ? EXRAY_OK : no_memory(r);
    for (uint32_t c = 0; !status && c < r->channels; c++)
        status = exray_resampling_run(how, r->samples + c * r->length, r->length, from, r->a->rate,
                                      out + c * made, why);
    if (status)
        free(out);
    else
        take_samples(r, out, made);
    return status;
}

/* A frame as a part of its recording.  What is missing of that is silence, so that a frame becomes the same
 * in every bit however much was missing behind what the filters reach. */
static exray_status resample_part(audio_run *r, const exray_resampling *how, uint32_t from, exray_error *why)
{
    const size_t before = (size_t)r->at.before, first = (size_t)r->at.first, reach = (size_t)r->reach;
    const size_t length = before + r->own + reach, all = exray_resampling_length(length, from, r->a->rate);
    const size_t made = exray_resampling_length(r->own, from, r->a->rate);
    const size_t left = r->part < before ? r->part : before, behind = r->length - r->part - r->own;
    const size_t taken = left + r->own + (behind < reach ? behind : reach);
    float *in = calloc(length + 1, sizeof *in), *whole = malloc((all + 1) * sizeof *whole);
    float *out = calloc(made * r->channels + 1, sizeof *out);
    exray_status status = in && whole && out ? EXRAY_OK : no_memory(r);
    for (uint32_t c = 0; !status && c < r->channels; c++) {
        memcpy(in + (before - left), r->samples + c * r->length + (r->part - left), taken * sizeof *in);
        status = exray_resampling_run(how, in, length, from, r->a->rate, whole, why);
        if (!status && first < all)
            memcpy(out + c * made, whole + first, (made < all - first ? made : all - first) * sizeof *out);
    }
    free(in);
    free(whole);
    if (status)
        free(out);
    else
        take_samples(r, out, made);
    return status;
}

static exray_status change_rate(audio_run *r, uint32_t from)
{
    const xr_audio *a = r->a;
    r->rate = a->rate ? a->rate : from;
    if (!a->rate || a->rate == from)
        return EXRAY_OK;
    if (!from)
        return audio_error(r, a->line, EXRAY_E_ARGUMENT, "audio.rate",
                           "the sound does not say its rate; record it with its sample_rate");
    exray_resampling how = EXRAY_RESAMPLING_INIT;
    how.kind = a->resampler;
    exray_error why = {EXRAY_OK, ""};
    exray_status status = r->reach ? resample_part(r, &how, from, &why) : resample_all(r, &how, from, &why);
    if (!status)
        return EXRAY_OK;
    return why.status ? audio_error(r, a->line, status, "audio.rate", why.message) : status;
}

/* The first `window` samples of each channel. */
static exray_status cut_window(audio_run *r)
{
    const xr_audio *a = r->a;
    char text[160];
    if (r->length == 0)
        return audio_error(r, a->window_line, EXRAY_E_ARGUMENT, "audio", "the sound has no samples");
    if (!a->window)
        return EXRAY_OK;
    if (r->length < a->window) {
        snprintf(text, sizeof text,
                 "the sound has %zu samples at %u Hz, a window takes %llu; log the sound of a "
                 "whole window with each frame",
                 r->length, r->rate, (unsigned long long)a->window);
        return audio_error(r, a->window_line, EXRAY_E_ARGUMENT, "audio.window", text);
    }
    for (uint32_t c = 1; c < r->channels; c++)
        memmove(r->samples + c * a->window, r->samples + c * r->length,
                (size_t)a->window * sizeof *r->samples);
    r->length = (size_t)a->window;
    return EXRAY_OK;
}

static int16_t to_int16(double sample)
{
    double rounded = round(sample * 32768);
    return (int16_t)(rounded > 32767 ? 32767 : rounded > -32768 ? rounded : -32768);
}

static void change_scale(audio_run *r)
{
    if (r->a->scale == 1 || r->a->features == XR_AUDIO_MICROFRONTEND)
        return;
    for (size_t i = 0; i < r->length * r->channels; i++) {
        double sample = (double)r->samples[i];
        r->samples[i] = r->a->rounded ? (float)to_int16(sample) : (float)(sample * r->a->scale);
    }
}

/* ---- Features --------------------------------------------------------------------------------------- */

static exray_status too_short(const audio_run *r)
{
    char text[160];
    snprintf(text, sizeof text, "%zu samples at %u Hz are too few for one window", r->length, r->rate);
    return audio_error(r, r->a->features_line, EXRAY_E_ARGUMENT, "audio.features", text);
}

static exray_status make_mel(audio_run *r)
{
    exray_mel how = r->a->mel;
    how.rate = r->rate ? r->rate : how.rate;
    r->rows = exray_mel_rows(&how, r->length);
    r->columns = how.n_mels ? how.n_mels : 40;
    const size_t each = r->rows * r->columns;
    r->values = malloc((each * r->channels + 1) * sizeof *r->values);
    exray_error why = {EXRAY_OK, ""};
    exray_status status = r->values ? EXRAY_OK : no_memory(r);
    for (uint32_t c = 0; !status && c < r->channels; c++)
        status = exray_mel_run(&how, r->samples + c * r->length, r->length, r->values + c * each, &why);
    if (why.status)
        return audio_error(r, r->a->features_line, why.status, "audio.features", why.message);
    return status || r->rows ? status : too_short(r);
}

/* How a value is told to a float model: 10 / 256 a step, as TensorFlow's speech commands and microWakeWord.
 */
static const float step_of_values = 10.0f / 256;

static exray_status make_microfrontend(audio_run *r)
{
    exray_microfrontend_options how = r->a->microfrontend;
    how.sample_rate = how.sample_rate ? how.sample_rate : r->rate;
    r->rows = exray_microfrontend_rows(&how, r->length);
    r->columns = exray_microfrontend_columns(&how);
    const size_t each = r->rows * r->columns, count = each * r->channels;
    int16_t *samples = malloc((r->length + 1) * sizeof *samples);
    exray_error why = {EXRAY_OK, ""};
    r->values = malloc((count + 1) * sizeof *r->values);
    r->raw = malloc((count + 1) * sizeof *r->raw);
    if (!samples || !r->values || !r->raw) {
        free(samples);
        return no_memory(r);
    }
    exray_status status = EXRAY_OK;
    for (uint32_t c = 0; !status && c < r->channels; c++) {
        for (size_t i = 0; i < r->length; i++)
            samples[i] = to_int16((double)r->samples[c * r->length + i]);
        status = xr_microfrontend_run_on(&how, samples, r->length, r->noise, r->raw + c * each, &why);
    }
    free(samples);
    if (why.status)
        return audio_error(r, r->a->features_line, why.status, "audio.features", why.message);
    for (size_t i = 0; !status && i < count; i++)
        r->values[i] = (float)r->raw[i] * step_of_values;
    return status || r->rows ? status : too_short(r);
}

static exray_status make_features(audio_run *r)
{
    if (r->a->features == XR_AUDIO_MEL)
        return make_mel(r);
    if (r->a->features == XR_AUDIO_MICROFRONTEND)
        return make_microfrontend(r);
    r->values = r->samples;
    r->samples = NULL;
    r->rows = r->length;
    r->columns = 1;
    return EXRAY_OK;
}

/* ---- The tensor ------------------------------------------------------------------------------------- */

/* Fills open dimensions: the first is the batch where others are open, the last the columns where two are. */
static bool fill_shape(const audio_run *r, const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    const uint64_t count = (uint64_t)r->channels * r->rows * r->columns;
    uint32_t open[EXRAY_MAX_RANK], opened = 0;
    uint64_t known = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        shape[i] = info->shape[i];
        if (shape[i] < 0)
            open[opened++] = i;
        else if (shape[i] == 0 || (uint64_t)shape[i] > count)
            return false;
        else
            known *= (uint64_t)shape[i];
        if (known > count)
            return false;
    }
    uint32_t first = 0;
    if (opened > 1 && open[0] == 0)
        shape[open[first++]] = 1;
    if (opened - first == 2 && r->columns > 1 && count % (known * r->columns) == 0) {
        shape[open[first]] = (int64_t)(count / known / r->columns);
        shape[open[first + 1]] = (int64_t)r->columns;
        return true;
    }
    for (; first + 1 < opened; first++)
        shape[open[first]] = 1;
    if (opened > 0 && count % known == 0)
        shape[open[opened - 1]] = (int64_t)(count / known);
    return opened > 0 ? count % known == 0 : known == count;
}

/* The tensor's order of [outer][inner]: whether its dimensions larger than 1 are these two, exchanged. */
static bool is_exchanged(const exray_tensor_info *info, const int64_t *shape, size_t outer, size_t inner)
{
    int64_t larger[2] = {0, 0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        if (shape[i] > 1) {
            if (count == 2)
                return false;
            larger[count++] = shape[i];
        }
    return count == 2 && outer != inner && larger[0] == (int64_t)inner && larger[1] == (int64_t)outer;
}

/* [outer][inner] to [inner][outer]. */
static bool exchange(float **values, uint16_t *raw, size_t outer, size_t inner)
{
    float *turned = malloc((outer * inner + 1) * sizeof *turned);
    uint16_t *turned_raw = raw ? malloc((outer * inner + 1) * sizeof *turned_raw) : NULL;
    const bool ok = turned && (!raw || turned_raw);
    for (size_t i = 0; ok && i < outer; i++)
        for (size_t k = 0; k < inner; k++) {
            turned[k * outer + i] = (*values)[i * inner + k];
            if (raw)
                turned_raw[k * outer + i] = raw[i * inner + k];
        }
    if (ok) {
        free(*values);
        *values = turned;
        if (raw)
            memcpy(raw, turned_raw, outer * inner * sizeof *raw);
    } else
        free(turned);
    free(turned_raw);
    return ok;
}

/* Puts the values in the tensor's order: samples of several channels are [length][channels] as they are in
 * files, features [rows][columns], unless its shape has the two exchanged. */
static exray_status order_values(audio_run *r, const exray_tensor_info *info, const int64_t *shape)
{
    bool ok = true;
    if (r->columns == 1 && r->channels > 1) {
        if (!is_exchanged(info, shape, r->rows, r->channels))
            ok = exchange(&r->values, r->raw, r->channels, r->rows);
    } else if (r->channels == 1 && r->columns > 1 && is_exchanged(info, shape, r->rows, r->columns))
        ok = exchange(&r->values, r->raw, r->rows, r->columns);
    return ok ? EXRAY_OK : no_memory(r);
}

static exray_status mismatch(const audio_run *r, const exray_tensor_info *info)
{
    char text[256], sizes[96] = "";
    size_t used = 0;
    for (uint32_t i = 0; i < info->rank && used < sizeof sizes; i++) {
        int wrote =
            snprintf(sizes + used, sizeof sizes - used, "%s%lld", i ? "," : "", (long long)info->shape[i]);
        used += wrote > 0 ? (size_t)wrote : 0;
    }
    const bool samples = r->a->features == XR_AUDIO_SAMPLES;
    if (samples)
        snprintf(text, sizeof text, "%zu samples%s do not fill the model's input [%s]; %s", r->rows,
                 r->channels > 1 ? " of several channels" : "", sizes,
                 r->a->window ? "change its length" : "name its length, such as window: 15600");
    else
        snprintf(text, sizeof text, "%zu rows of %zu do not fill the model's input [%s]; %s", r->rows,
                 r->columns, sizes,
                 r->a->window ? "change audio.window, or the features" : "name audio.window");
    /* With a window named, every sound becomes as many. */
    return audio_error(r, r->a->window ? r->a->window_line : r->a->line,
                       r->a->window ? EXRAY_E_UNSUPPORTED : EXRAY_E_ARGUMENT,
                       samples ? "audio.window" : "audio.features", text);
}

static exray_status store(audio_run *r, const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK],
                          void *(*room)(void *user, size_t size), void *user)
{
    const size_t count = r->channels * r->rows * r->columns, element = exray_dtype_bits(info->dtype) / 8;
    if (!info->shape || !info->rank || element == 0)
        return xr_error_set(r->error, EXRAY_E_UNSUPPORTED,
                            "the model's input is %s; a sound cannot be made that",
                            exray_dtype_name(info->dtype));
    if (!fill_shape(r, info, shape))
        return mismatch(r, info);
    exray_status status = order_values(r, info, shape);
    if (status)
        return status;
    uint8_t *out = room(user, count * element);
    if (!out)
        return no_memory(r);
    if (r->raw && info->dtype == EXRAY_DTYPE_INT8) {
        for (size_t i = 0; i < count; i++)
            out[i] = (uint8_t)exray_microfrontend_int8(r->raw[i]);
        return EXRAY_OK;
    }
    const bool whole = r->raw && info->quantization.count == 0 && info->dtype != EXRAY_DTYPE_FLOAT16 &&
                       info->dtype != EXRAY_DTYPE_FLOAT32 && info->dtype != EXRAY_DTYPE_FLOAT64;
    for (size_t i = 0; whole && i < count; i++)
        r->values[i] = r->raw[i];
    return xr_target_store(info, r->values, count, out, count * element, r->error);
}

/* A frame with what is around it. */
static uint8_t *join(const xr_sound_around *around, const void *data, size_t size)
{
    uint8_t *bytes = malloc(around->before_size + size + around->behind_size + 1);
    if (!bytes)
        return NULL;
    if (around->before_size)
        memcpy(bytes, around->before, around->before_size);
    if (size)
        memcpy(bytes + around->before_size, data, size);
    if (around->behind_size)
        memcpy(bytes + around->before_size + size, around->behind, around->behind_size);
    return bytes;
}

size_t xr_sound_sample_size(const exray_media *media)
{
    const char *format = media->format ? media->format : "";
    const size_t each = strcmp(format, "s16") == 0 ? 2 : strcmp(format, "f32") == 0 ? 4 : 0;
    return each * (media->channels ? media->channels : 1);
}

/* Whether a frame is resampled as a part of its recording; fills where it lies in the sound of `join`. */
static bool place_part(audio_run *r, const exray_media *media, const xr_sound_around *around, size_t size)
{
    const size_t each = xr_sound_sample_size(media);
    const uint64_t reach = around && each ? xr_audio_reach(r->a, media->sample_rate) : 0;
    if (!reach || size % each || around->before_size % each || around->behind_size % each)
        return false;
    r->reach = reach;
    r->part = around->before_size / each;
    r->own = size / each;
    r->at = xr_audio_part_at(r->a, media->sample_rate, around->begin);
    return true;
}

exray_status xr_pipeline_make_audio(const xr_pipeline *pipeline, const exray_media *media, const void *data,
                                    size_t size, const xr_sound_around *around, uint32_t *noise,
                                    const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK],
                                    void *(*room)(void *user, size_t size), void *user, exray_error *error)
{
    exray_media told = media ? *media : (exray_media){0};
    if (told.format && !*told.format)
        told.format = NULL; /* a file: WAV */
    audio_run r = {.pipeline = pipeline, .a = &pipeline->audio, .noise = noise, .error = error};
    const bool is_part = place_part(&r, &told, around, size);
    uint8_t *joined = is_part ? join(around, data, size) : NULL;
    if (is_part && !joined)
        return no_memory(&r);
    exray_sound *sound =
        exray_sound_decode(&told, joined ? joined : data,
                           joined ? around->before_size + size + around->behind_size : size, error);
    free(joined);
    if (!sound)
        return error->status == EXRAY_E_UNSUPPORTED
                   ? (error->status = EXRAY_E_FORMAT) /* this sound, not the run */
                   : error->status;
    exray_status status = take_channels(&r, sound);
    if (!status)
        status = change_rate(&r, exray_sound_rate(sound));
    if (!status)
        status = cut_window(&r);
    if (!status) {
        change_scale(&r);
        status = make_features(&r);
    }
    if (!status)
        status = store(&r, info, shape, room, user);
    exray_sound_free(sound);
    free(r.samples);
    free(r.values);
    free(r.raw);
    return status;
}
