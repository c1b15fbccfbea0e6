#include "checks/input/tokens/token_prompts.h"

#include <stdlib.h>
#include <string.h>

/* Bytes of all texts that are taken. */
enum { MOST_BYTES = 1 << 20 };

static bool read_side(const exray_comparison *c, exray_side side, size_t frame, exray_slot *slot,
                      xr_token_prompt *out)
{
    const exray_log *log = exray_comparison_log(c, side);
    size_t at = exray_comparison_frame(c, frame).frame[side];
    const exray_record *records = exray_log_records(log, at);
    for (size_t i = 0; records && i < exray_log_frame(log, at)->record_count; i++) {
        exray_tensor_view view;
        exray_error ignored;
        if (records[i].message != EXRAY_MESSAGE_TENSOR || records[i].kind != EXRAY_KIND_SENSOR ||
            !records[i].has_data ||
            exray_log_read_tensor(log, &records[i], slot, &view, &ignored) != EXRAY_OK || !view.has_media ||
            !view.media.format || strcmp(view.media.format, "utf8") != 0 || !view.data)
            continue;
        out->text = malloc(view.size + 1);
        if (!out->text)
            return false;
        memcpy(out->text, view.data, view.size);
        out->text[view.size] = 0;
        out->size = view.size;
        return true;
    }
    return false;
}

xr_token_prompt *xr_token_prompts_read(const exray_comparison *comparison, const xr_token_texts *texts)
{
    xr_token_prompt *prompts = calloc(texts->count + 1, sizeof *prompts);
    exray_slot *slot = exray_slot_new();
    size_t found = 0, bytes = 0;
    for (size_t i = 0; prompts && slot && i < texts->count && bytes < MOST_BYTES; i++) {
        const xr_token_text *t = &texts->text[i];
        bool alone = t->row == 0 && (i + 1 == texts->count || texts->text[i + 1].row == 0);
        if (alone && (read_side(comparison, EXRAY_SIDE_EDGE, t->frame, slot, &prompts[i]) ||
                      read_side(comparison, EXRAY_SIDE_REFERENCE, t->frame, slot, &prompts[i]))) {
            bytes += prompts[i].size;
            found++;
        }
    }
    exray_slot_free(slot);
    if (found)
        return prompts;
    xr_token_prompts_free(prompts, texts);
    return NULL;
}

void xr_token_prompts_free(xr_token_prompt *prompts, const xr_token_texts *texts)
{
    for (size_t i = 0; prompts && i < texts->count; i++)
        free(prompts[i].text);
    free(prompts);
}
