#include "checks/input/input_words.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- Letters ---------------------------------------------------------------------- */

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

/* `channels: bgr` in a pipeline file; comments aside, the key stands only there. */
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
    memcpy(letters, usual[fit->channels], sizeof usual[0]);
    const exray_log *log = exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE);
    if (fit->channels != 3)
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

void xr_edge_letters(const xr_input_fit *fit, const xr_order *order, const char *reference,
                     char letters[XR_FIT_CHANNELS + 1])
{
    memset(letters, 0, XR_FIT_CHANNELS + 1);
    for (size_t c = 0; c < fit->channels; c++)
        letters[c] = reference[order->from[c]];
}

/* ---- Conventions --------------------------------------------------------------------- */

static const xr_convention conventions[] = {
    {"[0,1]", {0, 0, 0}, {255, 255, 255}},
    {"[-1,1]", {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}},
    {"(x - 127) / 128", {127, 127, 127}, {128, 128, 128}},
    {"(x - 128) / 128", {128, 128, 128}, {128, 128, 128}},
    {"0..255", {0, 0, 0}, {1, 1, 1}},
    {"ImageNet mean and std", {123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}},
    {"ImageNet mean and std, constants in BGR order", {103.53, 116.28, 123.675}, {57.375, 57.12, 58.395}},
    {"0..255, BGR means of Caffe subtracted", {103.939, 116.779, 123.68}, {1, 1, 1}},
};

size_t xr_convention_count(void)
{
    return sizeof conventions / sizeof *conventions;
}

const xr_convention *xr_convention_at(size_t i)
{
    return &conventions[i];
}

static bool follows(const xr_input_fit *fit, int side, const xr_convention *k, bool exact)
{
    double span = 0;
    for (size_t c = 0; c < fit->channels; c++) {
        double mean = k->mean[c % 3], std = k->std[c % 3];
        /* In levels of 0..255. */
        double low = fit->min[side][c] * std + mean, high = fit->max[side][c] * std + mean;
        double slack = exact ? 0.1 : 1.5;
        if (low < -slack || high > 255 + slack)
            return false;
        if (exact && (fabs(low - round(low)) > 0.1 || fabs(high - round(high)) > 0.1))
            return false;
        span = fmax(span, high - low);
    }
    /* Nearly all photographs use most of the range. */
    return span >= (exact ? 16 : 128);
}

const xr_convention *xr_convention_of(const xr_input_fit *fit, exray_side side, bool *exact)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
            const xr_convention *k = &conventions[i];
            *exact = pass == 0;
            /* The spacing is the largest of the channels'. */
            double least = fmin(k->std[0], fmin(k->std[1], k->std[2]));
            double tolerance = *exact ? 0.003 : 0.5;
            if (fabs(fit->level[side] * least - 1) <= tolerance && follows(fit, (int)side, k, *exact))
                return k;
        }
    return NULL;
}

void xr_describe_values(const xr_input_fit *fit, exray_side side, char *text, size_t size)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < fit->channels; c++) {
        low = fmin(low, fit->min[side][c]);
        high = fmax(high, fit->max[side][c]);
    }
    bool exact, other;
    const xr_convention *k = xr_convention_of(fit, side, &exact);
    /* An 8-bit input has the spacing of its scale, whatever was put into it: a name that both
     * sides would have does not say how they differ. */
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

/* Bit for bit the same in every frame: there is nothing to explain. */
static bool is_equal(const exray_io_pair *io)
{
    const exray_metrics *m = &io->metrics;
    return io->comparable && m->count > 0 && m->max_abs == 0 && !m->nan_count[0] && !m->nan_count[1] &&
           !m->inf_count[0] && !m->inf_count[1];
}

exray_status xr_for_inputs(const exray_comparison *comparison, exray_findings *findings, exray_error *error,
                           xr_report_fn *report)
{
    size_t count = exray_comparison_input_count(comparison);
    if (count == 0) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "no input of the model is in both logs: record with --capture io or more");
        return error->status;
    }
    exray_status unjudged = EXRAY_OK;
    for (size_t i = 0; i < count; i++) {
        if (is_equal(exray_comparison_input(comparison, i)))
            continue;
        xr_input_fit fit;
        exray_status status = xr_input_fit_make(comparison, i, NULL, &fit, error);
        if (status != EXRAY_OK)
            return status;
        if (fit.state == XR_FIT_UNJUDGED) {
            unjudged = error->status = EXRAY_E_STATE;
            snprintf(error->message, sizeof error->message, "input %s: %s", fit.io->name[0], fit.why);
        }
        status = report(comparison, &fit, findings, error);
        if (status != EXRAY_OK)
            return status;
    }
    return unjudged;
}
