#include "checks/beyond_noise.h"

#include "checks/layer/value_evidence.h"
#include "checks/model/coarse.h"

#include <math.h>

static bool differs(const exray_io_pair *pair)
{
    return pair->comparable && !(pair->error <= pair->noise);
}

bool xr_inputs_differ(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++)
        if (differs(exray_comparison_input(comparison, i)))
            return true;
    return false;
}

bool xr_inputs_known(const exray_comparison *comparison)
{
    size_t count = exray_comparison_input_count(comparison);
    for (size_t i = 0; i < count; i++)
        if (!exray_comparison_input(comparison, i)->comparable)
            return false;
    return count > 0;
}

bool xr_layers_differ(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        exray_layer_role role = exray_comparison_layer(comparison, i)->role;
        if (role == EXRAY_LAYER_ROLE_ORIGINATES || role == EXRAY_LAYER_ROLE_PROPAGATES)
            return true;
    }
    return false;
}

bool xr_outputs_differ(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (differs(exray_comparison_output(comparison, i)))
            return true;
    return false;
}

bool xr_outputs_alone_differ(const exray_comparison *comparison)
{
    return xr_outputs_differ(comparison) && xr_inputs_known(comparison) && !xr_inputs_differ(comparison);
}

bool xr_outputs_of_other_shape(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->other_shape)
            return true;
    return false;
}

bool xr_outputs_agree(const exray_comparison *comparison)
{
    size_t count = exray_comparison_output_count(comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (!output->comparable || differs(output))
            return false;
    }
    return count > 0;
}

/* Whether an output that varies is the same as far as floats go. */
static bool is_surely_equal(const exray_io_pair *output)
{
    return output->metrics.count > 0 && output->error <= output->noise && output->noise < XR_COARSE_NOISE &&
           output->metrics.std[EXRAY_SIDE_REFERENCE] >
               XR_COARSE_NOISE * fabs(output->metrics.mean[EXRAY_SIDE_REFERENCE]);
}

bool xr_inputs_are_undone(const exray_comparison *comparison)
{
    if (xr_is_same_file(comparison) || !xr_inputs_differ(comparison) || !xr_outputs_agree(comparison) ||
        xr_layers_differ(comparison))
        return false;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (!is_surely_equal(exray_comparison_output(comparison, i)))
            return false;
    return true;
}
