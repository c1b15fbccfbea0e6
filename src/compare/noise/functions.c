#include "compare/noise/functions.h"

#include "compare/match/ops.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool xr_array_make(xr_array *out, uint32_t rank, const int64_t *shape)
{
    uint64_t count = 1;
    *out = (xr_array){.rank = rank};
    if (rank > EXRAY_MAX_RANK)
        return false;
    for (uint32_t d = 0; d < rank; d++) {
        if (shape[d] < 0 || (shape[d] > 0 && count > ((uint64_t)1 << 28) / (uint64_t)shape[d]))
            return false;
        count *= (uint64_t)shape[d];
        out->shape[d] = shape[d];
    }
    out->count = count;
    out->value = malloc((count + 1) * sizeof *out->value);
    return out->value != NULL;
}

void xr_array_free(xr_array *array)
{
    free(array->value);
    *array = (xr_array){0};
}

void xr_function_name(const exray_node *node, char out[48])
{
    size_t n = 0;
    for (const char *c = node->op; c && *c && n + 1 < 48; c++)
        if (isalnum((unsigned char)*c))
            out[n++] = (char)tolower((unsigned char)*c);
    out[n] = '\0';
}

double xr_function_number(const exray_node *node, const char *key, double otherwise)
{
    const char *text = xr_attribute(node, key);
    char *end = NULL;
    double value = text ? strtod(text, &end) : otherwise;
    return text && end != text ? value : otherwise;
}

bool xr_broadcast_shape(const xr_array *a, const xr_array *b, uint32_t *rank, int64_t shape[EXRAY_MAX_RANK])
{
    *rank = a->rank > b->rank ? a->rank : b->rank;
    for (uint32_t d = 0; d < *rank; d++) { /* from the last dimension */
        int64_t x = d < a->rank ? a->shape[a->rank - 1 - d] : 1,
                y = d < b->rank ? b->shape[b->rank - 1 - d] : 1;
        if (x != y && x != 1 && y != 1)
            return false;
        shape[*rank - 1 - d] = x == 1 ? y : x;
    }
    return true;
}

bool xr_function_activate(const exray_node *node, xr_array *out)
{
    static const char *const keys[] = {"fused_activation_function", "activation"};
    double low = -INFINITY, high = INFINITY;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *name = xr_attribute(node, keys[k]);
        if (!name || !*name || strcmp(name, "NONE") == 0)
            continue;
        if (strcmp(name, "RELU") != 0 && strcmp(name, "Relu") != 0 && strcmp(name, "RELU6") != 0)
            return false;
        low = 0;
        high = strcmp(name, "RELU6") == 0 ? 6 : INFINITY;
    }
    for (uint64_t i = 0; low == 0 && i < out->count; i++)
        out->value[i] = (float)fmin(fmax(out->value[i], low), high);
    return true;
}

bool xr_function_apply(const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out)
{
    char name[48];
    xr_function_name(node, name);
    *out = (xr_array){0};
    bool made =
        count > 0 && in[0].value &&
        (xr_function_pointwise(name, node, in, count, out) || xr_function_rows(name, node, in, count, out) ||
         xr_function_moves(name, node, in, count, described, out));
    if (made && xr_function_activate(node, out))
        return true;
    xr_array_free(out);
    return false;
}
