/* What the fuzzers of model files share: read any bytes, expose and cut what was accepted.
 * What comes out must be read again, with the ends that it was given. */
#ifndef XR_FUZZ_MODEL_BYTES_H
#define XR_FUZZ_MODEL_BYTES_H

#include "models/model_file.h"

#include <stdlib.h>
#include <string.h>

static size_t touch(const exray_model *model, const xr_constant *constants)
{
    size_t sum = 0;
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const exray_tensor_info *info = &model->tensors[i];
        sum += strlen(info->name) + (info->rank && info->shape ? (size_t)info->shape[info->rank - 1] : 0);
        if (info->quantization.count && info->quantization.zero_point)
            sum += (size_t)info->quantization.zero_point[info->quantization.count - 1];
        if (constants[i].size)
            sum += ((const uint8_t *)constants[i].data)[constants[i].size - 1];
    }
    for (uint32_t i = 0; i < model->node_count; i++) {
        const exray_node *node = &model->nodes[i];
        sum += strlen(node->op) + strlen(node->name) + (node->input_count ? node->inputs[0] : 0);
        for (uint32_t k = 0; k < node->attribute_count; k++)
            sum += strlen(node->attributes[k].value);
    }
    return sum;
}

static void read_again(const xr_model_bytes *bytes)
{
    xr_model_file file;
    exray_error error = {EXRAY_OK, ""};
    if (xr_model_read(bytes->data, bytes->size, &file, &error) != EXRAY_OK)
        abort();
    volatile size_t sum = touch(&file.model, file.constant);
    (void)sum;
    xr_model_release(&file);
    free(bytes->data);
}

/* `exact` is a malloc'd copy, so that a sanitizer sees a byte too many. */
static void fuzz_model(const uint8_t *exact, size_t size)
{
    xr_model_file file;
    xr_model_bytes bytes;
    exray_error error = {EXRAY_OK, ""};
    if (xr_model_read(exact, size, &file, &error) == EXRAY_OK) {
        volatile size_t sum = touch(&file.model, file.constant);
        (void)sum;
        if (xr_model_expose(&file, &bytes, &error) == EXRAY_OK)
            read_again(&bytes);
        uint32_t nodes[3] = {size % 5, size % 5 + 1, size % 5 + 2};
        if (xr_model_cut(&file, nodes, (uint32_t)(size % 3 + 1), NULL, &bytes, &error) == EXRAY_OK)
            read_again(&bytes);
    } else if (!*error.message || strchr(error.message, '\n')) {
        abort();
    }
    xr_model_release(&file);
}

#endif
