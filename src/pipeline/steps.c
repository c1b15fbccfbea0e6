#include "pipeline/steps.h"

#include <stdlib.h>

void xr_pipeline_free(xr_pipeline *pipeline)
{
    if (!pipeline)
        return;
    free(pipeline->name);
    free(pipeline->labels);
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
    return pipeline->task;
}

int64_t xr_pipeline_label_offset(const xr_pipeline *pipeline)
{
    return pipeline->label_offset;
}

unsigned xr_pipeline_top_k(const xr_pipeline *pipeline)
{
    return pipeline->top_k;
}

const char *xr_pipeline_labels(const xr_pipeline *pipeline)
{
    return pipeline->labels;
}
