#include "report/measure_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *xr_measure_words(char buffer[XR_MEASURE_WORDS_MOST], const char *name)
{
    static const struct {
        const char *name, *words;
    } known[] = {
        {"top1", "accuracy"},
        {"top5", "top-5 accuracy"},
        {"boxes", "boxes that match"},
        {"map50", "mean average precision at IoU 0.5"},
        {"map", "mean average precision"},
        {"miou", "mean IoU"},
        {"iou", "IoU"},
        {"pixels", "equal pixels"},
        {"boundary_shift", "distance of boundaries"},
        {"pck", "keypoints in place"},
        {"oks", "keypoint similarity (OKS)"},
        {"exact", "exact texts"},
        {"cer", "wrong letters"},
        {"wer", "wrong words"},
        {"cosine", "cosine similarity"},
        {"retrieval", "same nearest frame"},
        {"relative_error", "relative error"},
        {"f1", "F1 of labels"},
        {"same_labels", "equal sets of labels"},
    };
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcmp(name, known[i].name) == 0)
            name = known[i].words;
    snprintf(buffer, XR_MEASURE_WORDS_MOST, "%s", name);
    for (char *c = buffer; *c; c++)
        if (*c == '_')
            *c = ' ';
    return buffer;
}

/* "0.0" and "100.0" are for what is exactly that, up to the rounding of a mean. */
static int digits_of_percent(double percent)
{
    enum { MOST = 4 };
    const double rounding = 1e-9;
    int digits = 1;
    for (double unit = 0.1; digits < MOST; digits++, unit /= 10)
        if (fabs(percent) >= unit / 2 && fabs(100 - percent) >= unit / 2)
            break;
    return fabs(percent) < rounding || fabs(100 - percent) < rounding ? 1 : digits;
}

const char *xr_measure_value(char buffer[XR_MEASURE_VALUE_MOST], double value, const char *unit,
                             const char *percent)
{
    if (!isfinite(value))
        snprintf(buffer, XR_MEASURE_VALUE_MOST, "-");
    else if (strcmp(unit, "share") == 0)
        snprintf(buffer, XR_MEASURE_VALUE_MOST, "%.*f%s", digits_of_percent(100 * value), 100 * value,
                 percent);
    else if (strcmp(unit, "cosine") == 0 || !*unit)
        snprintf(buffer, XR_MEASURE_VALUE_MOST, "%.4g", value);
    else
        snprintf(buffer, XR_MEASURE_VALUE_MOST, "%.4g %s", value, unit);
    return buffer;
}
