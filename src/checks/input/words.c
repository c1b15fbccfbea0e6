#include "checks/input/words.h"

#include "checks/input/fit/conventions.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static bool is_order(const char *word, size_t length)
{
    if (length != 3)
        return false;
    bool seen[3] = {false, false, false};
    for (size_t i = 0; i < 3; i++) {
        const char *at = strchr("rgb", tolower((unsigned char)word[i]));
        if (!at || !*at)
            return false;
        seen[at - "rgb"] = true;
    }
    return seen[0] && seen[1] && seen[2];
}

/* Finds `channels: bgr` in a pipeline file, outside comments. */
static bool find_channels(const char *text, size_t size, char letters[4])
{
    static const char key[] = "channels:";
    for (size_t i = 0; i + sizeof key - 1 < size; i++) {
        if (text[i] == '#') {
            while (i < size && text[i] != '\n')
                i++;
            continue;
        }
        if (memcmp(text + i, key, sizeof key - 1) != 0)
            continue;
        size_t at = i + sizeof key - 1;
        while (at < size && (text[at] == ' ' || text[at] == '"' || text[at] == '\''))
            at++;
        size_t end = at;
        while (end < size && isalpha((unsigned char)text[end]))
            end++;
        if (!is_order(text + at, end - at))
            continue;
        for (size_t k = 0; k < 3; k++)
            letters[k] = (char)toupper((unsigned char)text[at + k]);
        return true;
    }
    return false;
}

void xr_reference_letters(const exray_comparison *comparison, const xr_input_fit *fit,
                          char letters[XR_FIT_CHANNELS + 1])
{
    static const char usual[XR_FIT_CHANNELS + 1][XR_FIT_CHANNELS + 1] = {"", "Y", "YA", "RGB", "RGBA"};
    memcpy(letters, usual[fit->values.channels], sizeof usual[0]);
    const exray_log *log = exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE);
    if (fit->values.channels != 3)
        return;
    exray_slot *slot = exray_slot_new();
    for (size_t i = 0; slot && i < exray_log_attachment_count(log); i++) {
        const exray_attachment *a = exray_log_attachment(log, i);
        size_t length = strlen(a->name);
        bool yaml = strstr(a->name, "pipeline") || (length > 5 && strcmp(a->name + length - 5, ".yaml") == 0);
        const void *data;
        size_t size;
        exray_error error;
        if (yaml && a->size < 1 << 20 &&
            exray_log_read_attachment(log, i, slot, &data, &size, &error) == EXRAY_OK &&
            find_channels(data, size, letters))
            break;
    }
    exray_slot_free(slot);
}

void xr_edge_letters(const xr_input_fit *fit, const xr_channel_order *order, const char *reference,
                     char letters[XR_FIT_CHANNELS + 1])
{
    memset(letters, 0, XR_FIT_CHANNELS + 1);
    for (size_t c = 0; c < fit->values.channels; c++)
        letters[c] = reference[order->from[c]];
}

void xr_describe_values(const xr_input_fit *fit, exray_side side, char *text, size_t size)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < fit->values.channels; c++) {
        low = fmin(low, fit->values.min[side][c]);
        high = fmax(high, fit->values.max[side][c]);
    }
    bool exact, other;
    const xr_convention *k = xr_convention_of(fit, side, &exact);
    /* The spacing of an 8-bit input is its scale, whatever its values are: where both sides would have the
     * same name, the edge gets none. */
    if (side == EXRAY_SIDE_EDGE && k == xr_convention_of(fit, EXRAY_SIDE_REFERENCE, &other))
        k = NULL;
    snprintf(text, size, "values of %.4g to %.4g%s%s%s%s", low, high, k ? " (" : "",
             k && !exact ? "about " : "", k ? k->name : "", k ? ")" : "");
}

double xr_confidence(double residual, double runner_up)
{
    double ratio = (runner_up + 0.1) / (residual + 0.1);
    return fmin(0.99, ratio / (1 + ratio));
}
