#include "report/layer_cause.h"

#include "checks/findings.h"

#include <string.h>

const char *xr_layer_cause(const xr_report *report, size_t layer)
{
    const xr_outcome *o = report->outcome;
    for (size_t i = 0; i < o->shown_count; i++) {
        const exray_finding *f = o->shown[i];
        bool of_layers = strncmp(f->cause, "layer.", 6) == 0 || strncmp(f->cause, "model.", 6) == 0;
        if (f->severity == EXRAY_SEVERITY_ERROR && of_layers &&
            xr_is_about_layer(report->comparison, f, layer))
            return f->cause;
    }
    return NULL;
}
