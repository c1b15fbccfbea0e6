#include "pipeline/parse_image.h"

#include "pipeline/check_steps.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MAX_LISTED = XR_MAX_STEPS - 2 };

static bool parse_orient(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice choices[] = {{"exif", 1}, {"none", 0}};
    int value;
    if (!xr_parse_choose(p, node, where, "orientation", choices, XR_COUNT(choices), &value))
        return false;
    step->as.orient = value;
    return true;
}

/* letterbox [PAD] [corner] [multiple N]: in any order. */
static bool parse_letterbox(xr_parser *p, const xr_yaml *node, const char *where, const xr_words *w,
                            xr_step *step)
{
    bool padded = false;
    for (unsigned i = 1; i < w->count; i++) {
        int64_t number;
        if (!strcmp(w->word[i], "corner"))
            step->as.crop.corner = true;
        else if (!strcmp(w->word[i], "multiple") && i + 1 < w->count &&
                 xr_parse_integer(w->word[i + 1], 1, XR_MAX_TARGET_SIDE, &number)) {
            step->as.crop.multiple = (uint32_t)number;
            i++;
        } else if (!padded && xr_parse_integer(w->word[i], 0, 255, &number)) {
            step->as.crop.pad = (uint8_t)number;
            padded = true;
        } else
            return xr_parse_fail_value(
                p, node->line, where, node->text,
                "'letterbox [PAD] [corner] [multiple N]' with PAD a whole number 0 to 255");
    }
    return true;
}

/* region: reading, or X Y WIDTH HEIGHT [DEGREES] in shares of the picture. */
static bool parse_region(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    xr_region *r = &step->as.crop.region;
    double *at[] = {&r->x, &r->y, &r->width, &r->height, &r->degrees};
    xr_words w;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    step->as.crop.kind = XR_CROP_REGION;
    step->as.crop.of_reading = w.count == 1 && !strcmp(w.word[0], "reading");
    bool ok = step->as.crop.of_reading || w.count == 4 || w.count == 5;
    for (unsigned i = 0; i < w.count && ok && !step->as.crop.of_reading; i++)
        ok = xr_parse_number(w.word[i], at[i]) && fabs(*at[i]) <= 1e6;
    if (ok && (step->as.crop.of_reading || (r->width > 0 && r->height > 0)))
        return true;
    return xr_parse_fail_value(
        p, node->line, where, node->text,
        "'reading' or 'X Y WIDTH HEIGHT [DEGREES]': the middle and the size in shares of the "
        "picture's, 0 to 1, the angle clockwise");
}

static bool parse_pad(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    if (!xr_parse_need_scalar(p, node, where))
        return false;
    if (!xr_parse_number(node->text, &step->as.pad) || fabs(step->as.pad) > 1e9)
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "a number: the ground, in normalized values");
    return true;
}

static bool parse_crop(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice choices[] = {
        {"none", XR_CROP_NONE}, {"center", XR_CROP_CENTER}, {"letterbox", XR_CROP_LETTERBOX}};
    xr_words w;
    int kind;
    double number;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    if (w.count == 1 && xr_parse_size(w.word[0], &step->as.crop.width, &step->as.crop.height)) {
        step->as.crop.kind = XR_CROP_SIZE;
        return true;
    }
    if (w.word[0][0] >= '0' && w.word[0][0] <= '9')
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "a size such as 224x224 (width x height, each 1 to 16384)");
    if (!xr_parse_find(w.word[0], choices, XR_COUNT(choices), &kind))
        return xr_parse_fail_unknown(p, node->line, where, "crop", w.word[0], choices, XR_COUNT(choices));
    step->as.crop.kind = (xr_crop_kind)kind;
    if (kind == XR_CROP_CENTER) {
        if (w.count != 2 || !xr_parse_number(w.word[1], &number) || number <= 0 || number > 1)
            return xr_parse_fail_value(
                p, node->line, where, node->text,
                "'center FRACTION' with a fraction above 0 and up to 1, such as center 0.875");
        step->as.crop.fraction = number;
        return true;
    }
    if (kind == XR_CROP_LETTERBOX)
        return parse_letterbox(p, node, where, &w, step);
    return w.count == 1 || xr_parse_fail_value(p, node->line, where, node->text, "'none' alone");
}

/* The size word of a resize: WIDTHxHEIGHT, or the shorter side. */
static bool parse_resize_size(const char *word, xr_resize *resize)
{
    int64_t side;
    if (xr_parse_size(word, &resize->width, &resize->height)) {
        resize->size = XR_SIZE_EXACT;
        return true;
    }
    if (!xr_parse_integer(word, 1, XR_MAX_TARGET_SIDE, &side))
        return false;
    resize->size = XR_SIZE_SHORTER;
    resize->width = (uint32_t)side;
    return true;
}

static bool parse_resize(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice filters[] = {
        {"nearest", EXRAY_FILTER_NEAREST}, {"bilinear", EXRAY_FILTER_BILINEAR},
        {"bicubic", EXRAY_FILTER_BICUBIC}, {"area", EXRAY_FILTER_AREA},
        {"lanczos", EXRAY_FILTER_LANCZOS}, {"hamming", EXRAY_FILTER_HAMMING}};
    static const xr_choice flags[] = {{"antialias", EXRAY_SAMPLING_ANTIALIAS},
                                      {"align_corners", EXRAY_SAMPLING_ALIGN_CORNERS},
                                      {"asymmetric", EXRAY_SAMPLING_ASYMMETRIC},
                                      {"exact", EXRAY_SAMPLING_EXACT},
                                      {"summed", EXRAY_SAMPLING_SUMMED}};
    xr_resize *resize = &step->as.resize;
    xr_words w;
    unsigned at = 0;
    int value;
    if (!xr_parse_split(p, node, where, &w))
        return false;
    *resize = (xr_resize){.filter = EXRAY_FILTER_BILINEAR, .size = XR_SIZE_MODEL};
    if (!strcmp(w.word[0], "none") && w.count == 1) {
        resize->size = XR_SIZE_KEEP;
        return true;
    }
    if (w.word[0][0] < '0' || w.word[0][0] > '9') { /* not a size: the filter */
        if (!xr_parse_find(w.word[0], filters, XR_COUNT(filters), &value))
            return xr_parse_fail_unknown(p, node->line, where, "filter", w.word[0], filters,
                                         XR_COUNT(filters));
        resize->filter = (exray_filter)value;
        at++;
    }
    for (; at < w.count; at++) {
        if (resize->size == XR_SIZE_MODEL && w.word[at][0] >= '0' && w.word[at][0] <= '9') {
            if (!parse_resize_size(w.word[at], resize))
                return xr_parse_fail_value(
                    p, node->line, where, w.word[at],
                    "a size such as 224x224 (width x height, each 1 to 16384) or 256 (shorter side)");
            continue;
        }
        if (!xr_parse_find(w.word[at], flags, XR_COUNT(flags), &value))
            return xr_parse_fail_unknown(p, node->line, where, "option", w.word[at], flags, XR_COUNT(flags));
        if (resize->sampling != EXRAY_SAMPLING_HALF_PIXEL)
            return xr_parse_fail(
                p, node->line, where,
                resize->sampling == (exray_sampling)value
                    ? "an option is there twice"
                    : "antialias, align_corners, asymmetric, exact and summed exclude each other; keep one");
        resize->sampling = (exray_sampling)value;
    }
    if (resize->filter == EXRAY_FILTER_NEAREST && resize->sampling == EXRAY_SAMPLING_ANTIALIAS)
        return xr_parse_fail(p, node->line, where,
                             "nearest has no antialias; use area antialias or leave it out");
    if (resize->filter == EXRAY_FILTER_AREA && resize->sampling == EXRAY_SAMPLING_ALIGN_CORNERS)
        return xr_parse_fail(p, node->line, where,
                             "area has no align_corners; use nearest, bilinear or bicubic");
    if (resize->filter > EXRAY_FILTER_AREA && !xr_resize_exists(resize->filter, resize->sampling))
        return xr_parse_fail(p, node->line, where, "lanczos and hamming are with antialias only; add it");
    if (resize->sampling == EXRAY_SAMPLING_ASYMMETRIC && !xr_resize_exists(resize->filter, resize->sampling))
        return xr_parse_fail(p, node->line, where, "area has no asymmetric; leave it out");
    if (!xr_resize_exists(resize->filter, resize->sampling))
        return xr_parse_fail(p, node->line, where, "only nearest has exact and summed; leave it out");
    return true;
}

static bool parse_rotate(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice choices[] = {{"0", 0}, {"90", 1}, {"180", 2}, {"270", 3}};
    int value;
    if (!xr_parse_choose(p, node, where, "angle", choices, XR_COUNT(choices), &value))
        return false;
    step->as.quarter_turns = (unsigned)value;
    return true;
}

static bool parse_flip(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice choices[] = {
        {"none", XR_FLIP_NONE}, {"horizontal", XR_FLIP_HORIZONTAL}, {"vertical", XR_FLIP_VERTICAL}};
    int value;
    if (!xr_parse_choose(p, node, where, "flip", choices, XR_COUNT(choices), &value))
        return false;
    step->as.flip = (xr_flip)value;
    return true;
}

static bool parse_channels(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice choices[] = {{"rgb", 0}, {"rbg", 0}, {"grb", 0}, {"gbr", 0},
                                        {"brg", 0}, {"bgr", 0}, {"gray", 1}};
    int gray;
    if (!xr_parse_choose(p, node, where, "channel order", choices, XR_COUNT(choices), &gray))
        return false;
    memcpy(step->as.channels, gray ? "y" : node->text, gray ? 2 : 4);
    return true;
}

static bool parse_factor(xr_parser *p, const xr_yaml *node, const char *where, bool positive, double *out)
{
    if (!xr_parse_need_scalar(p, node, where))
        return false;
    if (!xr_parse_number(node->text, out) || fabs(*out) > 1e9)
        return xr_parse_fail_value(p, node->line, where, node->text, "a number");
    if (positive && !(*out >= 1e-9))
        return xr_parse_fail_value(p, node->line, where, node->text,
                                   "a number above 0: values are divided by it");
    return true;
}

/* A number for all channels, or a list of 1 or 3. */
static bool parse_factors(xr_parser *p, const xr_yaml *node, const char *where, bool positive, double out[3],
                          unsigned *count)
{
    *count = 0;
    if (node->kind != XR_YAML_LIST) {
        *count = 1;
        return parse_factor(p, node, where, positive, &out[0]);
    }
    for (const xr_yaml *item = node->first; item; item = item->next) {
        if (*count == 3)
            return xr_parse_fail(p, item->line, where,
                                 "has more than 3 values; give one, or one for each channel");
        if (!parse_factor(p, item, where, positive, &out[(*count)++]))
            return false;
    }
    if (*count != 1 && *count != 3)
        return xr_parse_fail(p, node->line, where, "needs one value, or one for each of 3 channels");
    return true;
}

static bool parse_normalize(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const xr_choice keys[] = {{"mean", 0}, {"std", 1}};
    step->as.normalize.mean_count = step->as.normalize.std_count = 1;
    step->as.normalize.mean[0] = 0;
    step->as.normalize.std[0] = 1;
    if (node->kind == XR_YAML_SCALAR && !strcmp(node->text, "none"))
        return true;
    step->as.normalize.of_model = node->kind == XR_YAML_SCALAR && !strcmp(node->text, "model");
    if (step->as.normalize.of_model)
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, where, "needs {mean: ..., std: ...}, on 0..255, model, or none");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        char inner[64];
        int is_std;
        if (!xr_parse_find(child->key, keys, XR_COUNT(keys), &is_std))
            return xr_parse_fail_unknown(p, child->key_line, where, "key", child->key, keys, XR_COUNT(keys));
        snprintf(inner, sizeof inner, "%s.%s", where, child->key);
        bool ok = is_std ? parse_factors(p, child, inner, true, step->as.normalize.std,
                                         &step->as.normalize.std_count)
                         : parse_factors(p, child, inner, false, step->as.normalize.mean,
                                         &step->as.normalize.mean_count);
        if (!ok)
            return false;
    }
    return true;
}

static bool parse_layout(xr_parser *p, const xr_yaml *node, const char *where)
{
    static const xr_choice choices[] = {{"nhwc", XR_LAYOUT_NHWC}, {"nchw", XR_LAYOUT_NCHW}};
    int value;
    if (!xr_parse_choose(p, node, where, "layout", choices, XR_COUNT(choices), &value))
        return false;
    p->pipeline->layout = (xr_layout)value;
    return true;
}

/* The keys of `image:`, in the order in which they run. */
enum { KEY_LAYOUT = XR_STEP_PAD + 1, KEY_REGION, KEY_STEPS };
static const xr_choice image_keys[] = {
    {"orient", XR_STEP_ORIENT},     {"crop", XR_STEP_CROP},
    {"region", KEY_REGION},         {"resize", XR_STEP_RESIZE},
    {"rotate", XR_STEP_ROTATE},     {"flip", XR_STEP_FLIP},
    {"channels", XR_STEP_CHANNELS}, {"normalize", XR_STEP_NORMALIZE},
    {"pad", XR_STEP_PAD},           {"layout", KEY_LAYOUT},
    {"steps", KEY_STEPS},
};

static bool parse_step(xr_parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    switch (step->kind) {
    case XR_STEP_ORIENT:
        return parse_orient(p, node, where, step);
    case XR_STEP_CROP:
        return parse_crop(p, node, where, step);
    case XR_STEP_RESIZE:
        return parse_resize(p, node, where, step);
    case XR_STEP_ROTATE:
        return parse_rotate(p, node, where, step);
    case XR_STEP_FLIP:
        return parse_flip(p, node, where, step);
    case XR_STEP_CHANNELS:
        return parse_channels(p, node, where, step);
    case XR_STEP_NORMALIZE:
        return parse_normalize(p, node, where, step);
    case XR_STEP_PAD:
        return parse_pad(p, node, where, step);
    }
    return false;
}

void xr_parse_default_steps(xr_pipeline *pipeline)
{
    pipeline->step_count = 0;
    for (int kind = XR_STEP_ORIENT; kind <= XR_STEP_NORMALIZE; kind++) {
        xr_step step = {.kind = (xr_step_kind)kind};
        if (kind == XR_STEP_ORIENT)
            step.as.orient = true;
        if (kind == XR_STEP_RESIZE)
            step.as.resize = (xr_resize){.filter = EXRAY_FILTER_BILINEAR, .size = XR_SIZE_MODEL};
        if (kind == XR_STEP_NORMALIZE) {
            step.as.normalize.mean_count = step.as.normalize.std_count = 1;
            step.as.normalize.std[0] = 1;
        }
        pipeline->steps[pipeline->step_count++] = step;
    }
}

static void insert_step(xr_pipeline *pipeline, unsigned at, xr_step step)
{
    memmove(&pipeline->steps[at + 1], &pipeline->steps[at],
            (pipeline->step_count - at) * sizeof *pipeline->steps);
    pipeline->steps[at] = step;
    pipeline->step_count++;
}

/* Steps that every model needs and a list may omit: orientation, and the channels that the model takes,
 * before they are normalized one by one. */
static void add_implied_steps(xr_pipeline *pipeline)
{
    bool orients = false, has_channels = false;
    unsigned normalize = pipeline->step_count;
    for (unsigned i = 0; i < pipeline->step_count; i++) {
        const xr_step *step = &pipeline->steps[i];
        orients |= step->kind == XR_STEP_ORIENT;
        has_channels |= step->kind == XR_STEP_CHANNELS;
        if (step->kind == XR_STEP_NORMALIZE && i < normalize)
            normalize = i;
    }
    if (!has_channels)
        insert_step(pipeline, normalize, (xr_step){.kind = XR_STEP_CHANNELS});
    if (!orients)
        insert_step(pipeline, 0, (xr_step){.kind = XR_STEP_ORIENT, .as.orient = true});
}

/* The list form: what is listed, in that order. */
static bool parse_steps(xr_parser *p, const xr_yaml *list)
{
    xr_pipeline *pipeline = p->pipeline;
    if (list->kind != XR_YAML_LIST)
        return xr_parse_fail(p, list->line, "image.steps", "needs a list, such as '- resize: bilinear 256'");
    pipeline->step_count = 0;
    for (const xr_yaml *item = list->first; item; item = item->next) {
        int kind;
        char where[64];
        const xr_yaml *child = item->first;
        if (item->kind != XR_YAML_MAP || !child || child->next)
            return xr_parse_fail(p, item->line, "image.steps",
                                 "each step is one key and its value, such as '- flip: horizontal'");
        if (!xr_parse_find(child->key, image_keys, XR_COUNT(image_keys) - 1, &kind))
            return xr_parse_fail_unknown(p, child->key_line, "image.steps", "step", child->key, image_keys,
                                         XR_COUNT(image_keys) - 1);
        snprintf(where, sizeof where, "image.steps.%s", child->key);
        if (kind == KEY_LAYOUT) {
            if (!parse_layout(p, child, where))
                return false;
            continue;
        }
        if (pipeline->step_count == MAX_LISTED)
            return xr_parse_fail(p, item->line, "image.steps", "too many steps; 62 are the most");
        bool region = kind == KEY_REGION;
        xr_step step = {.kind = region ? XR_STEP_CROP : (xr_step_kind)kind, .line = child->key_line};
        if (!(region ? parse_region(p, child, where, &step) : parse_step(p, child, where, &step)))
            return false;
        pipeline->steps[pipeline->step_count++] = step;
    }
    add_implied_steps(pipeline);
    return true;
}

bool xr_parse_image(xr_parser *p, const xr_yaml *node)
{
    const xr_yaml *steps = NULL;
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return xr_parse_fail(p, node->line, "image",
                             "needs keys below it, such as 'resize: bilinear 224x224'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int kind;
        char where[64];
        if (!xr_parse_find(child->key, image_keys, XR_COUNT(image_keys), &kind))
            return xr_parse_fail_unknown(p, child->key_line, "image", "key", child->key, image_keys,
                                         XR_COUNT(image_keys));
        if (kind == KEY_STEPS) {
            steps = child;
            continue;
        }
        snprintf(where, sizeof where, "image.%s", child->key);
        if (kind == KEY_LAYOUT) {
            if (!parse_layout(p, child, where))
                return false;
            continue;
        }
        bool region = kind == KEY_REGION;
        /* The last place is of a pad, which there need not be. */
        if (kind == XR_STEP_PAD)
            p->pipeline->step_count = XR_STEP_PAD + 1;
        xr_step *step = &p->pipeline->steps[region ? XR_STEP_CROP : kind];
        if ((region || kind == XR_STEP_CROP) && step->line)
            return xr_parse_fail(p, child->key_line, where, "a crop and a region; give one of them");
        *step = (xr_step){.kind = region ? XR_STEP_CROP : (xr_step_kind)kind, .line = child->key_line};
        if (!(region ? parse_region(p, child, where, step) : parse_step(p, child, where, step)))
            return false;
    }
    if (steps && node->first->next)
        return xr_parse_fail(
            p, steps->key_line, "image.steps",
            "stands beside other keys of image; put them all into the list, or leave the list out");
    if (steps && !parse_steps(p, steps))
        return false;
    return xr_check_steps(p->pipeline, p->error);
}
