#include "checks/input/sound/sound_kept.h"

#include <stdlib.h>

static const char key[] = "sound relation";

void xr_keep_sound_relation(exray_findings *findings, size_t pair, const xr_sound_relation *relation)
{
    xr_sound_relation *kept = malloc(sizeof *kept);
    if (!kept)
        return;
    *kept = *relation;
    xr_findings_attach(findings, key, pair, kept, free);
}

const xr_sound_relation *xr_kept_sound_relation(const exray_findings *findings, size_t pair)
{
    return xr_findings_attached(findings, key, pair);
}
