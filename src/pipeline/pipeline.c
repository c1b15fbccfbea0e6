/* Running a pipeline: the plan (which sizes), and the steps in their order. */
#include "pipeline/pipeline.h"

#include "base/error.h"
#include "pipeline/target.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct image_run {
    const xr_pipeline *pipeline;
    const xr_target *target;
    xr_pixels picture;
    unsigned orientation;     /* EXIF's, until a step has applied it */
    bool sized;               /* by a step, whatever the picture's size was */
    bool made_gray;           /* by a step: not just a gray file */
    const xr_step *letterbox; /* waits for the next resize; or a region */
    const xr_region *reading; /* of the frame, or NULL */
    xr_seen_part place;       /* of what the picture is now, in the one that was given, upright */
    uint32_t width, height;   /* of a letterbox whose ground a pad fills later */
    bool corner;
    /* The last normalize of bytes is done while writing, by table. */
    double mean[3], std[3];
    exray_error *error;
} image_run;

/* "p.yaml:7: image.crop: ...": an error of a step on this picture. */
static exray_status step_error(const image_run *r, const xr_step *step, exray_status status, const char *text)
{
    static const char *const names[] = {"orient", "crop",     "resize",    "rotate",
                                        "flip",   "channels", "normalize", "pad"};
    if (step->line)
        return xr_error_set(r->error, status, "%s:%u: image.%s: %s", r->pipeline->name, step->line,
                            names[step->kind], text);
    return xr_error_set(r->error, status, "%s: image.%s: %s", r->pipeline->name, names[step->kind], text);
}

static uint32_t round_half_even(uint32_t twice)
{
    uint32_t half = twice / 2;
    return twice % 2 && half % 2 ? half + 1 : half;
}

static void cut(image_run *r, uint32_t left, uint32_t top, uint32_t width, uint32_t height)
{
    xr_place_cut(&r->place, left, top, width, height, r->picture.width, r->picture.height);
    xr_pixels_cut(&r->picture, left, top, width, height);
}

/* Puts the picture on a ground of width x height. */
static exray_status pad_to(image_run *r, uint32_t width, uint32_t height, bool corner, double ground)
{
    xr_pixels *p = &r->picture;
    const uint32_t left = corner ? 0 : (width - p->width) / 2, top = corner ? 0 : (height - p->height) / 2;
    xr_place_cut(&r->place, -(double)left, -(double)top, width, height, p->width, p->height);
    return xr_pixels_pad(p, width, height, left, top, ground, r->error);
}

static exray_status crop(image_run *r, const xr_step *step)
{
    xr_pixels *p = &r->picture;
    uint32_t width = step->as.crop.width, height = step->as.crop.height;
    switch (step->as.crop.kind) {
    case XR_CROP_NONE:
        return EXRAY_OK;
    case XR_CROP_REGION:
        if (step->as.crop.of_reading && !r->reading)
            return step_error(r, step, EXRAY_E_ARGUMENT,
                              "the frame has no /reading/region with a middle, a size and an angle");
        r->letterbox = step;
        return EXRAY_OK;
    case XR_CROP_LETTERBOX:
        r->letterbox = step;
        return EXRAY_OK;
    case XR_CROP_CENTER: {
        uint32_t shorter = p->width < p->height ? p->width : p->height;
        uint32_t side = (uint32_t)floor(step->as.crop.fraction * shorter + 0.5);
        if (!side)
            side = 1;
        cut(r, (p->width - side) / 2, (p->height - side) / 2, side, side);
        return EXRAY_OK;
    }
    case XR_CROP_SIZE:
        if (width > p->width || height > p->height) {
            char text[128];
            snprintf(text, sizeof text, "%ux%u is larger than the picture, %ux%u here; resize it first",
                     width, height, p->width, p->height);
            return step_error(r, step, EXRAY_E_ARGUMENT, text);
        }
        r->sized = true;
        /* torchvision's CenterCrop rounds an odd half to the even offset. */
        cut(r, round_half_even(p->width - width), round_half_even(p->height - height), width, height);
        return EXRAY_OK;
    }
    return EXRAY_OK;
}

/* The model's size as this step must leave it, for turns that come later. */
static bool model_size(const image_run *r, const xr_step *step, uint32_t *width, uint32_t *height)
{
    const xr_step *end = r->pipeline->steps + r->pipeline->step_count;
    unsigned turns = 0;
    for (const xr_step *later = step + 1; later < end; later++) {
        if (later->kind == XR_STEP_ROTATE)
            turns += later->as.quarter_turns;
        if (later->kind == XR_STEP_ORIENT && later->as.orient && r->orientation >= 5)
            turns++;
    }
    *width = turns % 2 ? r->target->height : r->target->width;
    *height = turns % 2 ? r->target->width : r->target->height;
    return *width && *height;
}

static uint32_t least_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Whether a pad comes later, which fills the ground. */
static bool pads_later(const image_run *r)
{
    bool found = false;
    for (unsigned i = 0; i < r->pipeline->step_count; i++)
        found = found || r->pipeline->steps[i].kind == XR_STEP_PAD;
    return found;
}

/* The picture's shape within width x height, the rest filled. */
static exray_status letterbox(image_run *r, const xr_resize *how, uint32_t width, uint32_t height)
{
    xr_pixels *p = &r->picture;
    uint64_t by_width = (uint64_t)p->width * height;
    uint64_t by_height = (uint64_t)p->height * width;
    uint32_t w = width, h = height;
    if (by_width >= by_height) /* the width fills */
        h = (uint32_t)((2 * by_height + p->width) / (2 * (uint64_t)p->width));
    else
        w = (uint32_t)((2 * by_width + p->height) / (2 * (uint64_t)p->height));
    w = w ? w : 1;
    h = h ? h : 1;
    const xr_step *how_boxed = r->letterbox;
    const uint32_t multiple = how_boxed->as.crop.multiple;
    bool corner = how_boxed->as.crop.corner;
    r->letterbox = NULL;
    if (multiple) { /* no more ground than the next multiple needs */
        width = least_of(width, (w + multiple - 1) / multiple * multiple);
        height = least_of(height, (h + multiple - 1) / multiple * multiple);
        r->sized = false;
    }
    exray_status status = xr_pixels_resize(p, how->filter, how->sampling, w, h, r->error);
    if (status || (w == width && h == height))
        return status;
    if (pads_later(r)) {
        r->width = width, r->height = height, r->corner = corner;
        return EXRAY_OK;
    }
    return pad_to(r, width, height, corner, how_boxed->as.crop.pad);
}

static exray_status pad(image_run *r, const xr_step *step)
{
    if (!r->width) /* the picture fills all of it */
        return EXRAY_OK;
    return pad_to(r, r->width, r->height, r->corner, step->as.pad);
}

/* The region, turned upright, at the size of the resize. */
static exray_status cut_region(image_run *r, const xr_resize *how, uint32_t width, uint32_t height)
{
    const xr_step *step = r->letterbox;
    xr_region region = step->as.crop.of_reading ? *r->reading : step->as.crop.region;
    xr_pixels *p = &r->picture;
    r->letterbox = NULL;
    if (!region.pixels) {
        region.x *= p->width, region.width *= p->width;
        region.y *= p->height, region.height *= p->height;
    }
    if (!(region.width > 0 && region.height > 0 && region.width <= 1e6 && region.height <= 1e6 &&
          fabs(region.x) <= 1e6 && fabs(region.y) <= 1e6 && isfinite(region.degrees)))
        return step_error(r, step, EXRAY_E_ARGUMENT, "the region of this frame is empty, or not finite");
    const double place[5] = {region.x, region.y, region.width, region.height,
                             region.degrees * 3.14159265358979323846 / 180};
    xr_place_region(&r->place, place, p->width, p->height);
    return xr_pixels_region(p, place, how->filter == EXRAY_FILTER_NEAREST, width, height, r->error);
}

static exray_status resize(image_run *r, const xr_step *step)
{
    const xr_resize *how = &step->as.resize;
    xr_pixels *p = &r->picture;
    uint32_t width = how->width, height = how->height;
    if (how->size == XR_SIZE_KEEP)
        return EXRAY_OK;
    if (how->size == XR_SIZE_MODEL && !model_size(r, step, &width, &height))
        return step_error(r, step, EXRAY_E_UNSUPPORTED,
                          "the model's input has no fixed size; name one, such as bilinear 224x224");
    r->sized = how->size != XR_SIZE_SHORTER;
    if (how->size == XR_SIZE_SHORTER) {
        /* torchvision: the longer side is rounded down. */
        uint64_t side = how->width;
        uint64_t w = p->width, h = p->height;
        uint64_t longer = w < h ? side * h / w : side * w / h;
        if (longer > XR_MAX_SIDE)
            return step_error(r, step, EXRAY_E_LIMIT,
                              "the picture is too long and thin for that; crop it first");
        width = (uint32_t)(w <= h ? side : longer);
        height = (uint32_t)(w <= h ? longer : side);
    }
    if (r->letterbox && r->letterbox->as.crop.kind == XR_CROP_REGION)
        return cut_region(r, how, width, height);
    if (r->letterbox)
        return letterbox(r, how, width, height);
    return xr_pixels_resize(p, how->filter, how->sampling, width, height, r->error);
}

static exray_status channels(image_run *r, const xr_step *step)
{
    const char *order = step->as.channels;
    if (!*order)
        order = r->target->channels == 1 ? "y" : "rgb";
    r->made_gray = *order == 'y';
    return xr_pixels_reorder(&r->picture, order, r->error);
}

/* Whether this is the last step. */
static bool is_last(const image_run *r, const xr_step *step)
{
    return step + 1 == r->pipeline->steps + r->pipeline->step_count;
}

static exray_status normalize(image_run *r, const xr_step *step)
{
    const unsigned mean_count = step->as.normalize.mean_count, std_count = step->as.normalize.std_count;
    xr_pixels *p = &r->picture;
    double mean[3], std[3], bytes_mean, bytes_std;
    const bool as_bytes = step->as.normalize.of_model;
    if (as_bytes && !xr_target_takes_bytes(r->target, &bytes_mean, &bytes_std))
        return step_error(r, step, EXRAY_E_UNSUPPORTED,
                          "the model's file does not say how; give {mean: ..., std: ...}");
    /* A gray file that no step has made RGB yet: three values ask for RGB. */
    if (p->channels == 1 && (mean_count == 3 || std_count == 3)) {
        if (r->made_gray)
            return step_error(r, step, EXRAY_E_ARGUMENT, "has 3 values, but the picture is gray; give one");
        exray_status status = xr_pixels_reorder(p, "rgb", r->error);
        if (status)
            return status;
    }
    for (unsigned c = 0; c < 3; c++) {
        mean[c] = step->as.normalize.mean[mean_count == 1 ? 0 : c];
        std[c] = step->as.normalize.std[std_count == 1 ? 0 : c];
        if (as_bytes) {
            mean[c] = bytes_mean;
            std[c] = bytes_std;
        }
    }
    if (!is_last(r, step) || p->is_float)
        return xr_pixels_normalize(p, mean, std, r->error);
    memcpy(r->mean, mean, sizeof mean);
    memcpy(r->std, std, sizeof std);
    return EXRAY_OK;
}

static exray_status run_step(image_run *r, const xr_step *step)
{
    switch (step->kind) {
    case XR_STEP_ORIENT: {
        unsigned orientation = r->orientation;
        if (!step->as.orient)
            return EXRAY_OK;
        r->orientation = 1;
        /* It is the upright picture in which places are told. */
        r->place.known = r->place.known && (orientation <= 1 || xr_place_is_whole(&r->place));
        return xr_pixels_orient(&r->picture, orientation, r->error);
    }
    case XR_STEP_CROP:
        return crop(r, step);
    case XR_STEP_RESIZE:
        return resize(r, step);
    case XR_STEP_ROTATE:
        xr_place_turn(&r->place, step->as.quarter_turns);
        return xr_pixels_turn(&r->picture, step->as.quarter_turns, r->error);
    case XR_STEP_FLIP:
        if (step->as.flip != XR_FLIP_NONE)
            xr_place_flip(&r->place, step->as.flip == XR_FLIP_HORIZONTAL);
        return xr_pixels_flip(&r->picture, step->as.flip, r->error);
    case XR_STEP_CHANNELS:
        return channels(r, step);
    case XR_STEP_NORMALIZE:
        return normalize(r, step);
    case XR_STEP_PAD:
        return pad(r, step);
    }
    return EXRAY_E_STATE;
}

/* Checks that the resulting picture fits the model.  E_UNSUPPORTED: no picture would; E_ARGUMENT: because
 * of this picture's size. */
static exray_status check_fit(const image_run *r)
{
    const xr_target *t = r->target;
    const xr_pixels *p = &r->picture;
    if (p->channels != t->channels)
        return xr_error_set(
            r->error, EXRAY_E_UNSUPPORTED,
            "%s: the pipeline makes %u channel%s, the model takes %u; set image.channels to %s",
            r->pipeline->name, p->channels, p->channels == 1 ? "" : "s", t->channels,
            t->channels == 1 ? "gray" : "rgb");
    if ((t->width && t->width != p->width) || (t->height && t->height != p->height))
        return xr_error_set(
            r->error, r->sized ? EXRAY_E_UNSUPPORTED : EXRAY_E_ARGUMENT,
            "%s: the pipeline makes a picture of %ux%u, the model takes %ux%u (width x height); "
            "change image.resize or leave its size out",
            r->pipeline->name, p->width, p->height, t->width, t->height);
    return EXRAY_OK;
}

static exray_status run_steps(image_run *r)
{
    for (unsigned i = 0; i < r->pipeline->step_count; i++) {
        exray_status status = run_step(r, &r->pipeline->steps[i]);
        if (status)
            return status;
    }
    return check_fit(r);
}

/* The model's shape, its open dimensions as the picture has them. */
static void fill_shape(const image_run *r, const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    uint32_t first = info->rank - (r->target->layout == XR_LAYOUT_NCHW ? 2 : 3);
    for (uint32_t i = 0; i < info->rank; i++)
        shape[i] = info->shape[i] >= 0 ? info->shape[i]
                   : i == first        ? r->picture.height
                   : i == first + 1    ? r->picture.width
                                       : 1;
}

exray_status xr_pipeline_make_image(const xr_pipeline *pipeline, const exray_picture *image,
                                    const xr_region *region, const exray_tensor_info *info,
                                    int64_t shape[EXRAY_MAX_RANK], void *(*room)(void *user, size_t size),
                                    void *user, xr_seen_part *place, exray_error *error)
{
    xr_target target;
    exray_status status = xr_target_read(info, &target, error);
    if (status)
        return status;
    if (!image->pixels || !image->width || !image->height || (image->channels != 1 && image->channels != 3))
        return xr_error_set(error, EXRAY_E_ARGUMENT, "not a picture of 1 or 3 channels");
    image_run r = {
        .pipeline = pipeline,
        .target = &target,
        .picture = xr_pixels_of(image),
        .reading = region,
        .orientation = image->orientation,
        .place = xr_place_whole(),
        .std = {1, 1, 1},
        .error = error,
    };
    status = run_steps(&r);
    *place = r.place;
    if (!status) {
        const xr_pixels *p = &r.picture;
        fill_shape(&r, info, shape);
        xr_layout layout = pipeline->layout == XR_LAYOUT_MODEL ? target.layout : pipeline->layout;
        void *out = room(user, (size_t)p->width * p->height * p->channels * target.element_size);
        status = out             ? xr_target_write(&target, layout, p, r.mean, r.std, out, error)
                 : error->status ? error->status
                                 : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the model's input");
    }
    xr_pixels_free(&r.picture);
    return status;
}

/* Memory of a fixed size. */
typedef struct fixed_room {
    const xr_pipeline *pipeline;
    void *out;
    size_t size;
    exray_error *error;
} fixed_room;

static void *take_fixed(void *user, size_t size)
{
    fixed_room *room = user;
    if (size == room->size)
        return room->out;
    xr_error_set(room->error, EXRAY_E_UNSUPPORTED,
                 "%s: the pipeline makes %zu bytes, the model's input has %zu", room->pipeline->name, size,
                 room->size);
    return NULL;
}

exray_status xr_pipeline_run_image(const xr_pipeline *pipeline, const exray_picture *image,
                                   const exray_tensor_info *info, void *out, size_t out_size,
                                   exray_error *error)
{
    fixed_room room = {pipeline, out, out_size, error};
    int64_t shape[EXRAY_MAX_RANK];
    xr_seen_part place;
    *error = (exray_error){EXRAY_OK, ""};
    return xr_pipeline_make_image(pipeline, image, NULL, info, shape, take_fixed, &room, &place, error);
}
