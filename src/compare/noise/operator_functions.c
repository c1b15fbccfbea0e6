#include "compare/noise/operator_functions.h"

#include "compare/noise/functions_moves.h"
#include "compare/noise/functions_pointwise.h"
#include "compare/noise/functions_rows.h"

#include <exray/log.h>

#include <ctype.h>
#include <math.h>
#include <string.h>

/* In lower case, letters and digits alone. */
static void plain_name(const exray_node *node, char out[48])
{
    size_t n = 0;
    for (const char *c = node->op; c && *c && n + 1 < 48; c++)
        if (isalnum((unsigned char)*c))
            out[n++] = (char)tolower((unsigned char)*c);
    out[n] = '\0';
}

/* Applies the activation that an operator has fused; false: it is not known. */
static bool activate(const exray_node *node, xr_array *out)
{
    static const char *const keys[] = {"fused_activation_function", "activation"};
    double low = -INFINITY, high = INFINITY;
    for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
        const char *name = exray_node_attribute(node, keys[k]);
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
    plain_name(node, name);
    *out = (xr_array){0};
    bool made =
        count > 0 && in[0].value &&
        (xr_function_pointwise(name, node, in, count, out) || xr_function_rows(name, node, in, count, out) ||
         xr_function_moves(name, node, in, count, described, out));
    if (made && activate(node, out))
        return true;
    xr_array_free(out);
    return false;
}
