#include "compare/noise/value_array.h"

#include <exray/log.h>

#include <stdlib.h>

bool xr_array_make(xr_array *out, uint32_t rank, const int64_t *shape)
{
    uint64_t count = 1;
    *out = (xr_array){.rank = rank};
    if (rank > EXRAY_MAX_RANK)
        return false;
    for (uint32_t d = 0; d < rank; d++) {
        if (shape[d] < 0 || (shape[d] > 0 && count > ((uint64_t)1 << 27) / (uint64_t)shape[d]))
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

double xr_function_number(const exray_node *node, const char *key, double otherwise)
{
    const char *text = exray_node_attribute(node, key);
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
