#include "checks/told/text/text_frames.h"

#include "checks/output/interpretation.h"
#include "checks/told/decision_ties.h"
#include "checks/told/silence.h"
#include "checks/told/text/composed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 1 << 16, MOST_TEXT = 1 << 24 }; /* bytes of one text; of all */

/* The log's strings are UTF-8. */
static size_t read_letter(const char *at, uint32_t *letter)
{
    unsigned char first = (unsigned char)*at;
    size_t more = first >= 0xF0 ? 3 : first >= 0xE0 ? 2 : first >= 0xC0 ? 1 : 0, i = 1;
    *letter = more ? first & (0x3FU >> more) : first;
    for (; i <= more && ((unsigned char)at[i] & 0xC0) == 0x80; i++)
        *letter = *letter << 6 | ((unsigned char)at[i] & 0x3F);
    return i;
}

static bool is_blank(uint32_t letter)
{
    return letter == ' ' || (letter >= '\t' && letter <= '\r') || letter == 0xA0 || letter == 0x3000;
}

static bool read_text(const char *text, xr_told_text *out)
{
    size_t length = strlen(text);
    length = length < LONGEST ? length : LONGEST;
    bool gap = false;
    out->letter = calloc(length + 1, sizeof *out->letter);
    out->count = 0;
    for (const char *at = text; out->letter && at < text + length;) {
        uint32_t letter;
        at += read_letter(at, &letter);
        if (is_blank(letter)) {
            gap = out->count > 0;
            continue;
        }
        if (gap)
            out->letter[out->count++] = ' ';
        const uint32_t whole = gap || !out->count ? 0 : xr_compose(out->letter[out->count - 1], letter);
        gap = false;
        if (whole)
            out->letter[out->count - 1] = whole;
        else
            out->letter[out->count++] = letter;
    }
    return out->letter != NULL;
}

static void show(const char *text, char shown[96])
{
    size_t length = strlen(text), limit = 80;
    while (length > limit && limit > 0 && ((unsigned char)text[limit] & 0xC0) == 0x80)
        limit--;
    snprintf(shown, 96, "%.*s%s", (int)(length > limit ? limit : length), text, length > limit ? "..." : "");
    for (char *c = shown; *c; c++)
        *c = *c == '\n' || *c == '\r' || *c == '\t' ? ' ' : *c;
}

static bool read_frame(const exray_comparison *comparison, exray_slot *slot, xr_text_frame *f, bool has[2])
{
    for (int s = 0; s < 2; s++) {
        exray_result result;
        has[s] = xr_frame_result(comparison, (exray_side)s, f->frame, slot, &result);
        const char *text = has[s] && result.text ? result.text : "";
        show(text, f->shown[s]);
        if (!read_text(text, &f->text[s]))
            return false;
    }
    f->differs = !xr_same_told_text(&f->text[0], &f->text[1]);
    return true;
}

static void free_texts(xr_text_frame *f)
{
    free(f->text[0].letter);
    free(f->text[1].letter);
}

exray_status xr_text_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 xr_text_frames *out, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison), used = 0;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const xr_silence *silence = &equal->silence;
    *out = (xr_text_frames){.frame = calloc(frames + 1, sizeof *out->frame)};
    bool ok = slot[0] && slot[1] && out->frame;
    for (size_t f = 0; ok && !xr_tells_otherwise(silence, XR_TOLD_TEXT) && f < frames && used < MOST_TEXT;
         f++) {
        if (equal->of[f] == XR_FRAME_OTHER)
            continue;
        xr_text_frame *to = &out->frame[out->count];
        bool has[2];
        *to = (xr_text_frame){.frame = f};
        ok = read_frame(comparison, slot[0], to, has);
        if (!ok || !xr_may_compare_results(silence, has)) {
            free_texts(to);
            continue;
        }
        out->count++;
        if (equal->of[f] == XR_FRAME_NOISE)
            to->differs = to->differs && !xr_same_but_numbers(&to->text[0], &to->text[1]);
        to->noisy =
            to->differs && equal->of[f] == XR_FRAME_NOISE && xr_decisions_are_tied(comparison, f, slot);
        out->differ += to->differs;
        for (int s = 0; s < 2; s++) {
            out->told[s] += to->text[s].count > 0;
            used += to->text[s].count * sizeof(uint32_t);
        }
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!ok)
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading texts"};
    return ok ? EXRAY_OK : EXRAY_E_MEMORY;
}

void xr_text_frames_free(xr_text_frames *frames)
{
    for (size_t f = 0; f < frames->count; f++)
        free_texts(&frames->frame[f]);
    free(frames->frame);
    *frames = (xr_text_frames){0};
}
