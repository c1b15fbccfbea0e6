/* Connectionist temporal classification: the surest letter of each step; repeated ones are one, and what has
 * no label is none. */
#include "tasks/heads/raw_heads.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Scores of each step: [1, steps, classes], or [steps, 1, classes]. */
static bool steps_of(const exray_tensor_info *info, uint64_t *steps, uint64_t *classes)
{
    if (info->rank < 2)
        return false;
    *classes = info->shape[info->rank - 1] > 1 ? (uint64_t)info->shape[info->rank - 1] : 0;
    *steps = *classes ? xr_task_elements(info) / *classes : 0;
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i + 1 < info->rank; i++)
        dimensions += info->shape[i] != 1;
    return *steps > 1 && dimensions == 1;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    uint64_t steps, classes;
    if (options->label_count && count && steps_of(outputs[0], &steps, &classes))
        return true;
    snprintf(why, why_size,
             "head ctc needs a label file with a letter a line (`labels: FILE`), and an output [1, steps, "
             "letters]; "
             "no /result is written");
    return false;
}

/* The blank is before the labels (label_offset 1) or behind them. */
static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    uint64_t steps, classes;
    if (!options->label_count || count == 0 || !outputs[0].values ||
        !steps_of(outputs[0].info, &steps, &classes) || outputs[0].count != steps * classes)
        return EXRAY_E_UNSUPPORTED;
    const char **piece = exray_told_room(told, steps, sizeof *piece);
    size_t size = 1;
    uint64_t before = UINT64_MAX;
    for (uint64_t s = 0; piece && s < steps; s++) {
        uint64_t best = 0;
        float most = -INFINITY;
        for (uint64_t c = 0; c < classes; c++) {
            const float value = xr_task_value(outputs[0].values, s * classes + c);
            if (value > most) {
                most = value;
                best = c;
            }
        }
        piece[s] = best == before ? NULL : xr_task_label(options, (int64_t)best - options->label_offset);
        before = best;
        size += piece[s] ? strlen(piece[s]) : 0;
    }
    char *text = piece ? exray_told_room(told, size, 1) : NULL;
    if (!text)
        return xr_task_no_memory(error, "text");
    size_t at = 0;
    for (uint64_t s = 0; s < steps; s++)
        if (piece[s]) {
            memcpy(text + at, piece[s], strlen(piece[s]));
            at += strlen(piece[s]);
        }
    out->text = text;
    return EXRAY_OK;
}

const xr_raw_head xr_head_ctc = {"ctc", "text", fits, decide};
