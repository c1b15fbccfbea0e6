#include "checks/told/text/text_changes.h"

#include <math.h>
#include <string.h>

bool xr_same_told_text(const xr_told_text *a, const xr_told_text *b)
{
    return a->count == b->count &&
           (a->count == 0 || memcmp(a->letter, b->letter, a->count * sizeof *a->letter) == 0);
}

void xr_merge_repeats(const xr_told_text *text, xr_told_text *out)
{
    out->count = 0;
    for (size_t i = 0; i < text->count; i++)
        if (i == 0 || text->letter[i] != text->letter[i - 1])
            out->letter[out->count++] = text->letter[i];
}

void xr_without_blanks(const xr_told_text *text, xr_told_text *out)
{
    out->count = 0;
    for (size_t i = 0; i < text->count; i++)
        if (text->letter[i] != ' ')
            out->letter[out->count++] = text->letter[i];
}

static bool begins_with(const xr_told_text *text, size_t at, const xr_told_text *token)
{
    return token->count && text->count - at >= token->count &&
           memcmp(text->letter + at, token->letter, token->count * sizeof *token->letter) == 0;
}

void xr_without_token(const xr_told_text *text, const xr_told_text *token, xr_told_text *out)
{
    out->count = 0;
    for (size_t i = 0; i < text->count;) {
        if (begins_with(text, i, token))
            i += token->count;
        else
            out->letter[out->count++] = text->letter[i++];
    }
    while (out->count && out->letter[out->count - 1] == ' ')
        out->count--;
}

/* Latin, Greek and Cyrillic; other scripts have no case, or their letters stay as they are. */
static uint32_t lower(uint32_t c)
{
    bool latin = (c >= 'A' && c <= 'Z') || (c >= 0xC0 && c <= 0xDE && c != 0xD7);
    bool greek = c >= 0x391 && c <= 0x3A9, cyrillic = c >= 0x410 && c <= 0x42F;
    return latin || greek || cyrillic ? c + 32 : c;
}

void xr_lower_case(const xr_told_text *text, xr_told_text *out)
{
    out->count = text->count;
    for (size_t i = 0; i < text->count; i++)
        out->letter[i] = lower(text->letter[i]);
}

void xr_reversed_text(const xr_told_text *text, xr_told_text *out)
{
    out->count = text->count;
    for (size_t i = 0; i < text->count; i++)
        out->letter[i] = text->letter[text->count - 1 - i];
}

/* ---- Words ------------------------------------------------------------------------------------- */

enum { MOST_WORDS = 64 };

static size_t words_of(const xr_told_text *text, xr_told_text *word)
{
    size_t count = 0, begin = 0;
    for (size_t i = 0; i <= text->count; i++) {
        if (i < text->count && text->letter[i] != ' ')
            continue;
        if (i > begin && count < MOST_WORDS)
            word[count] = (xr_told_text){text->letter + begin, i - begin};
        count += i > begin;
        begin = i + 1;
    }
    return count;
}

bool xr_same_words(const xr_told_text *a, const xr_told_text *b)
{
    xr_told_text x[MOST_WORDS], y[MOST_WORDS];
    bool taken[MOST_WORDS] = {false};
    size_t count = words_of(a, x);
    if (count < 2 || count > MOST_WORDS || words_of(b, y) != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t k = 0;
        while (k < count && (taken[k] || !xr_same_told_text(&x[i], &y[k])))
            k++;
        if (k == count)
            return false;
        taken[k] = true;
    }
    return true;
}

/* ---- Numbers ------------------------------------------------------------------------------------ */

static bool is_digit(const xr_told_text *text, size_t at)
{
    return at < text->count && text->letter[at] >= '0' && text->letter[at] <= '9';
}

/* Reads digits with at most one point; *at moves behind them.  *step: of the last digit. */
static double read_number(const xr_told_text *text, size_t *at, double *step)
{
    double value = 0;
    bool point = false;
    *step = 1;
    for (; is_digit(text, *at) || (!point && text->letter[*at] == '.' && is_digit(text, *at + 1)); ++*at) {
        if (text->letter[*at] == '.') {
            point = true;
            continue;
        }
        value = 10 * value + (text->letter[*at] - '0');
        *step = point ? *step / 10 : *step;
    }
    return value * *step;
}

bool xr_same_but_numbers(const xr_told_text *a, const xr_told_text *b)
{
    const double share = 0.05; /* of the value, or two steps of its last digit */
    size_t i = 0, k = 0;
    while (i < a->count && k < b->count) {
        if (is_digit(a, i) && is_digit(b, k)) {
            double step[2], x = read_number(a, &i, &step[0]), y = read_number(b, &k, &step[1]);
            if (step[0] == step[1] && fabs(x - y) <= fmax(share * fmax(x, y), 2.01 * step[0]))
                continue;
            return false;
        }
        if (a->letter[i++] != b->letter[k++])
            return false;
    }
    return i == a->count && k == b->count;
}

size_t xr_common_beginning(const xr_told_text *a, const xr_told_text *b)
{
    size_t i = 0;
    while (i < a->count && i < b->count && a->letter[i] == b->letter[i])
        i++;
    return i;
}
