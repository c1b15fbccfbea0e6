/* Text: what was read or heard. */
#include "tasks/builtin_tasks.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 /* letters of a text */ };

/* Scores of each step: [1, steps, classes], or [steps, 1, classes]. */
static bool steps_of(const exray_tensor_info *info, uint64_t *steps, uint64_t *classes)
{
    if (info->rank < 2)
        return false;
    *classes = info->shape[info->rank - 1] > 1 ? (uint64_t)info->shape[info->rank - 1] : 0;
    *steps = *classes ? xr_task_elements(info) / *classes : 0;
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i + 1 < info->rank; i++)
        dimensions += info->shape[i] != 1;
    return *steps > 1 && dimensions == 1;
}

static bool is_ctc(const exray_task_options *options)
{
    return options->head && strcmp(options->head, "ctc") == 0;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    uint64_t steps, classes;
    if (is_ctc(options) && options->label_count && count && steps_of(outputs[0], &steps, &classes))
        return true;
    snprintf(why, why_size,
             "task text needs 'head: ctc', a label file with a letter a line, and an output [1, steps, "
             "letters]; no /result is written");
    return false;
}

/* The blank is before the labels (label_offset 1) or behind them. */
static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    *out = (exray_result){.text = ""};
    uint64_t steps, classes;
    if (!is_ctc(options) || !options->label_count || count == 0 || !outputs[0].values ||
        !steps_of(outputs[0].info, &steps, &classes) || outputs[0].count != steps * classes)
        return EXRAY_E_UNSUPPORTED;
    const char **piece = exray_told_room(told, steps, sizeof *piece);
    size_t size = 1;
    uint64_t before = UINT64_MAX;
    for (uint64_t s = 0; piece && s < steps; s++) {
        uint64_t best = 0;
        float most = -INFINITY;
        for (uint64_t c = 0; c < classes; c++) {
            float value;
            memcpy(&value, (const char *)outputs[0].values + (s * classes + c) * sizeof value, sizeof value);
            if (value > most) {
                most = value;
                best = c;
            }
        }
        piece[s] = best == before ? NULL : xr_task_label(options, (int64_t)best - options->label_offset);
        before = best;
        size += piece[s] ? strlen(piece[s]) : 0;
    }
    char *text = piece ? exray_told_room(told, size, 1) : NULL;
    if (!text)
        return xr_task_no_memory(error, "text");
    size_t at = 0;
    for (uint64_t s = 0; s < steps; s++)
        if (piece[s]) {
            memcpy(text + at, piece[s], strlen(piece[s]));
            at += strlen(piece[s]);
        }
    out->text = text;
    return EXRAY_OK;
}

static bool has(const exray_result *result)
{
    return result->text && *result->text;
}

/* ---- Measures ---- */

typedef struct text_sums {
    xr_task_mean exact, letters, words;
    uint32_t unit[2][MOST], row[MOST + 1];
} text_sums;

static void *begin(const exray_task_options *options)
{
    (void)options;
    return calloc(1, sizeof(text_sums));
}

/* Code points; a byte that begins none is a letter of its own. */
static uint32_t letters_of(const char *text, uint32_t *out)
{
    uint32_t count = 0;
    const uint8_t *at = (const uint8_t *)text;
    while (*at && count < MOST) {
        uint32_t letter = *at++;
        while ((*at & 0xC0) == 0x80 && letter >= 0xC0)
            letter = letter << 8 | *at++;
        out[count++] = letter;
    }
    return count;
}

/* Words, between spaces, as their hashes (FNV-1a). */
static uint32_t words_of(const char *text, uint32_t *out)
{
    uint32_t count = 0;
    while (*text && count < MOST) {
        text += strspn(text, " \t\r\n");
        if (!*text)
            break;
        uint32_t hash = 2166136261U;
        for (; *text && !strchr(" \t\r\n", *text); text++)
            hash = (hash ^ (uint8_t)*text) * 16777619U;
        out[count++] = hash;
    }
    return count;
}

/* Levenshtein's distance. */
static double distance(text_sums *sums, uint32_t n, uint32_t m)
{
    uint32_t *row = sums->row;
    for (uint32_t k = 0; k <= m; k++)
        row[k] = k;
    for (uint32_t i = 1; i <= n; i++) {
        uint32_t diagonal = row[0];
        row[0] = i;
        for (uint32_t k = 1; k <= m; k++) {
            const uint32_t kept = diagonal + (sums->unit[0][i - 1] != sums->unit[1][k - 1]);
            diagonal = row[k];
            const uint32_t other = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;
            row[k] = kept < other ? kept : other;
        }
    }
    return row[m];
}

static void compare(void *state, const exray_result *told, const exray_result *other)
{
    text_sums *sums = state;
    const char *text[2] = {told->text ? told->text : "", other->text ? other->text : ""};
    if (!*text[0] && !*text[1])
        return;
    xr_task_add(&sums->exact, strcmp(text[0], text[1]) == 0, 1);
    uint32_t n = letters_of(text[0], sums->unit[0]), m = letters_of(text[1], sums->unit[1]);
    xr_task_add(&sums->letters, distance(sums, n, m), fmax(m, 1));
    n = words_of(text[0], sums->unit[0]);
    m = words_of(text[1], sums->unit[1]);
    xr_task_add(&sums->words, distance(sums, n, m), fmax(m, 1));
}

static size_t measure(const void *state, exray_task_measure *out, size_t most)
{
    const text_sums *sums = state;
    if (most < 3)
        return 0;
    out[0] = xr_task_measure_of(&sums->exact, "exact", "share", true);
    out[1] = xr_task_measure_of(&sums->letters, "cer", "share", false);
    out[2] = xr_task_measure_of(&sums->words, "wer", "share", false);
    return 3;
}

const exray_task xr_task_text = {
    sizeof(exray_task), "text", fits, decide, has, begin, compare, measure, free};
