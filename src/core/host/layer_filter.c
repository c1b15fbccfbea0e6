/* config.layers: "Conv*,#12,#3-9". */
#include "core/host/layer_filter.h"

#include "core/encode/text.h"
#include <string.h>

/* Reads a decimal number of at most 32 bits; false: there is none. */
static bool read_index(const char **at, const char *end, uint32_t *out)
{
    uint64_t value = 0;
    const char *begin = *at;
    while (*at < end && **at >= '0' && **at <= '9' && value <= UINT32_MAX)
        value = value * 10 + (uint64_t)(*(*at)++ - '0');
    *out = (uint32_t)value;
    return *at > begin && value <= UINT32_MAX;
}

/* "#12" or "#3-9". */
static bool read_range(const char *at, const char *end, uint32_t *first, uint32_t *last)
{
    at++;
    if (!read_index(&at, end, first))
        return false;
    *last = *first;
    if (at < end && *at == '-') {
        at++;
        if (!read_index(&at, end, last))
            return false;
    }
    return at == end && *first <= *last;
}

/* The next item of the list, without spaces around it; false: that was the last. */
static bool next_item(const char **list, const char **begin, const char **end)
{
    if (!*list)
        return false;
    const char *comma = strchr(*list, ',');
    *begin = *list;
    *end = comma ? comma : *list + strlen(*list);
    *list = comma ? comma + 1 : NULL;
    while (*begin < *end && **begin == ' ')
        ++*begin;
    while (*begin < *end && (*end)[-1] == ' ')
        --*end;
    return true;
}

bool xr_filter_takes(const char *layers, uint32_t index, const char *name)
{
    const char *begin, *end;
    uint32_t first, last;
    while (next_item(&layers, &begin, &end)) {
        if (begin < end && *begin == '#') {
            if (read_range(begin, end, &first, &last) && index >= first && index <= last)
                return true;
        } else if (name && xr_text_matches(begin, (size_t)(end - begin), name)) {
            return true;
        }
    }
    return false;
}

const char *xr_filter_problem(const char *layers)
{
    const char *begin, *end;
    uint32_t first, last;
    while (next_item(&layers, &begin, &end)) {
        if (begin == end)
            return "config.layers has an empty item; write names and indices such as \"Conv*,#12,#3-9\"";
        if (*begin == '#' && !read_range(begin, end, &first, &last))
            return "config.layers has a bad index range; write \"#12\" or \"#3-9\"";
    }
    return NULL;
}
