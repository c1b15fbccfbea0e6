#include "checks/model/coarse.h"

bool xr_has_coarse_layer(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        if (exray_comparison_layer(comparison, i)->own_noise >= XR_COARSE_OWN_NOISE)
            return true;
    return false;
}

bool xr_are_outputs_coarse(const exray_comparison *comparison)
{
    size_t count = exray_comparison_output_count(comparison);
    bool coarse = count > 0;
    for (size_t i = 0; coarse && i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        coarse = output->comparable && output->error <= output->noise && output->noise >= XR_COARSE_NOISE;
    }
    return coarse;
}
