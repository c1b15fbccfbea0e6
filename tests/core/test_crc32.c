/* The CRC-32 that exray_codec_default() gives, against the definition, bit by bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

static uint32_t by_definition(uint32_t crc, const uint8_t *data, size_t size)
{
    crc = ~crc;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0);
    }
    return ~crc;
}

static void test_known_value(void **state)
{
    (void)state;
    assert_int_equal(exray_codec_default()->crc32(0, "123456789", 9), 0xCBF43926u);
    assert_int_equal(exray_codec_default()->crc32(0, "", 0), 0);
}

/* Every size around the blocks of the wide kernel, at every alignment in a line. */
static void test_sizes_and_alignments(void **state)
{
    (void)state;
    enum { MOST = 1400 };
    uint8_t *data = malloc(MOST + 64);
    assert_non_null(data);
    for (int i = 0; i < MOST + 64; i++)
        data[i] = (uint8_t)(i * 2654435761u >> 13);
    for (size_t size = 0; size <= MOST; size += size < 300 ? 1 : 37)
        for (size_t offset = 0; offset < 64; offset += 7)
            assert_int_equal(exray_codec_default()->crc32(0, data + offset, size),
                             by_definition(0, data + offset, size));
    free(data);
}

/* However the data is cut, the sum is one; large pieces take the prefetching way. */
static void test_goes_on(void **state)
{
    (void)state;
    enum { SIZE = 300 * 1000 };
    uint8_t *data = malloc(SIZE);
    assert_non_null(data);
    srand(3);
    for (int i = 0; i < SIZE; i++)
        data[i] = (uint8_t)rand();
    const uint32_t whole = by_definition(0, data, SIZE);
    assert_int_equal(exray_codec_default()->crc32(0, data, SIZE), whole);
    for (int round = 0; round < 200; round++) {
        uint32_t crc = 0;
        for (size_t at = 0, part; at < SIZE; at += part) {
            part = (size_t)rand() % 70000;
            part = part < SIZE - at ? part : SIZE - at;
            crc = exray_codec_default()->crc32(crc, data + at, part);
        }
        assert_int_equal(crc, whole);
    }
    free(data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_value),
        cmocka_unit_test(test_sizes_and_alignments),
        cmocka_unit_test(test_goes_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
