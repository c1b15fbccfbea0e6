/* An assertion in C++17: the largest output of every frame is the same on both sides.
 *
 *     c++ -std=c++17 -shared -fPIC -I include examples/plugin/top1.cpp -o top1.so
 *     exray validate edge.mcap reference.mcap --plugin top1.so
 *
 * No exception may leave it, because C calls it.  docs/assertions.md has the rules. */
#include <exray/assertion.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>

namespace
{

using Slot = std::unique_ptr<exray_slot, decltype(&exray_slot_free)>;

/* The position of the largest value of the model's first output in a matched frame; none without data. */
std::optional<size_t> largest(const exray_comparison *comparison, exray_side side, size_t frame,
                              exray_slot *slot)
{
    exray_tensor_view view{};
    exray_error error{};
    const float *values = nullptr;
    if (exray_comparison_values(comparison, side, frame, EXRAY_KIND_OUTPUT, 0, slot, &view, &values,
                                &error) != EXRAY_OK ||
        view.count == 0)
        return std::nullopt;
    return std::max_element(values, values + view.count) - values;
}

EXRAY_ASSERTION(top1, "user.top1", "both sides have the same largest output in every frame",
                "/output of both logs, with data")
{
    const Slot slot(exray_slot_new(), exray_slot_free);
    std::string differing;
    size_t judged = 0;
    for (size_t i = 0; slot && i < exray_comparison_frame_count(comparison); i++) {
        const auto edge = largest(comparison, EXRAY_SIDE_EDGE, i, slot.get());
        const auto reference = largest(comparison, EXRAY_SIDE_REFERENCE, i, slot.get());
        judged += edge && reference;
        if (edge && reference && *edge != *reference && differing.size() < 80)
            differing += (differing.empty() ? "" : ", ") + std::to_string(i);
    }
    if (judged == 0) {
        *error = {EXRAY_E_STATE, "no frame has outputs of both sides"};
        return;
    }
    if (differing.empty())
        return;
    exray_finding *finding = exray_findings_add(findings, "user.top1", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(finding, "output", nullptr, EXRAY_NO_INDEX);
    exray_finding_summary(finding, "The largest output differs in frames %s.", differing.c_str());
    exray_finding_number(finding, "frames", static_cast<double>(judged));
}

} // namespace

EXRAY_PLUGIN(&top1);
