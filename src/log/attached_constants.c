#include "log/attached_constants.h"
#include "log/log_file.h"

#include <stdio.h>

/* A record whose data is not in the file: `position` is its index in log->attached. */
static bool attach(exray_log *log, const xr_attached_constant *list, size_t i, exray_record *out)
{
    char topic[32];
    int length = snprintf(topic, sizeof topic, "/constant/%u", (unsigned)list[i].tensor);
    const char *kept = xr_arena_string(&log->arena, topic, (size_t)length);
    *out = (exray_record){.message = EXRAY_MESSAGE_TENSOR,
                          .kind = EXRAY_KIND_CONSTANT,
                          .index = list[i].tensor,
                          .has_data = true,
                          .topic = kept,
                          .name = "",
                          .position = i,
                          .chunk = XR_CHUNK_ATTACHED};
    return kept != NULL;
}

static bool is_constant_tensor(const exray_record *r)
{
    return r->message == EXRAY_MESSAGE_TENSOR && r->kind == EXRAY_KIND_CONSTANT;
}

bool xr_log_attach_constants(exray_log *log, const xr_attached_constant *list, size_t count)
{
    const size_t old = log->constant_count;
    log->arena.limit = 0; /* it bounds what a file may ask for; this is the caller's */
    exray_record *records = xr_arena_take(&log->arena, (old + count) * sizeof *records);
    if (!records)
        return false;
    const exray_record *from = log->constants, *end = from + old;
    exray_record *to = records;
    for (size_t i = 0; i < count; i++) {
        while (from < end && is_constant_tensor(from) && from->index < list[i].tensor)
            *to++ = *from++;
        while (from < end && is_constant_tensor(from) && from->index == list[i].tensor)
            from++;
        if (!attach(log, list, i, to++))
            return false;
    }
    while (from < end)
        *to++ = *from++;
    log->constants = records;
    log->constant_count = (size_t)(to - records);
    log->attached = list;
    log->attached_count = count;
    return true;
}
