#include "core/checksums/crc32.h"

#define POLYNOMIAL 0xEDB88320u /* bits reversed */

void xr_crc32_make(xr_crc32_tables *tables)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? value >> 1 ^ POLYNOMIAL : value >> 1;
        tables->entry[0][i] = value;
    }
    /* Table k: the effect of a byte that k zero bytes follow. */
    for (int k = 1; k < 8; k++) {
        for (uint32_t i = 0; i < 256; i++) {
            const uint32_t before = tables->entry[k - 1][i];
            tables->entry[k][i] = before >> 8 ^ tables->entry[0][before & 0xFF];
        }
    }
}

uint32_t xr_crc32(const xr_crc32_tables *tables, uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    crc = ~crc;
    for (; size >= 8; at += 8, size -= 8) {
        const uint32_t low =
            crc ^ ((uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24);
        crc = tables->entry[7][low & 0xFF] ^ tables->entry[6][low >> 8 & 0xFF] ^
              tables->entry[5][low >> 16 & 0xFF] ^ tables->entry[4][low >> 24] ^ tables->entry[3][at[4]] ^
              tables->entry[2][at[5]] ^ tables->entry[1][at[6]] ^ tables->entry[0][at[7]];
    }
    for (; size; at++, size--)
        crc = crc >> 8 ^ tables->entry[0][(crc ^ *at) & 0xFF];
    return ~crc;
}

/* The product of two polynomials, modulo that of the CRC; the highest bit is x^0. */
static uint32_t multiply(uint32_t a, uint32_t b)
{
    uint32_t product = 0;
    for (; a; a <<= 1) {
        if (a & 0x80000000u)
            product ^= b;
        b = b & 1 ? b >> 1 ^ POLYNOMIAL : b >> 1;
    }
    return product;
}

uint32_t xr_crc32_join(uint32_t first, uint32_t second, size_t size)
{
    /* Bytes that follow multiply what stands before them by x^8 each. */
    uint32_t power = 0x00800000u; /* x^8, then x^16, x^32, ... */
    for (; size; size >>= 1) {
        if (size & 1)
            first = multiply(power, first);
        power = multiply(power, power);
    }
    return first ^ second;
}
