#include "checks/input/channel_letters.h"

#include "checks/input/pipeline_of.h"
#include "checks/input/search/find.h"

#include <math.h>
#include <string.h>

/* The order of a side's channels is certain if any other leaves so much more. */
#define RATIO 1.5
/* A part of the scene that leaves more was not found. */
#define LOST 0.25

/* The reference's channels by the pictures of the sensor, which are RGB; false: these do not tell, as there
 * are none, or gray ones, or the reference shows something else. */
static bool letters_of_sensor(const exray_comparison *comparison, const xr_input_fit *fit, char letters[4])
{
    static const unsigned char orders[6][XR_FIT_CHANNELS] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2},
                                                             {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
    const xr_transform none = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_pair *pair = xr_input_pair_open(comparison, fit->pair, fit);
    xr_place place;
    double by[XR_ORIENTATIONS], least = 2, next = 2;
    size_t best = 0;
    if (pair && xr_search_frames_load(pair, &none) && pair->has_sensor && pair->channels == 3 &&
        xr_find_place(pair, EXRAY_SIDE_REFERENCE, NULL, &place, by)) {
        xr_rendering how = {.geometry = place.geometry,
                            .filter = EXRAY_FILTER_BILINEAR,
                            .sampling = EXRAY_SAMPLING_ANTIALIAS,
                            .pad = NAN};
        xr_fit_sums sums;
        xr_rendering_residual(pair, EXRAY_SIDE_REFERENCE, false, place.orientation, &how, &sums);
        for (size_t i = 0; i < 6; i++) {
            double residual = xr_unexplained_in_order(&sums, 3, orders[i]);
            if (residual < least) {
                next = least;
                least = residual;
                best = i;
            } else if (residual < next)
                next = residual;
        }
    }
    xr_input_pair_close(pair);
    for (size_t c = 0; c < 3; c++)
        letters[c] = "RGB"[orders[best][c]];
    letters[3] = 0;
    return least < LOST && next > RATIO * least + 1e-4;
}

xr_letters xr_pipeline_letters(const exray_comparison *comparison, size_t channels, const unsigned char *from)
{
    xr_letters out = {0};
    char edge[4];
    if (channels != 3)
        return out;
    if (xr_has_pipeline(comparison, EXRAY_SIDE_REFERENCE, out.reference))
        out.known_by = "pipeline";
    else if (xr_has_pipeline(comparison, EXRAY_SIDE_EDGE, edge)) {
        out.known_by = "pipeline";
        for (size_t c = 0; c < channels; c++)
            out.reference[from[c]] = edge[c];
    }
    for (size_t c = 0; c < channels && out.known_by; c++)
        out.edge[c] = out.reference[from[c]];
    return out;
}

xr_letters xr_channel_letters(const exray_comparison *comparison, const xr_input_fit *fit,
                              const xr_channel_order *order)
{
    const size_t channels = fit->values.channels;
    xr_letters out = xr_pipeline_letters(comparison, channels, order->from);
    if (channels != 3 || out.known_by)
        return out;
    if (letters_of_sensor(comparison, fit, out.reference))
        out.known_by = "sensor";
    for (size_t c = 0; c < channels && out.known_by; c++)
        out.edge[c] = out.reference[order->from[c]];
    return out;
}
