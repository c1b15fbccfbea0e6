#include "pipeline/steps.h"

#include <stdlib.h>
#include <string.h>

void xr_pipeline_free(xr_pipeline *pipeline)
{
    if (!pipeline)
        return;
    free(pipeline->name);
    free(pipeline->source);
    free(pipeline->own_task);
    free(pipeline->output.labels);
    free(pipeline->output.boxes);
    free(pipeline->output.anchors);
    for (unsigned i = 0; i < pipeline->input_count; i++) {
        free(pipeline->inputs[i].name);
        free(pipeline->inputs[i].mask_of);
    }
    for (unsigned i = 0; i < pipeline->state_count; i++) {
        free(pipeline->states[i].input);
        free(pipeline->states[i].output);
    }
    free(pipeline->text.vocabulary);
    free(pipeline->text.pattern);
    free(pipeline->text.file);
    exray_tokenizer_free(pipeline->text.tokenizer);
    free(pipeline);
}

const char *xr_pipeline_task(const xr_pipeline *pipeline)
{
    const char *head = pipeline->output.head;
    if (pipeline->task)
        return pipeline->task;
    return !head                         ? "classification"
           : strcmp(head, "ctc") == 0    ? "text"
           : strcmp(head, "points") == 0 ? "keypoints"
                                         : "detection";
}

const xr_output_keys *xr_pipeline_output(const xr_pipeline *pipeline)
{
    return &pipeline->output;
}

void xr_pipeline_set_normalization(xr_pipeline *pipeline, const double mean[3], const double std[3],
                                   unsigned count, bool *defaulted)
{
    *defaulted = false;
    for (unsigned i = 0; i < pipeline->step_count; i++) {
        xr_step *step = &pipeline->steps[i];
        if (step->kind != XR_STEP_NORMALIZE || (step->line && !step->as.normalize.of_model))
            continue;
        *defaulted = *defaulted || !step->line;
        step->as.normalize.of_model = false;
        step->as.normalize.mean_count = step->as.normalize.std_count = count;
        for (unsigned c = 0; c < count; c++) {
            step->as.normalize.mean[c] = mean[c];
            step->as.normalize.std[c] = std[c];
        }
    }
}
