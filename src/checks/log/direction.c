#include "checks/log/direction.h"

#include "checks/input/pipeline_of.h"

#include <string.h>

/* What the sensor saw, even without its data: a replay of it has the reference's own steps. */
static bool has_sensor(const exray_log *log)
{
    enum { FRAMES = 16 }; /* the first may be without tensors */
    bool found = false;
    exray_slot *slot = exray_slot_new();
    for (size_t f = 0; slot && f < exray_log_frame_count(log) && f < FRAMES && !found; f++) {
        size_t count;
        const exray_record *record = exray_log_records_in(log, f, slot, &count);
        for (size_t i = 0; record && i < count && !found; i++)
            found = record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_SENSOR;
    }
    exray_slot_free(slot);
    return found;
}

static bool logs_tell(const exray_comparison *c)
{
    bool tell = false;
    for (int s = 0; s < 2 && !tell; s++)
        tell = xr_has_pipeline(c, (exray_side)s, NULL) || has_sensor(exray_comparison_log(c, (exray_side)s));
    return tell;
}

static bool is_unsaid(const exray_finding *f)
{
    static const char words[] = "logs do not say";
    if (f->summary && strstr(f->summary, words))
        return false;
    for (size_t i = 0; i < f->detail_count; i++)
        if (strstr(f->detail[i], words))
            return false;
    return true;
}

void xr_say_no_direction(const exray_comparison *comparison, exray_findings *findings)
{
    bool looked = false;
    for (exray_finding *f = findings->first; f; f = f->next) {
        if (strncmp(f->cause, "input.", 6) != 0 || f->severity != EXRAY_SEVERITY_ERROR || !is_unsaid(f))
            continue;
        if (!looked && logs_tell(comparison))
            return;
        looked = true;
        exray_finding_detail(
            f, "Which of the two is right, the logs do not say: they hold neither what a sensor "
               "saw nor a pipeline file.");
    }
}
