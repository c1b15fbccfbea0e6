#include "core/limits/budget.h"

#include "core/limits/budget_tell.h"

enum {
    PARTS = 16,         /* shares are so many of these */
    THINNED_PARTS = 2,  /* the last of them: where frames are thinned */
    THINNING_STEPS = 16 /* in that share, each of them half as dense as the one before */
};

void xr_budget_begin(xr_recorder *r, uint64_t bytes, uint64_t spent)
{
    xr_budget *budget = &r->budget;
    budget->bytes = r->mcap.budget = bytes;
    budget->spent = budget->reserved = spent;
    budget->tensors = 0;
    budget->level = EXRAY_CAPTURE_FULL;
}

uint64_t xr_budget_of_file(const xr_budget *budget)
{
    /* Beside the files, what they begin with lies on the disk once more. */
    const uint64_t left = budget->total > budget->head ? budget->total - budget->head : 0;
    const uint64_t share = budget->total ? left / budget->files : 0;
    return share && (!budget->file_bytes || share < budget->file_bytes) ? share : budget->file_bytes;
}

static uint64_t cost_of(const xr_recorder *r, uint32_t channel, uint64_t size)
{
    uint64_t cost = xr_mcap_message_cost(&r->mcap, size);
    if (r->channels.table[channel].schema == XR_SCHEMA_FRAME)
        cost += xr_mcap_check_cost(&r->mcap);
    if (!r->channels.use[channel].charged)
        cost +=
            xr_mcap_channel_cost(&r->mcap, channel, !r->schema_charged[r->channels.table[channel].schema]);
    return cost;
}

static uint64_t usable(const xr_budget *budget)
{
    return budget->bytes > budget->reserved ? budget->bytes - budget->reserved : 0;
}

static uint64_t share_of(const xr_budget *budget, xr_share share)
{
    static const uint8_t one_file[] = {PARTS, 12, 8, 4, 2}, of_series[] = {PARTS, 8, 15, 14, 4};
    return usable(budget) / PARTS * (budget->series ? of_series : one_file)[share];
}

static bool allows(const xr_budget *budget, xr_share share, uint64_t cost)
{
    const bool tensor = share >= XR_SHARE_STATS && !budget->series;
    const uint64_t spent = tensor ? budget->tensors : budget->spent - budget->reserved;
    const uint64_t limit = share_of(budget, share);
    return spent <= limit && cost <= limit - spent && budget->spent <= budget->bytes &&
           cost <= budget->bytes - budget->spent;
}

/* Whether it finds no room here, but would in an empty file. */
static bool waits(const xr_recorder *r, int share, uint64_t cost)
{
    return !allows(&r->budget, (xr_share)share, cost) && cost <= share_of(&r->budget, (xr_share)share);
}

static void spend(xr_recorder *r, int share, uint64_t cost, bool head)
{
    xr_budget *budget = &r->budget;
    budget->spent += cost;
    if (share >= XR_SHARE_STATS)
        budget->tensors += cost;
    if (!head)
        return;
    budget->head += cost;
    if (budget->series)
        budget->bytes = xr_budget_of_file(budget);
}

static void lower(xr_recorder *r, exray_capture level)
{
    r->budget.level = level;
    r->budget.lowered_at = r->next_frame;
    r->budget.untold = true;
}

static bool admit(xr_recorder *r, int share, uint64_t cost)
{
    xr_budget *budget = &r->budget;
    if (allows(budget, (xr_share)share, cost))
        return true;
    /* The next file has room; and what would never fit says nothing of the others. */
    if (budget->series || cost > share_of(budget, (xr_share)share))
        return false;
    if (share == XR_SHARE_DATA && budget->level > EXRAY_CAPTURE_STATS)
        lower(r, EXRAY_CAPTURE_STATS);
    else if (share == XR_SHARE_STATS && budget->level > EXRAY_CAPTURE_FRAME)
        lower(r, EXRAY_CAPTURE_FRAME);
    return false;
}

static xr_keep keep_of_tensor(const xr_recorder *r, exray_kind kind, xr_keep k)
{
    const bool left_out = r->frame.thinned && kind != EXRAY_KIND_CONSTANT;
    if (r->budget.level < EXRAY_CAPTURE_STATS || left_out)
        return XR_KEEP_NOTHING;
    return r->budget.level < EXRAY_CAPTURE_FULL && k == XR_KEEP_DATA ? XR_KEEP_STATS : k;
}

static bool keeps_frame(xr_recorder *r, uint64_t index)
{
    xr_budget *budget = &r->budget;
    if (budget->series)
        return true;
    const uint64_t spent = budget->spent - budget->reserved, step = usable(budget) / PARTS * THINNED_PARTS;
    const uint64_t dense = usable(budget) - step;
    unsigned thinning = 0;
    if (spent > dense)
        thinning = 1 + (unsigned)((spent - dense) / (step / THINNING_STEPS + 1));
    if (thinning > budget->thinning) {
        budget->thinning = (uint8_t)thinning;
        budget->thinned_at = index;
        budget->untold = true;
    }
    const bool keeps = !(index & ((UINT64_C(1) << budget->thinning) - 1));
    budget->frames_left_out += !keeps;
    return keeps;
}

/* What the message on its way costs from. */
static xr_share share_of_message(const xr_recorder *r, uint32_t channel)
{
    switch (r->channels.table[channel].schema) {
    case XR_SCHEMA_TENSOR:
        return r->data_share ? (xr_share)r->data_share : XR_SHARE_STATS;
    case XR_SCHEMA_LAYER_STATS:
        return XR_SHARE_STATS;
    case XR_SCHEMA_MODEL:
        return XR_SHARE_HEAD;
    default:
        return XR_SHARE_FRAMES;
    }
}

/* Whether it belongs to a frame that is left out. */
static bool is_left_out(const xr_recorder *r, uint32_t channel, xr_share share)
{
    return r->frame.thinned && share == XR_SHARE_FRAMES &&
           r->channels.table[channel].schema != XR_SCHEMA_EVENT;
}

static bool admit_message(xr_recorder *r, uint32_t channel, uint64_t size, uint64_t *cost)
{
    const xr_share share = share_of_message(r, channel);
    *cost = cost_of(r, channel, size);
    return !is_left_out(r, channel, share) && admit(r, share, *cost);
}

static void spend_message(xr_recorder *r, uint32_t channel, uint64_t cost)
{
    spend(r, share_of_message(r, channel), cost, r->mcap.keep && xr_mcap_is_head(&r->mcap, channel));
}

static bool admit_head(xr_recorder *r, uint64_t cost)
{
    if (!admit(r, XR_SHARE_HEAD, cost))
        return false;
    spend(r, XR_SHARE_HEAD, cost, r->mcap.keep != NULL);
    return true;
}

static bool admit_data(xr_recorder *r, const exray_tensor *tensor, uint32_t channel)
{
    const xr_share share = tensor->kind == EXRAY_KIND_CONSTANT ? XR_SHARE_CONSTANTS : XR_SHARE_DATA;
    const uint64_t size = r->draft.sink.size + (uint64_t)xr_encoded_data_size(tensor->size);
    r->data_share = (uint8_t)share;
    if (admit(r, share, cost_of(r, channel, size)))
        return true;
    r->data_share = 0;
    return false;
}

static void begin(xr_recorder *r)
{
    xr_budget *budget = &r->budget;
    r->mcap.budget = xr_budget_of_file(budget);
    /* The log's end, a last /system, a last word on the budget. */
    budget->base =
        r->mcap.position + 1024 + xr_mcap_message_cost(&r->mcap, 80) + xr_mcap_message_cost(&r->mcap, 220);
    for (uint32_t i = 0; i < r->series.common; i++)
        budget->base += xr_mcap_channel_cost(&r->mcap, i, true);
    xr_budget_begin(r, xr_budget_of_file(budget), budget->base);
}

const exray_budget_part *exray_budget_part_default(void)
{
    static const exray_budget_part part = {begin,         cost_of,       waits,      admit_message,
                                           spend_message, admit_head,    admit_data, keep_of_tensor,
                                           keeps_frame,   xr_budget_tell};
    return &part;
}
