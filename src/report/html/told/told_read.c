#include "report/html/told/told_read.h"

#include "compare/judge/outputs_told.h"
#include "report/html/told/stage_results.h"

static bool recorded(xr_page *p, exray_side side, size_t frame, exray_message which, exray_slot *slot,
                     exray_result *out)
{
    exray_error error;
    return exray_log_read_told(exray_comparison_log(p->comparison, side),
                               exray_comparison_frame(p->comparison, frame).frame[side], which, slot, out,
                               &error) == EXRAY_OK;
}

/* How outputs are read; task NULL: not at all. */
static xr_output_set set_of_outputs(xr_page *p)
{
    if (!p->outputs_known) {
        const bool classes = exray_comparison_output_count(p->comparison) == 1 &&
                             exray_comparison_accuracy(p->comparison)->frames > 0;
        p->outputs = classes ? (xr_output_set){exray_task_named("classification"), 0, 1}
                             : xr_outputs_set(p->comparison, p->slot[0], p->told[0]);
        p->outputs_known = true;
    }
    return p->outputs;
}

static bool from_outputs(xr_page *p, exray_side side, size_t frame, exray_result *out)
{
    const xr_output_set set = set_of_outputs(p);
    exray_told_clear(p->told[side]);
    return xr_outputs_decide(p->comparison, set, side, frame, p->slot[side], p->told[side], out);
}

bool xr_told_read(xr_page *p, size_t frame, xr_told_frame *out)
{
    *out = (xr_told_frame){.decided = false};
    for (int s = 0; s < 2; s++) {
        exray_told_clear(p->told[s]);
        out->has[s] = recorded(p, (exray_side)s, frame, EXRAY_MESSAGE_RESULT, p->slot[s], &out->side[s]);
        if (!out->has[s])
            out->side[s] = (exray_result){.text = ""};
        if (xr_told_add_stages(p, (exray_side)s, frame, &out->side[s]))
            out->has[s] = true;
    }
    if (!out->has[0] && !out->has[1]) {
        out->decided = true;
        for (int s = 0; s < 2; s++) {
            out->has[s] = from_outputs(p, (exray_side)s, frame, &out->side[s]);
            if (!out->has[s])
                out->side[s] = (exray_result){.text = ""};
        }
    }
    for (int s = 0; s < 2 && !out->has_truth; s++)
        out->has_truth = recorded(p, (exray_side)s, frame, EXRAY_MESSAGE_TRUTH, p->truth_slot, &out->truth);
    return out->has[0] || out->has[1];
}
