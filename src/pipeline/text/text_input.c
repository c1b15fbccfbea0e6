#include "pipeline/text/text_input.h"

#include "base/error.h"
#include "media/text/tokenizer.h"
#include "pipeline/target.h"

#include <stdlib.h>
#include <string.h>

/* The ids of a row: the model's, else the file's; 0: as many as the text has.  *axis: their dimension. */
static exray_status find_length(const xr_pipeline *p, const exray_tensor_info *info, uint32_t *axis,
                                uint64_t *length, exray_error *error)
{
    const char *name = info->name ? info->name : "";
    *axis = info->rank == 1 ? 0 : 1;
    bool fits = info->rank >= 1 && info->rank <= 3 && info->shape;
    for (uint32_t k = 0; fits && k < info->rank; k++)
        fits = k == *axis || info->shape[k] == 1 || info->shape[k] < 0;
    if (!fits)
        return xr_error_set(
            error, EXRAY_E_UNSUPPORTED,
            "the model's input %.100s is no row of ids: [1,N] or [N]; say in the pipeline what it "
            "gets, under inputs",
            name);
    uint64_t own = p->text.config.length, n = info->shape[*axis] < 0 ? 0 : (uint64_t)info->shape[*axis];
    if (own && n && own != n)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "%s: text.length is %llu, but the model's input %.100s takes %llu ids", p->name,
                            (unsigned long long)own, name, (unsigned long long)n);
    *length = n ? n : own;
    return EXRAY_OK;
}

/* Integers of any width, exactly; other types by value. */
static exray_status store(const exray_tensor_info *info, const int64_t *ids, uint64_t count, void *out,
                          size_t size, exray_error *error)
{
    unsigned bits = exray_dtype_bits(info->dtype);
    bool whole =
        info->dtype >= EXRAY_DTYPE_INT8 && info->dtype <= EXRAY_DTYPE_UINT64 && !info->quantization.count;
    bool sign = info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_INT16 ||
                info->dtype == EXRAY_DTYPE_INT32 || info->dtype == EXRAY_DTYPE_INT64;
    for (uint64_t i = 0; i < count; i++) {
        int64_t least = !sign ? 0 : bits < 64 ? -((int64_t)1 << (bits - 1)) : INT64_MIN;
        int64_t most = bits < 64 ? ((int64_t)1 << (bits - sign)) - 1 : INT64_MAX;
        if (whole && (ids[i] < least || ids[i] > most))
            return xr_error_set(error, EXRAY_E_FORMAT,
                                "the id %lld does not fit in %s, the type of the model's input",
                                (long long)ids[i], exray_dtype_name(info->dtype));
        if (whole)
            for (unsigned b = 0; b < bits / 8; b++)
                ((uint8_t *)out)[i * (bits / 8) + b] = (uint8_t)((uint64_t)ids[i] >> (8 * b));
    }
    if (whole)
        return EXRAY_OK;
    float *values = malloc((size_t)(count + 1) * sizeof *values);
    if (!values)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for ids");
    for (uint64_t i = 0; i < count; i++)
        values[i] = (float)ids[i];
    exray_status status = xr_target_store(info, values, count, out, size, error);
    free(values);
    return status;
}

exray_status xr_pipeline_make_text(const xr_pipeline *pipeline, const char *text, size_t size,
                                   const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK],
                                   xr_text_padding *padding, void *(*room)(void *user, size_t size),
                                   void *user, exray_error *error)
{
    const exray_tokenizer *t = pipeline->text.tokenizer;
    uint64_t length = 0;
    uint32_t axis = 0;
    if (!t)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "%s: it has no key text:, which says how a text becomes ids", pipeline->name);
    exray_status status = find_length(pipeline, info, &axis, &length, error);
    exray_token_row row;
    if (!status)
        status = xr_tokenizer_run_row(t, length, text, size, NULL, 0, &row, error);
    if (status)
        return status;
    if (row.count == 0)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "the text has no token, and an input of no ids runs no model");
    for (uint32_t k = 0; k < info->rank; k++)
        shape[k] = k == axis ? (int64_t)row.count : 1;
    size_t bytes = (size_t)row.count * exray_dtype_bits(info->dtype) / 8;
    void *out = room(user, bytes);
    int64_t *ids = malloc((size_t)row.count * sizeof *ids);
    if (!ids || !out) {
        free(ids);
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for ids");
    }
    status = xr_tokenizer_run_row(t, length, text, size, ids, row.count, &row, error);
    if (!status)
        status = store(info, ids, row.count, out, bytes, error);
    free(ids);
    *padding = row.split ? (xr_text_padding){0, 0} : (xr_text_padding){row.begin, row.count - row.end};
    return status;
}
