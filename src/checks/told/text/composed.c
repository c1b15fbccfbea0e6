#include "checks/told/text/composed.h"

#include "checks/told/text/composed_table.h"

#include <stdlib.h>

/* Hangul (chapter 3.12 of the Unicode standard): syllables of a consonant, a vowel and perhaps a last
 * consonant. */
enum {
    SYLLABLES = 0xAC00,
    LEADING = 0x1100,
    VOWELS = 0x1161,
    TRAILING = 0x11A7, /* none of them: the first one is behind it */
    LEADING_COUNT = 19,
    VOWEL_COUNT = 21,
    TRAILING_COUNT = 28,
};

static uint32_t compose_hangul(uint32_t letter, uint32_t next)
{
    if (letter - LEADING < LEADING_COUNT && next - VOWELS < VOWEL_COUNT)
        return SYLLABLES + ((letter - LEADING) * VOWEL_COUNT + (next - VOWELS)) * TRAILING_COUNT;
    const uint32_t syllable = letter - SYLLABLES;
    if (syllable < LEADING_COUNT * VOWEL_COUNT * TRAILING_COUNT && syllable % TRAILING_COUNT == 0 &&
        next > TRAILING && next - TRAILING < TRAILING_COUNT)
        return letter + (next - TRAILING);
    return 0;
}

static int compare(const void *key, const void *entry)
{
    const xr_composed_letter *a = key, *b = entry;
    return a->letter != b->letter ? (a->letter > b->letter) - (a->letter < b->letter)
                                  : (a->mark > b->mark) - (a->mark < b->mark);
}

uint32_t xr_compose(uint32_t letter, uint32_t next)
{
    const uint32_t hangul = compose_hangul(letter, next);
    if (hangul || letter > UINT16_MAX || next > UINT16_MAX)
        return hangul;
    const xr_composed_letter key = {(uint16_t)letter, (uint16_t)next, 0};
    const xr_composed_letter *found =
        bsearch(&key, xr_composed_letters, xr_composed_count, sizeof key, compare);
    return found ? found->whole : 0;
}
