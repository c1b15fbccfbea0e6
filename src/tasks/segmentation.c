/* Segmentation: a class for each pixel. */
#include "tasks/builtin_tasks.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 1024, MOST_SIDE = 4096, MOST_GROUPS = 64 };

/* Height, width and classes of an output of scores [1, h, w, c]; of ids [1, h, w] the classes are 1. */
static bool shape_of(const exray_tensor_info *info, uint32_t side[2], uint32_t *classes)
{
    uint32_t first = 0;
    while (first < info->rank && info->shape[first] == 1 && info->rank - first > 2)
        first++;
    const uint32_t rank = info->rank - first;
    const int64_t *shape = info->shape + first;
    if (rank < 2 || rank > 3)
        return false;
    const bool first_is_class = rank == 3 && info->layout && strcmp(info->layout, "NCHW") == 0;
    const int64_t h = shape[first_is_class], w = shape[1 + first_is_class];
    const int64_t c = rank == 2 ? 1 : shape[first_is_class ? 0 : 2];
    if (h < 2 || w < 2 || h > MOST_SIDE || w > MOST_SIDE || c < 1 || c > CLASSES)
        return false;
    side[0] = (uint32_t)h;
    side[1] = (uint32_t)w;
    *classes = first_is_class ? (uint32_t)c | 0x80000000U : (uint32_t)c;
    return true;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    (void)options;
    uint32_t side[2], classes;
    if (count && shape_of(outputs[0], side, &classes))
        return true;
    snprintf(why, why_size, "task segmentation needs an output with a value for each pixel");
    return false;
}

/* One channel: ids where the type is whole, else a share of the foreground (class 1 from a half on), or a
 * logit of it. */
static uint32_t id_of_one(const exray_task_output *output, uint64_t pixel, float half)
{
    const float value = xr_task_value(output->values, pixel);
    const exray_dtype dtype = output->info->dtype;
    if (output->info->quantization.count == 0 && dtype != EXRAY_DTYPE_FLOAT32 &&
        dtype != EXRAY_DTYPE_FLOAT16 && dtype != EXRAY_DTYPE_BFLOAT16 && dtype != EXRAY_DTYPE_FLOAT64)
        return value >= 0 && value < 65535 ? (uint32_t)value : 65535;
    return value >= half;
}

static uint32_t best_class(const float *values, uint64_t first, uint64_t step, uint32_t classes)
{
    uint32_t best = 0;
    float most = xr_task_value(values, first);
    for (uint32_t c = 1; c < classes; c++) {
        const float value = xr_task_value(values, first + c * step);
        if (value > most || (isnan(most) && !isnan(value))) {
            most = value;
            best = c;
        }
    }
    return best;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    *out = (exray_result){.text = ""};
    uint32_t side[2], classes;
    if (count == 0 || !outputs[0].values || !shape_of(outputs[0].info, side, &classes))
        return EXRAY_E_UNSUPPORTED;
    const bool first_is_class = classes >> 31;
    classes &= 0x7FFFFFFF;
    const uint64_t pixels = (uint64_t)side[0] * side[1];
    if (outputs[0].count != pixels * classes)
        return EXRAY_E_UNSUPPORTED;
    exray_mask *mask = exray_told_room(told, 1, sizeof *mask);
    uint8_t *ids = exray_told_room(told, pixels, 2);
    if (!mask || !ids)
        return xr_task_no_memory(error, "segmentation");
    float half = 0.5F;
    for (uint64_t i = 0; classes == 1 && i < pixels; i++)
        if (xr_task_value(outputs[0].values, i) < 0)
            half = 0; /* logits */
    bool wide = classes > 255 || classes == 1;
    uint32_t most = 0;
    for (uint64_t i = 0; i < pixels; i++) {
        const uint32_t place = classes == 1     ? id_of_one(&outputs[0], i, half)
                               : first_is_class ? best_class(outputs[0].values, i, pixels, classes)
                                                : best_class(outputs[0].values, i * classes, 1, classes);
        const int64_t id = (int64_t)place - options->label_offset;
        const uint32_t kept =
            id < 0 || id > 65534 || (!wide && id > 254) ? (wide ? 65535 : 255) : (uint32_t)id;
        most = kept != 65535 && kept > most ? kept : most;
        if (wide) {
            ids[2 * i] = (uint8_t)kept;
            ids[2 * i + 1] = (uint8_t)(kept >> 8);
        } else {
            ids[i] = (uint8_t)kept;
        }
    }
    if (wide && most < 255) { /* a byte each suffices */
        for (uint64_t i = 0; i < pixels; i++)
            ids[i] = ids[2 * i + 1] == 0xFF ? 0xFF : ids[2 * i];
        wide = false;
    }
    *mask = (exray_mask){side[1], side[0], ids, (size_t)pixels * (wide ? 2 : 1), wide};
    out->mask = mask;
    return EXRAY_OK;
}

static bool has(const exray_result *result)
{
    return result->mask && result->mask->size > 0;
}

/* ---- Measures ---- */

typedef struct mask_sums {
    uint64_t common[CLASSES], told[CLASSES], other[CLASSES];
    xr_task_mean equal, shift;
    uint64_t frames;
    const char *const *labels;
    size_t label_count;
} mask_sums;

static void *begin(const exray_task_options *options)
{
    mask_sums *sums = calloc(1, sizeof *sums);
    if (sums && options) {
        sums->labels = options->labels;
        sums->label_count = options->label_count;
    }
    return sums;
}

/* The id of a pixel of another grid's place; `ignored`: 65535. */
static uint32_t id_at(const exray_mask *mask, uint64_t x, uint64_t y, uint64_t width, uint64_t height)
{
    const uint64_t i =
        (2 * y + 1) * mask->height / (2 * height) * mask->width + (2 * x + 1) * mask->width / (2 * width);
    const uint8_t *ids = mask->ids;
    if (mask->wide)
        return (uint32_t)(ids[2 * i] | ids[2 * i + 1] << 8);
    return ids[i] == 0xFF ? 0xFFFF : ids[i];
}

/* City-block distance of each pixel from the nearest boundary (a pixel whose right or lower neighbour has
 * another id); false: there is none. */
static bool distances(const uint16_t *ids, uint32_t width, uint32_t height, uint32_t *distance)
{
    const uint32_t far = width + height;
    bool any = false;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const uint32_t i = y * width + x;
            const bool edge =
                (x + 1 < width && ids[i] != ids[i + 1]) || (y + 1 < height && ids[i] != ids[i + width]);
            any = any || edge;
            distance[i] = edge ? 0 : far;
            if (x && distance[i - 1] + 1 < distance[i])
                distance[i] = distance[i - 1] + 1;
            if (y && distance[i - width] + 1 < distance[i])
                distance[i] = distance[i - width] + 1;
        }
    for (uint32_t i = width * height; i-- > 0;) {
        const uint32_t x = i % width, y = i / width;
        if (x + 1 < width && distance[i + 1] + 1 < distance[i])
            distance[i] = distance[i + 1] + 1;
        if (y + 1 < height && distance[i + width] + 1 < distance[i])
            distance[i] = distance[i + width] + 1;
    }
    return any;
}

/* How far the boundaries of each side lie from those of the other, on average. */
static void add_shift(mask_sums *sums, const uint16_t *const ids[2], uint32_t width, uint32_t height)
{
    const size_t pixels = (size_t)width * height;
    uint32_t *distance[2] = {malloc(pixels * sizeof(uint32_t)), malloc(pixels * sizeof(uint32_t))};
    if (distance[0] && distance[1] && distances(ids[0], width, height, distance[0]) &&
        distances(ids[1], width, height, distance[1])) {
        double sum = 0, count = 0;
        for (size_t i = 0; i < pixels; i++) {
            sum += (distance[0][i] == 0 ? distance[1][i] : 0) + (distance[1][i] == 0 ? distance[0][i] : 0);
            count += (distance[0][i] == 0) + (distance[1][i] == 0);
        }
        xr_task_add(&sums->shift, sum / count, 1);
    }
    free(distance[0]);
    free(distance[1]);
}

static bool is_usable(const exray_mask *mask)
{
    return mask && mask->ids && mask->width && mask->height && mask->width <= MOST_SIDE &&
           mask->height <= MOST_SIDE &&
           mask->size == (size_t)mask->width * mask->height * (mask->wide ? 2 : 1);
}

/* On the grid of the other side, which may be the truth; its ignored pixels do not count. */
static void compare(void *state, const exray_result *told, const exray_result *other)
{
    mask_sums *sums = state;
    if (!is_usable(told->mask) || !is_usable(other->mask))
        return;
    const uint32_t width = other->mask->width, height = other->mask->height;
    const size_t pixels = (size_t)width * height;
    uint16_t *ids = malloc(2 * pixels * sizeof *ids);
    if (!ids)
        return;
    double counted = 0, equal = 0;
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            const uint32_t a = id_at(told->mask, x, y, width, height),
                           b = id_at(other->mask, x, y, width, height);
            const size_t i = (size_t)y * width + x;
            ids[pixels + i] = (uint16_t)b;
            ids[i] = (uint16_t)(b == 0xFFFF ? b : a);
            if (b == 0xFFFF)
                continue;
            counted++;
            equal += a == b;
            if (a < CLASSES)
                sums->told[a]++;
            if (b < CLASSES)
                sums->other[b]++;
            if (a == b && a < CLASSES)
                sums->common[a]++;
        }
    sums->frames++;
    xr_task_add(&sums->equal, equal, counted);
    add_shift(sums, (const uint16_t *const[2]){ids, ids + pixels}, width, height);
    free(ids);
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const mask_sums *sums = state;
    if (most < 3)
        return 0;
    double sum = 0, classes = 0;
    size_t count = 3;
    for (uint32_t c = 0; c < CLASSES; c++) {
        const double both = (double)sums->told[c] + (double)sums->other[c] - (double)sums->common[c];
        if (both == 0)
            continue;
        const double iou = (double)sums->common[c] / both;
        sum += iou;
        classes++;
        if (count == most || count >= MOST_GROUPS)
            continue;
        out[count] = (exray_task_measure){
            .name = "iou", .unit = "share", .higher = true, .frames = sums->frames, .value = iou};
        if (c < sums->label_count && sums->labels[c] && *sums->labels[c])
            snprintf(out[count].group, sizeof out[count].group, "%s", sums->labels[c]);
        else
            snprintf(out[count].group, sizeof out[count].group, "class %u", c);
        count++;
    }
    out[0] = (exray_task_measure){.name = "miou",
                                  .unit = "share",
                                  .higher = true,
                                  .frames = sums->frames,
                                  .value = classes > 0 ? sum / classes : NAN};
    out[1] = xr_task_measure_of(&sums->equal, "pixels", "share", true);
    out[2] = xr_task_measure_of(&sums->shift, "boundary_shift", "pixels", false);
    return count;
}

const exray_task xr_task_segmentation = {
    sizeof(exray_task), "segmentation", fits, decide, has, begin, compare, measure, free};
