#include "core/limits/budget_tell.h"

#include "core/encode/text.h"
#include "core/events/events.h"

enum { LINE = 200 };

/* `last`: it is of the recording up to here, so that a reader knows how far it went. */
static void tell(xr_recorder *r, const char *what, uint64_t first, const char *middle, uint64_t second,
                 bool last)
{
    char line[LINE];
    xr_text_builder text = xr_text_in(line, sizeof line);
    xr_text_add(&text, "the budget of ");
    xr_text_add_number(&text, r->budget.total);
    xr_text_add(&text, " bytes ");
    xr_text_add(&text, what);
    xr_text_add_number(&text, first);
    xr_text_add(&text, middle);
    if (second)
        xr_text_add_number(&text, second);
    if (last)
        xr_event_of(r, EXRAY_EVENT_LEVEL, line, r->next_frame - 1, 0);
    else
        xr_event(r, EXRAY_EVENT_LEVEL, line, 0);
}

static void tell_steps(xr_recorder *r)
{
    xr_budget *budget = &r->budget;
    budget->untold = false;
    if (budget->level != budget->level_told)
        tell(r,
             budget->level == EXRAY_CAPTURE_STATS ? "has no more room for the data of tensors: from frame "
                                                  : "has no more room for tensors: from frame ",
             budget->lowered_at,
             budget->level == EXRAY_CAPTURE_STATS ? " on their statistics" : " on frames and latencies", 0,
             false);
    budget->level_told = budget->level;
    if (budget->thinning != budget->thinning_told)
        tell(r, "is nearly used: from frame ", budget->thinned_at, " on those whose index is a multiple of ",
             UINT64_C(1) << budget->thinning, false);
    budget->thinning_told = budget->thinning;
}

void xr_budget_tell(xr_recorder *r, bool end)
{
    if (r->budget.untold)
        tell_steps(r);
    if (end && r->budget.frames_left_out)
        tell(r, "left out ", r->budget.frames_left_out, " frames of ", r->next_frame, true);
}
