/* Text: what was read or heard. */
#include "tasks/builtin_tasks.h"
#include "tasks/heads/find_head.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4096 /* letters of a text */ };

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    return xr_head_fits(
        options, "text",
        "task text needs to know how outputs are read, `output: {head: ctc, labels: FILE}`; no /result "
        "is written",
        outputs, count, why, why_size);
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    return xr_head_decide(options, "text", outputs, count, told, out, error);
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
