#include "media/text/unicode.h"

bool xr_unicode_is(const xr_unicode_class *of, uint32_t code)
{
    size_t low = 0, high = of->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > of->range[middle].last)
            low = middle + 1;
        else
            high = middle;
    }
    return low < of->count && code >= of->range[low].first;
}

size_t xr_unicode_apply(const xr_unicode_map *map, uint32_t code, uint32_t to[XR_UNICODE_MOST])
{
    size_t low = 0, high = map->count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (code > map->pair[middle].from)
            low = middle + 1;
        else
            high = middle;
    }
    to[0] = low < map->count && map->pair[low].from == code ? map->pair[low].to : code;
    if (to[0] != code)
        return 1;
    for (size_t i = 0; i < map->several_count && map->several[i].from <= code; i++)
        if (map->several[i].from == code) {
            for (size_t k = 0; k < map->several[i].count; k++)
                to[k] = map->several[i].to[k];
            return map->several[i].count;
        }
    return 1;
}

/* Hangul syllables decompose by a rule of the Unicode standard (section 3.12). */
static size_t decompose_hangul(uint32_t code, uint32_t to[XR_UNICODE_MOST])
{
    uint32_t s = code - 0xAC00, tail = s % 28;
    to[0] = 0x1100 + s / 588;
    to[1] = 0x1161 + s % 588 / 28;
    to[2] = 0x11A7 + tail;
    return tail ? 3 : 2;
}

size_t xr_unicode_strip(uint32_t code, uint32_t to[XR_UNICODE_MOST])
{
    to[0] = code;
    if (code < 0x80)
        return 1;
    if (code >= 0xAC00 && code <= 0xD7A3)
        return decompose_hangul(code, to);
    return xr_unicode_is(&xr_unicode_marks, code) ? 0 : xr_unicode_apply(&xr_unicode_bare, code, to);
}
