/* Pipeline file to xr_pipeline: every key, its values, its default. */
#include "pipeline/parse.h"

#include "base/error.h"
#include "base/file.h"
#include "pipeline/check_steps.h"
#include "pipeline/parse_ports.h"
#include "pipeline/yaml_tree.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_WORDS = 8, WORD_SIZE = 32, DEFAULT_TOP_K = 5, MAX_LISTED = XR_MAX_STEPS - 2 };

typedef struct parser {
    xr_pipeline *pipeline;
    exray_error *error;
} parser;

/* A name and its value. */
typedef struct choice {
    const char *name;
    int value;
} choice;

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* ---- Messages ----------------------------------------------------------------- */

static bool fail(parser *p, unsigned line, const char *where, const char *text)
{
    xr_error_set(p->error, EXRAY_E_FORMAT, "%s:%u: %s%s%s", p->pipeline->name, line, where,
                 *where ? ": " : "", text);
    return false;
}

/* Edits (insert, delete, replace, swap neighbors) between two short words. */
static unsigned edit_distance(const char *a, const char *b)
{
    enum { MAX = 24 };
    size_t na = strlen(a), nb = strlen(b);
    if (na >= MAX || nb >= MAX)
        return MAX;
    unsigned row[MAX + 1][MAX + 1];
    for (size_t i = 0; i <= na; i++)
        row[i][0] = (unsigned)i;
    for (size_t j = 0; j <= nb; j++)
        row[0][j] = (unsigned)j;
    for (size_t i = 1; i <= na; i++)
        for (size_t j = 1; j <= nb; j++) {
            unsigned best = row[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
            if (row[i - 1][j] + 1 < best)
                best = row[i - 1][j] + 1;
            if (row[i][j - 1] + 1 < best)
                best = row[i][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] &&
                row[i - 2][j - 2] + 1 < best)
                best = row[i - 2][j - 2] + 1;
            row[i][j] = best;
        }
    return row[na][nb];
}

/* "unknown WHAT 'given'; did you mean x? one of a, b, c" */
static bool fail_unknown(parser *p, unsigned line, const char *where, const char *what, const char *given,
                         const choice *choices, size_t count)
{
    char text[320];
    char shown[XR_SHOWN];
    const char *nearest = NULL;
    unsigned nearest_distance = 3;
    for (size_t i = 0; i < count; i++) {
        unsigned distance = edit_distance(given, choices[i].name);
        if (distance < nearest_distance && distance < strlen(choices[i].name)) {
            nearest = choices[i].name;
            nearest_distance = distance;
        }
    }
    int used = snprintf(text, sizeof text, "unknown %s '%s'; ", what, xr_show(given, shown));
    if (nearest)
        used += snprintf(text + used, sizeof text - (size_t)used, "did you mean %s? ", nearest);
    for (size_t i = 0; i < count && (size_t)used < sizeof text; i++)
        used += snprintf(text + used, sizeof text - (size_t)used, "%s%s",
                         i > 0        ? ", "
                         : count == 1 ? "there is only "
                                      : "one of ",
                         choices[i].name);
    return fail(p, line, where, text);
}

static bool fail_value(parser *p, unsigned line, const char *where, const char *given, const char *expected)
{
    char text[320];
    char shown[XR_SHOWN];
    snprintf(text, sizeof text, "'%s' is not %s", xr_show(given, shown), expected);
    return fail(p, line, where, text);
}

/* ---- Scalars -------------------------------------------------------------------- */

static bool find_choice(const char *name, const choice *choices, size_t count, int *value)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, choices[i].name)) {
            *value = choices[i].value;
            return true;
        }
    return false;
}

/* A finite decimal number; strtod alone would also take "nan", "inf", "0x1p3". */
static bool to_number(const char *text, double *out)
{
    if (!*text || strlen(text) >= WORD_SIZE || strspn(text, "0123456789+-.eE") != strlen(text))
        return false;
    char *end;
    *out = strtod(text, &end);
    return !*end && isfinite(*out);
}

static bool to_integer(const char *text, int64_t min, int64_t max, int64_t *out)
{
    size_t digits = strspn(text + (*text == '-'), "0123456789");
    if (!digits || digits > 12 || text[(*text == '-') + digits])
        return false;
    *out = strtoll(text, NULL, 10);
    return *out >= min && *out <= max;
}

/* "224x224"; each side 1..XR_MAX_TARGET_SIDE */
static bool to_size(const char *text, uint32_t *width, uint32_t *height)
{
    char copy[WORD_SIZE];
    int64_t w, h;
    if (strlen(text) >= sizeof copy)
        return false;
    memcpy(copy, text, strlen(text) + 1);
    char *x = strchr(copy, 'x');
    if (!x)
        return false;
    *x = 0;
    if (!to_integer(copy, 1, XR_MAX_TARGET_SIDE, &w) || !to_integer(x + 1, 1, XR_MAX_TARGET_SIDE, &h))
        return false;
    *width = (uint32_t)w;
    *height = (uint32_t)h;
    return true;
}

static bool need_scalar(parser *p, const xr_yaml *node, const char *where)
{
    if (node->kind != XR_YAML_SCALAR)
        return fail(p, node->line, where, "needs a single value, not a list or a map");
    if (xr_yaml_is_null(node))
        return fail(p, node->line, where, "has no value; give one, or leave the key out for its default");
    return true;
}

typedef struct words {
    unsigned count;
    char word[MAX_WORDS][WORD_SIZE];
} words;

/* Splits a scalar at blanks. */
static bool split(parser *p, const xr_yaml *node, const char *where, words *out)
{
    if (!need_scalar(p, node, where))
        return false;
    out->count = 0;
    for (const char *s = node->text; *s;) {
        size_t blanks = strspn(s, " \t");
        size_t length = strcspn(s + blanks, " \t");
        if (!length)
            break;
        if (length >= WORD_SIZE || out->count == MAX_WORDS)
            return fail_value(p, node->line, where, node->text, "a value that this key takes");
        memcpy(out->word[out->count], s + blanks, length);
        out->word[out->count++][length] = 0;
        s += blanks + length;
    }
    if (!out->count)
        return fail(p, node->line, where, "is empty; give a value, or leave the key out for its default");
    return true;
}

/* The scalar is one of the names. */
static bool choose(parser *p, const xr_yaml *node, const char *where, const char *what, const choice *choices,
                   size_t count, int *value)
{
    if (!need_scalar(p, node, where))
        return false;
    if (find_choice(node->text, choices, count, value))
        return true;
    return fail_unknown(p, node->line, where, what, node->text, choices, count);
}

/* ---- Steps ---------------------------------------------------------------------- */

static bool parse_orient(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice choices[] = {{"exif", 1}, {"none", 0}};
    int value;
    if (!choose(p, node, where, "orientation", choices, COUNT(choices), &value))
        return false;
    step->as.orient = value;
    return true;
}

/* letterbox [PAD] [corner] [multiple N]: in any order. */
static bool parse_letterbox(parser *p, const xr_yaml *node, const char *where, const words *w, xr_step *step)
{
    bool padded = false;
    for (unsigned i = 1; i < w->count; i++) {
        int64_t number;
        if (!strcmp(w->word[i], "corner"))
            step->as.crop.corner = true;
        else if (!strcmp(w->word[i], "multiple") && i + 1 < w->count &&
                 to_integer(w->word[i + 1], 1, XR_MAX_TARGET_SIDE, &number)) {
            step->as.crop.multiple = (uint32_t)number;
            i++;
        } else if (!padded && to_integer(w->word[i], 0, 255, &number)) {
            step->as.crop.pad = (uint8_t)number;
            padded = true;
        } else
            return fail_value(p, node->line, where, node->text,
                              "'letterbox [PAD] [corner] [multiple N]' with PAD a whole number 0 to 255");
    }
    return true;
}

/* region: reading, or X Y WIDTH HEIGHT [DEGREES] in shares of the picture. */
static bool parse_region(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    xr_region *r = &step->as.crop.region;
    double *at[] = {&r->x, &r->y, &r->width, &r->height, &r->degrees};
    words w;
    if (!split(p, node, where, &w))
        return false;
    step->as.crop.kind = XR_CROP_REGION;
    step->as.crop.of_reading = w.count == 1 && !strcmp(w.word[0], "reading");
    bool ok = step->as.crop.of_reading || w.count == 4 || w.count == 5;
    for (unsigned i = 0; i < w.count && ok && !step->as.crop.of_reading; i++)
        ok = to_number(w.word[i], at[i]) && fabs(*at[i]) <= 1e6;
    if (ok && (step->as.crop.of_reading || (r->width > 0 && r->height > 0)))
        return true;
    return fail_value(p, node->line, where, node->text,
                      "'reading' or 'X Y WIDTH HEIGHT [DEGREES]': the middle and the size in shares of the "
                      "picture's, 0 to 1, the angle clockwise");
}

static bool parse_pad(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    if (!need_scalar(p, node, where))
        return false;
    if (!to_number(node->text, &step->as.pad) || fabs(step->as.pad) > 1e9)
        return fail_value(p, node->line, where, node->text, "a number: the ground, in normalized values");
    return true;
}

static bool parse_crop(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice choices[] = {
        {"none", XR_CROP_NONE}, {"center", XR_CROP_CENTER}, {"letterbox", XR_CROP_LETTERBOX}};
    words w;
    int kind;
    double number;
    if (!split(p, node, where, &w))
        return false;
    if (w.count == 1 && to_size(w.word[0], &step->as.crop.width, &step->as.crop.height)) {
        step->as.crop.kind = XR_CROP_SIZE;
        return true;
    }
    if (w.word[0][0] >= '0' && w.word[0][0] <= '9')
        return fail_value(p, node->line, where, node->text,
                          "a size such as 224x224 (width x height, each 1 to 16384)");
    if (!find_choice(w.word[0], choices, COUNT(choices), &kind))
        return fail_unknown(p, node->line, where, "crop", w.word[0], choices, COUNT(choices));
    step->as.crop.kind = (xr_crop_kind)kind;
    if (kind == XR_CROP_CENTER) {
        if (w.count != 2 || !to_number(w.word[1], &number) || number <= 0 || number > 1)
            return fail_value(p, node->line, where, node->text,
                              "'center FRACTION' with a fraction above 0 and up to 1, such as center 0.875");
        step->as.crop.fraction = number;
        return true;
    }
    if (kind == XR_CROP_LETTERBOX)
        return parse_letterbox(p, node, where, &w, step);
    return w.count == 1 || fail_value(p, node->line, where, node->text, "'none' alone");
}

/* The size word of a resize: WIDTHxHEIGHT, or the shorter side. */
static bool parse_resize_size(const char *word, xr_resize *resize)
{
    int64_t side;
    if (to_size(word, &resize->width, &resize->height)) {
        resize->size = XR_SIZE_EXACT;
        return true;
    }
    if (!to_integer(word, 1, XR_MAX_TARGET_SIDE, &side))
        return false;
    resize->size = XR_SIZE_SHORTER;
    resize->width = (uint32_t)side;
    return true;
}

static bool parse_resize(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice filters[] = {{"nearest", EXRAY_FILTER_NEAREST},
                                     {"bilinear", EXRAY_FILTER_BILINEAR},
                                     {"bicubic", EXRAY_FILTER_BICUBIC},
                                     {"area", EXRAY_FILTER_AREA}};
    static const choice flags[] = {{"antialias", EXRAY_SAMPLING_ANTIALIAS},
                                   {"align_corners", EXRAY_SAMPLING_ALIGN_CORNERS},
                                   {"asymmetric", EXRAY_SAMPLING_ASYMMETRIC},
                                   {"exact", EXRAY_SAMPLING_EXACT}};
    xr_resize *resize = &step->as.resize;
    words w;
    unsigned at = 0;
    int value;
    if (!split(p, node, where, &w))
        return false;
    *resize = (xr_resize){.filter = EXRAY_FILTER_BILINEAR, .size = XR_SIZE_MODEL};
    if (!strcmp(w.word[0], "none") && w.count == 1) {
        resize->size = XR_SIZE_KEEP;
        return true;
    }
    if (w.word[0][0] < '0' || w.word[0][0] > '9') { /* not a size: the filter */
        if (!find_choice(w.word[0], filters, COUNT(filters), &value))
            return fail_unknown(p, node->line, where, "filter", w.word[0], filters, COUNT(filters));
        resize->filter = (exray_filter)value;
        at++;
    }
    for (; at < w.count; at++) {
        if (resize->size == XR_SIZE_MODEL && w.word[at][0] >= '0' && w.word[at][0] <= '9') {
            if (!parse_resize_size(w.word[at], resize))
                return fail_value(
                    p, node->line, where, w.word[at],
                    "a size such as 224x224 (width x height, each 1 to 16384) or 256 (shorter side)");
            continue;
        }
        if (!find_choice(w.word[at], flags, COUNT(flags), &value))
            return fail_unknown(p, node->line, where, "option", w.word[at], flags, COUNT(flags));
        if (resize->sampling != EXRAY_SAMPLING_HALF_PIXEL)
            return fail(p, node->line, where,
                        resize->sampling == (exray_sampling)value
                            ? "an option is there twice"
                            : "antialias, align_corners, asymmetric and exact exclude each other; keep one");
        resize->sampling = (exray_sampling)value;
    }
    if (resize->filter == EXRAY_FILTER_NEAREST && resize->sampling == EXRAY_SAMPLING_ANTIALIAS)
        return fail(p, node->line, where, "nearest has no antialias; use area antialias or leave it out");
    if (resize->filter == EXRAY_FILTER_AREA && resize->sampling == EXRAY_SAMPLING_ALIGN_CORNERS)
        return fail(p, node->line, where, "area has no align_corners; use nearest, bilinear or bicubic");
    if (resize->sampling == EXRAY_SAMPLING_ASYMMETRIC && !xr_resize_exists(resize->filter, resize->sampling))
        return fail(p, node->line, where, "only bilinear and bicubic have asymmetric; leave it out");
    if (resize->sampling == EXRAY_SAMPLING_EXACT && !xr_resize_exists(resize->filter, resize->sampling))
        return fail(p, node->line, where, "only nearest has exact; leave it out");
    return true;
}

static bool parse_rotate(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice choices[] = {{"0", 0}, {"90", 1}, {"180", 2}, {"270", 3}};
    int value;
    if (!choose(p, node, where, "angle", choices, COUNT(choices), &value))
        return false;
    step->as.quarter_turns = (unsigned)value;
    return true;
}

static bool parse_flip(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice choices[] = {
        {"none", XR_FLIP_NONE}, {"horizontal", XR_FLIP_HORIZONTAL}, {"vertical", XR_FLIP_VERTICAL}};
    int value;
    if (!choose(p, node, where, "flip", choices, COUNT(choices), &value))
        return false;
    step->as.flip = (xr_flip)value;
    return true;
}

static bool parse_channels(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice choices[] = {{"rgb", 0}, {"rbg", 0}, {"grb", 0}, {"gbr", 0},
                                     {"brg", 0}, {"bgr", 0}, {"gray", 1}};
    int gray;
    if (!choose(p, node, where, "channel order", choices, COUNT(choices), &gray))
        return false;
    memcpy(step->as.channels, gray ? "y" : node->text, gray ? 2 : 4);
    return true;
}

static bool parse_factor(parser *p, const xr_yaml *node, const char *where, bool positive, double *out)
{
    if (!need_scalar(p, node, where))
        return false;
    if (!to_number(node->text, out) || fabs(*out) > 1e9)
        return fail_value(p, node->line, where, node->text, "a number");
    if (positive && !(*out >= 1e-9))
        return fail_value(p, node->line, where, node->text, "a number above 0: values are divided by it");
    return true;
}

/* A number for all channels, or a list of 1 or 3. */
static bool parse_factors(parser *p, const xr_yaml *node, const char *where, bool positive, double out[3],
                          unsigned *count)
{
    *count = 0;
    if (node->kind != XR_YAML_LIST) {
        *count = 1;
        return parse_factor(p, node, where, positive, &out[0]);
    }
    for (const xr_yaml *item = node->first; item; item = item->next) {
        if (*count == 3)
            return fail(p, item->line, where, "has more than 3 values; give one, or one for each channel");
        if (!parse_factor(p, item, where, positive, &out[(*count)++]))
            return false;
    }
    if (*count != 1 && *count != 3)
        return fail(p, node->line, where, "needs one value, or one for each of 3 channels");
    return true;
}

static bool parse_normalize(parser *p, const xr_yaml *node, const char *where, xr_step *step)
{
    static const choice keys[] = {{"mean", 0}, {"std", 1}};
    step->as.normalize.mean_count = step->as.normalize.std_count = 1;
    step->as.normalize.mean[0] = 0;
    step->as.normalize.std[0] = 1;
    if (node->kind == XR_YAML_SCALAR && !strcmp(node->text, "none"))
        return true;
    if (node->kind != XR_YAML_MAP)
        return fail(p, node->line, where, "needs {mean: ..., std: ...}, on 0..255, or none");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        char inner[64];
        int is_std;
        if (!find_choice(child->key, keys, COUNT(keys), &is_std))
            return fail_unknown(p, child->key_line, where, "key", child->key, keys, COUNT(keys));
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

static bool parse_layout(parser *p, const xr_yaml *node, const char *where)
{
    static const choice choices[] = {{"nhwc", XR_LAYOUT_NHWC}, {"nchw", XR_LAYOUT_NCHW}};
    int value;
    if (!choose(p, node, where, "layout", choices, COUNT(choices), &value))
        return false;
    p->pipeline->layout = (xr_layout)value;
    return true;
}

/* The keys of `image:`, in the order in which they run. */
enum { KEY_LAYOUT = XR_STEP_PAD + 1, KEY_REGION, KEY_STEPS };
static const choice image_keys[] = {
    {"orient", XR_STEP_ORIENT},     {"crop", XR_STEP_CROP},
    {"region", KEY_REGION},         {"resize", XR_STEP_RESIZE},
    {"rotate", XR_STEP_ROTATE},     {"flip", XR_STEP_FLIP},
    {"channels", XR_STEP_CHANNELS}, {"normalize", XR_STEP_NORMALIZE},
    {"pad", XR_STEP_PAD},           {"layout", KEY_LAYOUT},
    {"steps", KEY_STEPS},
};

static bool parse_step(parser *p, const xr_yaml *node, const char *where, xr_step *step)
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

/* The plain form: every step once, in the fixed order, defaults included. */
static void set_default_steps(xr_pipeline *pipeline)
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
static bool parse_steps(parser *p, const xr_yaml *list)
{
    xr_pipeline *pipeline = p->pipeline;
    if (list->kind != XR_YAML_LIST)
        return fail(p, list->line, "image.steps", "needs a list, such as '- resize: bilinear 256'");
    pipeline->step_count = 0;
    for (const xr_yaml *item = list->first; item; item = item->next) {
        int kind;
        char where[64];
        const xr_yaml *child = item->first;
        if (item->kind != XR_YAML_MAP || !child || child->next)
            return fail(p, item->line, "image.steps",
                        "each step is one key and its value, such as '- flip: horizontal'");
        if (!find_choice(child->key, image_keys, COUNT(image_keys) - 1, &kind))
            return fail_unknown(p, child->key_line, "image.steps", "step", child->key, image_keys,
                                COUNT(image_keys) - 1);
        snprintf(where, sizeof where, "image.steps.%s", child->key);
        if (kind == KEY_LAYOUT) {
            if (!parse_layout(p, child, where))
                return false;
            continue;
        }
        if (pipeline->step_count == MAX_LISTED)
            return fail(p, item->line, "image.steps", "too many steps; 62 are the most");
        bool region = kind == KEY_REGION;
        xr_step step = {.kind = region ? XR_STEP_CROP : (xr_step_kind)kind, .line = child->key_line};
        if (!(region ? parse_region(p, child, where, &step) : parse_step(p, child, where, &step)))
            return false;
        pipeline->steps[pipeline->step_count++] = step;
    }
    add_implied_steps(pipeline);
    return true;
}

static bool parse_image(parser *p, const xr_yaml *node)
{
    const xr_yaml *steps = NULL;
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return fail(p, node->line, "image", "needs keys below it, such as 'resize: bilinear 224x224'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int kind;
        char where[64];
        if (!find_choice(child->key, image_keys, COUNT(image_keys), &kind))
            return fail_unknown(p, child->key_line, "image", "key", child->key, image_keys,
                                COUNT(image_keys));
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
            return fail(p, child->key_line, where, "a crop and a region; give one of them");
        *step = (xr_step){.kind = region ? XR_STEP_CROP : (xr_step_kind)kind, .line = child->key_line};
        if (!(region ? parse_region(p, child, where, step) : parse_step(p, child, where, step)))
            return false;
    }
    if (steps && node->first->next)
        return fail(p, steps->key_line, "image.steps",
                    "stands beside other keys of image; put them all into the list, or leave the list out");
    if (steps && !parse_steps(p, steps))
        return false;
    return xr_check_steps(p->pipeline, p->error);
}

/* ---- The rest of the file ----------------------------------------------------------- */

/* FILE relative to the folder of the pipeline file. */
static char *resolve(const char *base, const char *file)
{
    const char *slash = strrchr(base, '/');
    size_t folder = slash && *file != '/' ? (size_t)(slash - base) + 1 : 0;
    size_t length = strlen(file);
    char *path = malloc(folder + length + 1);
    if (path) {
        memcpy(path, base, folder);
        memcpy(path + folder, file, length + 1);
    }
    return path;
}

static bool parse_output(parser *p, const xr_yaml *node)
{
    enum { LABELS, LABEL_OFFSET, TOP_K };
    static const choice keys[] = {{"labels", LABELS}, {"label_offset", LABEL_OFFSET}, {"top_k", TOP_K}};
    if (xr_yaml_is_null(node))
        return true;
    if (node->kind != XR_YAML_MAP)
        return fail(p, node->line, "output", "needs keys below it, such as 'label_offset: 1'");
    for (const xr_yaml *child = node->first; child; child = child->next) {
        int key;
        int64_t number;
        char where[64];
        if (!find_choice(child->key, keys, COUNT(keys), &key))
            return fail_unknown(p, child->key_line, "output", "key", child->key, keys, COUNT(keys));
        snprintf(where, sizeof where, "output.%s", child->key);
        if (!need_scalar(p, child, where))
            return false;
        if (key == LABELS) {
            if (!*child->text)
                return fail(p, child->line, where, "needs the path of a file");
            p->pipeline->labels = resolve(p->pipeline->name, child->text);
            if (!p->pipeline->labels)
                return fail(p, child->line, where, "out of memory");
        } else if (key == LABEL_OFFSET) {
            if (!to_integer(child->text, -1000000000, 1000000000, &p->pipeline->label_offset))
                return fail_value(p, child->line, where, child->text, "a whole number");
        } else {
            if (!to_integer(child->text, 1, 100000, &number))
                return fail_value(p, child->line, where, child->text, "a whole number 1 to 100000");
            p->pipeline->top_k = (unsigned)number;
        }
    }
    return true;
}

static bool parse_task(parser *p, const xr_yaml *node)
{
    static const char *const names[] = {"classification", "detection", "segmentation", "audio", "text"};
    static const choice choices[] = {
        {"classification", 0}, {"detection", 1}, {"segmentation", 2}, {"audio", 3}, {"text", 4}};
    int value;
    if (!choose(p, node, "task", "task", choices, COUNT(choices), &value))
        return false;
    p->pipeline->task = names[value];
    if (value < 3)
        return true;
    xr_error_set(
        p->error, EXRAY_E_UNSUPPORTED,
        "%s:%u: task: %s is not supported yet; only pictures are (classification, detection, segmentation)",
        p->pipeline->name, node->line, p->pipeline->task);
    return false;
}

static bool parse_top(parser *p, const xr_yaml *root)
{
    enum { TASK, IMAGE, AUDIO, TEXT, INPUTS, STATE, OUTPUT };
    static const choice keys[] = {{"task", TASK},     {"image", IMAGE}, {"audio", AUDIO},  {"text", TEXT},
                                  {"inputs", INPUTS}, {"state", STATE}, {"output", OUTPUT}};
    if (xr_yaml_is_null(root))
        return true;
    if (root->kind != XR_YAML_MAP)
        return fail(p, root->line, "", "not a pipeline file: needs keys such as 'image:' at its top");
    for (const xr_yaml *child = root->first; child; child = child->next) {
        int key;
        if (!find_choice(child->key, keys, COUNT(keys), &key))
            return fail_unknown(p, child->key_line, "", "key", child->key, keys, COUNT(keys));
        if (key == AUDIO || key == TEXT) {
            xr_error_set(p->error, EXRAY_E_UNSUPPORTED,
                         "%s:%u: %s: not supported yet; only pictures are (image:)", p->pipeline->name,
                         child->key_line, child->key);
            return false;
        }
        bool ok = key == TASK     ? parse_task(p, child)
                  : key == IMAGE  ? parse_image(p, child)
                  : key == INPUTS ? xr_parse_inputs(p->pipeline, child, p->error)
                  : key == STATE  ? xr_parse_state(p->pipeline, child, p->error)
                                  : parse_output(p, child);
        if (!ok)
            return false;
    }
    return true;
}

xr_pipeline *xr_pipeline_parse(const char *text, size_t size, const char *name, exray_error *error)
{
    xr_yaml *root = xr_yaml_read(text, size, name, error);
    if (!root)
        return NULL;
    xr_pipeline *pipeline = calloc(1, sizeof *pipeline);
    parser p = {.pipeline = pipeline, .error = error};
    bool ok = false;
    if (pipeline) {
        pipeline->name = resolve("", name);
        pipeline->task = "classification";
        pipeline->top_k = DEFAULT_TOP_K;
        set_default_steps(pipeline);
        if (pipeline->name)
            ok = parse_top(&p, root);
    }
    if (!pipeline || !pipeline->name)
        xr_error_set(error, EXRAY_E_MEMORY, "%s: out of memory", name);
    xr_yaml_free(root);
    if (ok)
        return pipeline;
    xr_pipeline_free(pipeline);
    return NULL;
}

xr_pipeline *xr_pipeline_load(const char *path, exray_error *error)
{
    enum { MOST = 1 << 20 }; /* more than xr_pipeline_parse accepts, so that it says so */
    size_t size;
    char *text = xr_file_read(path, MOST, &size, error);
    xr_pipeline *pipeline = text ? xr_pipeline_parse(text, size, path, error) : NULL;
    free(text);
    return pipeline;
}
