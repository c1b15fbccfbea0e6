#include "core/encode/text.h"
#include <string.h>

const char *xr_nth_text(const char *texts, unsigned n)
{
    while (n--)
        texts += strlen(texts) + 1;
    return texts;
}

xr_text_builder xr_text_in(char *buffer, size_t size)
{
    if (size)
        buffer[0] = 0;
    return (xr_text_builder){buffer, size};
}

void xr_text_add_part(xr_text_builder *text, const char *more, size_t size)
{
    if (text->room <= 1)
        return;
    if (size > text->room - 1)
        size = text->room - 1;
    memcpy(text->at, more, size);
    text->at += size;
    text->room -= size;
    *text->at = 0;
}

void xr_text_add(xr_text_builder *text, const char *more)
{
    if (more)
        xr_text_add_part(text, more, strlen(more));
}

void xr_text_add_padded(xr_text_builder *text, uint64_t number, int digits)
{
    char buffer[24];
    size_t at = sizeof buffer;
    do {
        buffer[--at] = (char)('0' + number % 10);
        number /= 10;
        digits--;
    } while ((number || digits > 0) && at);
    xr_text_add_part(text, buffer + at, sizeof buffer - at);
}

void xr_text_add_number(xr_text_builder *text, uint64_t number)
{
    xr_text_add_padded(text, number, 1);
}

void xr_text_add_hex(xr_text_builder *text, const uint8_t *bytes, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < size; i++) {
        const char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        xr_text_add_part(text, pair, 2);
    }
}

size_t xr_utf8_length(const char *at, size_t size)
{
    static const uint32_t least[] = {0x80, 0x800, 0x10000}; /* that need 2, 3, 4 bytes */
    const unsigned char *u = (const unsigned char *)at;
    if (!size || u[0] < 0x80)
        return size ? 1 : 0;
    const size_t length = u[0] >= 0xF0 ? 4 : u[0] >= 0xE0 ? 3 : 2;
    if (u[0] < 0xC0 || u[0] > 0xF7 || length > size)
        return 0;
    uint32_t character = u[0] & (0x7Fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((u[i] & 0xC0) != 0x80)
            return 0;
        character = character << 6 | (u[i] & 0x3Fu);
    }
    const bool is_surrogate = character >> 11 == 0xD800 >> 11;
    return character < least[length - 2] || is_surrogate || character > 0x10FFFF ? 0 : length;
}
