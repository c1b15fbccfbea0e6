#include "checks/input/tokens/chosen_ids.h"

#include "checks/model/state/chosen.h"

static bool differs(const exray_io_pair *input)
{
    return input->other_shape || (input->comparable && input->metrics.max_abs > 0);
}

/* Whose scores are wrong is another question, or two were nearly as large. */
static void report(const exray_comparison *comparison, const exray_io_pair *input, size_t output,
                   size_t first, exray_findings *findings)
{
    const char *scores = exray_comparison_output(comparison, output)->name[EXRAY_SIDE_EDGE],
               *ids = input->name[EXRAY_SIDE_EDGE];
    exray_finding *f = exray_findings_add(findings, "input.tokens", EXRAY_SEVERITY_WARNING, 0.9);
    exray_finding_where(f, "input", ids, EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "From frame %zu on each side is given the ids in input %.100s that it chose itself: those "
        "of the largest scores in %.100s of the frame before.",
        first, ids, scores);
    exray_finding_detail(f, "From there on the two are about other texts; what differs before is why.");
    exray_finding_fix(f,
                      "Give both sides the ids that the reference chose, to compare what they make of them.");
    exray_finding_text(f, "kind", "chosen");
    exray_finding_text(f, "output", scores);
    exray_finding_number(f, "first_frame", (double)first);
}

void xr_judge_chosen_ids(const exray_comparison *comparison, bool *judged, exray_findings *findings)
{
    for (size_t i = 0; i < exray_comparison_input_count(comparison); i++) {
        const exray_io_pair *input = exray_comparison_input(comparison, i);
        size_t output, first;
        if (judged[i] || !differs(input) || !xr_is_chosen(comparison, i, &output, &first))
            continue;
        judged[i] = true;
        report(comparison, input, output, first, findings);
    }
}
