#include "replay/told/saturation.h"

#include <math.h>
#include <stdio.h>

typedef struct value_range {
    double least, most;
} value_range;

/* What the last normalization of the file makes of 0 to 255; false: it has none. */
static bool range_made(const xr_pipeline *pipeline, value_range *out)
{
    bool found = false;
    for (unsigned i = 0; i < pipeline->step_count; i++) {
        const xr_step *step = &pipeline->steps[i];
        if (step->kind != XR_STEP_NORMALIZE || step->as.normalize.of_model)
            continue;
        const double mean = step->as.normalize.mean[0], std = step->as.normalize.std[0];
        const double first = (0 - mean) / std, last = (255 - mean) / std;
        *out = (value_range){fmin(first, last), fmax(first, last)};
        found = true;
    }
    return found;
}

/* What a quantized 8-bit tensor holds; false: it is none. */
static bool range_held(const exray_tensor_info *info, value_range *out)
{
    const bool is_signed = info->dtype == EXRAY_DTYPE_INT8;
    if ((!is_signed && info->dtype != EXRAY_DTYPE_UINT8) || info->quantization.count != 1)
        return false;
    const double scale = (double)info->quantization.scale[0];
    const double zero = info->quantization.zero_point ? (double)info->quantization.zero_point[0] : 0;
    *out = (value_range){((is_signed ? -128 : 0) - zero) * scale, ((is_signed ? 127 : 255) - zero) * scale};
    return out->most > out->least;
}

static void warn_of_feed(const xr_feed *feed, const value_range *made, void (*warn)(void *, const char *),
                         void *user)
{
    value_range held;
    if (!range_held(&feed->info, &held) || feed->size == 0)
        return;
    const double slack = 0.05 * (held.most - held.least);
    if (made->least >= held.least - slack && made->most <= held.most + slack)
        return;
    const bool is_signed = feed->info.dtype == EXRAY_DTYPE_INT8;
    const int ends[2] = {is_signed ? -128 : 0, is_signed ? 127 : 255};
    size_t at[2] = {0, 0};
    for (size_t i = 0; i < feed->size; i++) {
        const int value = is_signed ? (int8_t)feed->bytes[i] : feed->bytes[i];
        at[0] += value == ends[0];
        at[1] += value == ends[1];
    }
    const int end = at[1] >= at[0];
    const double share = (double)at[end] / (double)feed->size;
    char text[400];
    if (share < 0.5)
        return;
    snprintf(
        text, sizeof text,
        "%.0f %% of the input %.80s is %d, the %s that it holds: the pipeline makes %.4g to %.4g, the model "
        "takes %.4g to %.4g; `normalize: model` maps bytes as they are",
        floor(100 * share), feed->info.name ? feed->info.name : "", ends[end], end ? "most" : "least",
        made->least, made->most, held.least, held.most);
    warn(user, text);
}

void xr_saturation_warn(const xr_pipeline *pipeline, const xr_fills *fills, const xr_feeds *feeds,
                        void (*warn)(void *user, const char *text), void *user)
{
    value_range made;
    if (!pipeline || !range_made(pipeline, &made))
        return;
    for (uint32_t i = 0; i < fills->count && i < feeds->count; i++)
        if (fills->of[i].kind == XR_FILL_IMAGE)
            warn_of_feed(&feeds->of[i], &made, warn, user);
}
