#include "base/utf8.h"

#include "core/encode/text.h"

#include <stdlib.h>
#include <string.h>

size_t xr_utf8_decode(const char *at, size_t size, uint32_t *code)
{
    const unsigned char *u = (const unsigned char *)at;
    const size_t length = xr_utf8_length(at, size);
    if (!code)
        return length;
    if (length == 0) {
        *code = 0xFFFD;
        return 0;
    }
    uint32_t value = length == 1 ? u[0] : u[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++)
        value = value << 6 | (u[i] & 0x3Fu);
    *code = value;
    return length;
}

void xr_utf8_repair(char *text, size_t size)
{
    for (size_t i = 0; i < size;) {
        size_t length = xr_utf8_length(text + i, size - i);
        if (length == 0)
            text[i] = '?';
        i += length ? length : 1;
    }
}

char *xr_utf8_copy(const char *text)
{
    size_t size = strlen(text);
    char *copy = malloc(size + 1);
    if (!copy)
        return NULL;
    memcpy(copy, text, size + 1);
    xr_utf8_repair(copy, size);
    return copy;
}

size_t xr_utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    static const uint8_t lead[] = {0, 0xC0, 0xE0, 0xF0};
    size_t more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    out[0] = (char)(lead[more] | code >> (6 * more));
    for (size_t i = 1; i <= more; i++)
        out[i] = (char)(0x80 | ((code >> (6 * (more - i))) & 0x3F));
    return more + 1;
}
