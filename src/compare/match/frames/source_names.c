#include "compare/match/frames/source_names.h"

#include "base/sort.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* Logs of Windows have its separators. */
static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

size_t xr_source_folder(const xr_frame_key *list, size_t count)
{
    size_t common = count ? strlen(list[0].source) : 0;
    for (size_t i = 1; i < count; i++) {
        size_t k = 0;
        while (k < common && list[i].source[k] == list[0].source[k])
            k++;
        common = k;
    }
    while (common && !is_separator(list[0].source[common - 1]))
        common--;
    return common;
}

static size_t file_begin(const char *source)
{
    size_t at = strlen(source);
    while (at && !is_separator(source[at - 1]))
        at--;
    return at;
}

/* Where the extension begins: a dot, a letter, and up to four letters or digits more ("jpeg"). */
static size_t stem_end(const char *name, size_t length)
{
    enum { MOST = 5 };
    size_t at = length;
    while (at && isalnum((unsigned char)name[at - 1]))
        at--;
    const bool one = at > 1 && name[at - 1] == '.' && length - at >= 1 && length - at <= MOST &&
                     isalpha((unsigned char)name[at]);
    return one ? at - 1 : length;
}

char *xr_source_part_of(const char *source, size_t folder, xr_source_part part)
{
    const bool below = part == XR_SOURCE_BELOW || part == XR_SOURCE_BELOW_STEM;
    const bool stem = part == XR_SOURCE_STEM || part == XR_SOURCE_BELOW_STEM;
    const char *from = source + (below ? folder : file_begin(source));
    size_t length = strlen(from);
    if (stem)
        length = stem_end(from, length);
    char *out = malloc(length + 1);
    if (!out)
        return NULL;
    for (size_t i = 0; i < length; i++)
        out[i] = is_separator(from[i]) ? '/' : stem ? (char)tolower((unsigned char)from[i]) : from[i];
    out[length] = 0;
    return out;
}

typedef struct counted_name {
    const char *digits; /* the last ones of the name */
    size_t before, count;
} counted_name;

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool split_name(const char *name, counted_name *out)
{
    enum { MOST_DIGITS = 18 };
    size_t end = strlen(name);
    while (end && !is_digit(name[end - 1]))
        end--;
    size_t begin = end;
    while (begin && is_digit(name[begin - 1]))
        begin--;
    *out = (counted_name){name + begin, begin, end - begin};
    return end > begin && end - begin <= MOST_DIGITS;
}

bool xr_sources_only_count(const xr_frame_key *list, size_t count)
{
    uint64_t *number = calloc(count + 1, sizeof *number);
    bool so = number != NULL;
    counted_name first = {0};
    for (size_t i = 0; so && i < count; i++) {
        counted_name own;
        so = split_name(list[i].source, &own);
        if (i == 0)
            first = own;
        so = so && own.before == first.before && memcmp(list[i].source, list[0].source, own.before) == 0 &&
             strcmp(own.digits + own.count, first.digits + first.count) == 0;
        if (so)
            number[i] = strtoull(own.digits, NULL, 10);
    }
    if (so)
        qsort(number, count, sizeof *number, xr_by_u64);
    for (size_t i = 2; so && i < count; i++)
        so = number[i] - number[i - 1] == number[1] - number[0];
    so = so && (count > 1 || number[0] <= 1);
    free(number);
    return so;
}
