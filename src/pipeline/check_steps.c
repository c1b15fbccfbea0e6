#include "pipeline/check_steps.h"

#include "base/error.h"

static bool refuse(const xr_pipeline *pipeline, exray_error *error, unsigned line, const char *where,
                   const char *text)
{
    xr_error_set(error, EXRAY_E_FORMAT, "%s:%u: %s: %s", pipeline->name, line, where, text);
    return false;
}

/* Whether a step moves the picture. */
static bool moves(const xr_step *step)
{
    return (step->kind == XR_STEP_ROTATE && step->as.quarter_turns) ||
           (step->kind == XR_STEP_FLIP && step->as.flip != XR_FLIP_NONE) || step->kind == XR_STEP_RESIZE ||
           (step->kind == XR_STEP_CROP && step->as.crop.kind != XR_CROP_NONE);
}

/* What a step needs of those before it; *open: a letterbox or region that waits for its resize, *ground: a
 * letterbox whose ground a pad may fill. */
static bool check_step(const xr_pipeline *pipeline, exray_error *error, const xr_step *step, bool normalized,
                       const xr_step **open, const xr_step **ground)
{
    const char *whole =
        "a letterbox or a region needs a whole size such as 224x224, or none named: the model's";
    if (step->kind == XR_STEP_PAD && !*ground)
        return refuse(pipeline, error, step->line, "image.pad",
                      "fills the ground of a letterbox: put one before it, and no turn, flip, crop or resize "
                      "between its resize and the pad");
    if (step->kind == XR_STEP_CROP && *open && step->as.crop.kind != XR_CROP_NONE)
        return refuse(pipeline, error, step->line, "image.crop",
                      "a letterbox and another crop before its resize; put the resize between");
    if (moves(step) && !*open)
        *ground = NULL;
    if (step->kind == XR_STEP_CROP &&
        (step->as.crop.kind == XR_CROP_LETTERBOX || step->as.crop.kind == XR_CROP_REGION))
        *open = step;
    if (step->kind != XR_STEP_RESIZE || !*open)
        return true;
    unsigned line = step->line ? step->line : (*open)->line;
    if (step->as.resize.size == XR_SIZE_KEEP || step->as.resize.size == XR_SIZE_SHORTER)
        return refuse(pipeline, error, line, "image.resize", whole);
    if (normalized)
        return refuse(pipeline, error, line, "image.resize",
                      "a letterbox pads with 0..255; put normalize after its resize");
    *ground = (*open)->as.crop.kind == XR_CROP_LETTERBOX ? *open : NULL;
    *open = NULL;
    return true;
}

/* A letterbox, and a region, is carried out by the resize that follows it, so there must be one, to a full
 * size, and no crop between that would cut the frame. */
bool xr_check_steps(const xr_pipeline *pipeline, exray_error *error)
{
    const xr_step *open = NULL, *ground = NULL;
    bool normalized = false;
    for (unsigned i = 0; i < pipeline->step_count; i++) {
        const xr_step *step = &pipeline->steps[i];
        normalized = normalized || step->kind == XR_STEP_NORMALIZE;
        if (!check_step(pipeline, error, step, normalized, &open, &ground))
            return false;
    }
    return !open || refuse(pipeline, error, open->line, "image.crop", "a letterbox needs a resize after it");
}
