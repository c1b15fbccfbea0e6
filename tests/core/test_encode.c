/* The building blocks against known bytes: wire format, text, checksums, types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/checksums/crc32.h"
#include "core/dtype.h"
#include "core/encode/messages.h"
#include "core/encode/text.h"
#include "core/parts.h"
#include "core/summary/dtypes.h"
#include <exray/codecs.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Encodes, and checks that counting gave the same length. */
static size_t encode(xr_encode_fn function, const void *object, uint8_t *out, size_t room)
{
    const uint64_t size = xr_encoded_size(function, object);
    assert_true(size <= room);
    xr_memory_sink memory = xr_memory_sink_at(out);
    function(&memory.sink, object);
    assert_int_equal(memory.sink.size, size);
    assert_ptr_equal(memory.at, out + size);
    return (size_t)size;
}

#define ASSERT_BYTES(actual, size, ...)                                                                      \
    do {                                                                                                     \
        static const uint8_t wanted[] = {__VA_ARGS__};                                                       \
        assert_int_equal(size, sizeof wanted);                                                               \
        assert_memory_equal(actual, wanted, sizeof wanted);                                                  \
    } while (0)

/* The bytes below were worked out by hand from the encoding's rules. */
static void test_latency(void **state)
{
    (void)state;
    static const uint32_t node[] = {3, 300};
    static const uint64_t start[] = {0, 1}, duration[] = {127, 128};
    uint8_t out[64];
    const size_t size =
        encode(xr_encode_latency, &(xr_latency_message){5, node, start, duration, 2}, out, 64);
    ASSERT_BYTES(out, size, 0x08, 5, 0x12, 3, 3, 0xAC, 0x02, 0x1A, 2, 0, 1, 0x22, 3, 127, 0x80, 0x01);
}

static void test_result(void **state)
{
    (void)state;
    static const exray_class classes[] = {{-1, 1.0f, "a"}, {0}};
    uint8_t out[64];
    const exray_result result = {.classes = classes, .class_count = 2, .text = "ok"};
    const size_t size = encode(xr_encode_result, &(xr_result_message){.result = &result}, out, 64);
    ASSERT_BYTES(out, size, 0x12, 19, 0x08, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x15,
                 0, 0, 0x80, 0x3F, 0x1A, 1, 'a', 0x12, 0, 0x22, 2, 'o', 'k');
}

static void test_result_of_every_kind(void **state)
{
    (void)state;
    static const float corners[8] = {0, 0, 0, 0, 0, 0, 0, 1.0f};
    static const exray_box box = {.x_max = 1.0f, .id = 3, .corners = corners, .crowd = true};
    static const exray_keypoint point = {.y = 1.0f, .z = -1.0f, .id = 5};
    static const float values[] = {1.0f};
    static const exray_vector vector = {"e", values, 1};
    static const uint8_t ids[] = {1, 0, 0xFF, 0xFF};
    static const exray_mask mask = {2, 1, ids, 4, true};
    const exray_result result = {.boxes = &box,
                                 .box_count = 1,
                                 .keypoints = &point,
                                 .keypoint_count = 1,
                                 .vectors = &vector,
                                 .vector_count = 1,
                                 .mask = &mask};
    assert_true(xr_is_result(&result));
    uint8_t out[128];
    const size_t size = encode(xr_encode_result, &(xr_result_message){9, &result}, out, 128);
    ASSERT_BYTES(out, size, 0x08, 9,                                           /* frame */
                 0x1A, 43, 0x1D, 0, 0, 0x80, 0x3F, 0x28, 3, 0x40, 1, 0x4A, 32, /* box */
                 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
                 0x80, 0x3F, 0x2A, 12, 0x15, 0, 0, 0x80, 0x3F, 0x1D, 0, 0, 0x80, 0xBF, 0x28, 5, /* keypoint */
                 0x3A, 9, 0x0A, 1, 'e', 0x12, 4, 0, 0, 0x80, 0x3F,                              /* vector */
                 0x32, 12, 0x08, 2, 0x10, 1, 0x20, 1, 0x1A, 4, 1, 0, 0xFF, 0xFF);               /* mask */
}

static void test_what_is_no_result(void **state)
{
    (void)state;
    static const uint8_t ids[6] = {0};
    assert_false(xr_is_result(NULL));
    assert_true(xr_is_result(&(exray_result){.text = NULL}));
    assert_false(xr_is_result(&(exray_result){.class_count = 1}));
    assert_false(xr_is_result(&(exray_result){.box_count = 1}));
    assert_false(xr_is_result(&(exray_result){.keypoint_count = 1}));
    assert_false(xr_is_result(&(exray_result){.vector_count = 1}));
    const exray_vector vector = {.count = 1};
    assert_false(xr_is_result(&(exray_result){.vectors = &vector, .vector_count = 1}));
    exray_mask mask = {3, 2, ids, 6, false};
    const exray_result with_mask = {.mask = &mask};
    assert_true(xr_is_result(&with_mask));
    mask.size = 5;
    assert_false(xr_is_result(&with_mask));
    mask = (exray_mask){3, 2, ids, 6, true};
    assert_false(xr_is_result(&with_mask));
    mask = (exray_mask){3, 1, ids, 6, true};
    assert_true(xr_is_result(&with_mask));
    mask = (exray_mask){0xFFFFFFFF, 0xFFFFFFFF, ids, 1, false};
    assert_false(xr_is_result(&with_mask));
    mask = (exray_mask){3, 2, NULL, 6, false};
    assert_false(xr_is_result(&with_mask));
}

static void test_tensor_has_its_data_last(void **state)
{
    (void)state;
    static const int64_t shape[] = {2, -1};
    static const float scale[] = {0.5f};
    static const uint8_t data[] = {9, 8};
    const exray_tensor tensor = {.info = {.name = "t",
                                          .dtype = EXRAY_DTYPE_INT8,
                                          .rank = 2,
                                          .shape = shape,
                                          .quantization = {1, 0, scale, NULL}},
                                 .data = data,
                                 .size = 2,
                                 .occurrence = 1};
    uint8_t out[64];
    const size_t size =
        encode(xr_encode_tensor, &(xr_tensor_message){.frame = 7, .tensor = &tensor, .with_data = true}, out,
               sizeof out);
    ASSERT_BYTES(out, size, 0x08, 7, 0x12, 29, 0x0A, 1, 't', 0x10, 5, 0x1A, 11, 2, 0xFF, 0xFF, 0xFF, 0xFF,
                 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01, 0x22, 9, 0x0A, 4, 0, 0, 0, 0x3F, 0x12, 1, 0, 0x40, 1,
                 0x1A, 2, 9, 8);
}

static void test_presence(void **state)
{
    (void)state;
    uint8_t out[64];
    size_t size = encode(xr_encode_frame, &(xr_frame_message){.has_label = true}, out, 64);
    ASSERT_BYTES(out, size, 0x18, 0);
    size =
        encode(xr_encode_system,
               &(xr_system_message){.machine = exray_machine_part_default(), .usage = {.has_celsius = true}},
               out, 64);
    ASSERT_BYTES(out, size, 0x38, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0);
    size = encode(xr_encode_system, &(xr_system_message){.usage = {.has_celsius = true}}, out, 64);
    ASSERT_BYTES(out, size, 0x38, 0);
    const xr_frame_value negative_zero = {.name = "z", .value = -0.0};
    size = encode(xr_encode_frame_entry, &negative_zero, out, 64);
    ASSERT_BYTES(out, size, 0x3A, 12, 0x0A, 1, 'z', 0x11, 0, 0, 0, 0, 0, 0, 0, 0x80);
}

static void test_text_is_utf8(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"plain", "plain"},
        {"caf\xc3\xa9", "caf\xc3\xa9"},
        {"caf\xe9", "caf?"},
        {"\xff\xfe", "??"},
        {"a\xe2\x82", "a??"},         /* cut short */
        {"\xc0\xaf", "??"},           /* longer than need be */
        {"\xed\xa0\x80x", "???x"},    /* a surrogate */
        {"\xf4\x90\x80\x80", "????"}, /* beyond U+10FFFF */
        {"\xf0\x9f\x90\x88!", "\xf0\x9f\x90\x88!"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        uint8_t out[32];
        xr_memory_sink memory = xr_memory_sink_at(out);
        xr_put_string(&memory.sink, cases[i].in);
        assert_int_equal(out[0], strlen(cases[i].out));
        assert_memory_equal(out + 4, cases[i].out, strlen(cases[i].out));
    }
}

static void test_patterns(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } cases[] = {
        {"*", "", true},
        {"*", "abc", true},
        {"Conv*", "Conv2d", true},
        {"Conv*", "aConv", false},
        {"*relu", "x/relu", true},
        {"*re?u*", "a/relu/b", true},
        {"a*b*c", "aXbYbZc", true},
        {"a*b*c", "aXbYbZ", false},
        {"", "", true},
        {"", "a", false},
        {"?", "", false},
        {"a?c", "abc", true},
    };
    const exray_layers_part *part = exray_layers_part_default();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        static _Alignas(XR_BLOCK_ALIGNMENT) uint8_t memory[4096];
        char list[64]; /* the pattern, behind one that takes nothing here */
        snprintf(list, sizeof list, "#9999,%s", cases[i].pattern);
        const exray_recorder_config config = {.layers = list};
        struct xr_layer_list *layers = part->place(&config, 8, &(xr_memory_block){memory, 0});
        assert_int_equal(part->take(layers, 0, cases[i].name), cases[i].matches);
    }
}

static void assert_sha256(const void *data, size_t size, const char *wanted)
{
    uint8_t digest[32];
    char hex[65];
    exray_sha256(data, size, digest);
    xr_text_builder text = xr_text_in(hex, sizeof hex);
    xr_text_add_hex(&text, digest, 32);
    assert_string_equal(hex, wanted);
}

/* The examples of FIPS 180-4 and NIST's test vectors. */
static void test_sha256(void **state)
{
    (void)state;
    assert_sha256("", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    assert_sha256("abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    char *million = malloc(1000000);
    memset(million, 'a', 1000000);
    assert_sha256(million, 1000000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
    free(million);
}

static void test_crc32(void **state)
{
    (void)state;
    static xr_crc32_tables tables;
    uint8_t data[1000];
    xr_crc32_make(&tables);
    assert_int_equal(xr_crc32(&tables, 0, "123456789", 9), 0xCBF43926u); /* the usual check value */
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * i);
    /* In any pieces, from any address, the same as libdeflate's. */
    for (size_t cut = 0; cut < 40; cut++) {
        const uint32_t whole = exray_codec_default()->crc32(0, data + cut, sizeof data - cut);
        const uint32_t first = xr_crc32(&tables, 0, data + cut, cut * 7);
        assert_int_equal(xr_crc32(&tables, first, data + cut * 8, sizeof data - cut * 8), whole);
    }
}

/* By the definition of a binary floating-point format. */
static double float_by_definition(unsigned bits, int exponent_bits, int mantissa_bits)
{
    const int top = (1 << exponent_bits) - 1, bias = top / 2;
    const int exponent = (int)(bits >> mantissa_bits) & top;
    const int mantissa = (int)bits & ((1 << mantissa_bits) - 1);
    const double sign = bits >> (exponent_bits + mantissa_bits) & 1 ? -1 : 1;
    if (exponent == top)
        return mantissa ? (double)NAN : sign * (double)INFINITY;
    if (exponent == 0)
        return sign * ldexp(mantissa, 1 - bias - mantissa_bits);
    return sign * ldexp(1 + ldexp(mantissa, -mantissa_bits), exponent - bias);
}

static void assert_same_float(double actual, double wanted)
{
    if (isnan(wanted))
        assert_true(isnan(actual));
    else
        assert_memory_equal(&actual, &wanted, sizeof actual); /* the sign of zero, too */
}

static void test_small_floats(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 65536; bits++) {
        assert_same_float((double)xr_float16_to_float((uint16_t)bits), float_by_definition(bits, 5, 10));
        assert_same_float((double)xr_bfloat16_to_float((uint16_t)bits), float_by_definition(bits, 8, 7));
    }
    for (unsigned bits = 0; bits < 256; bits++) {
        assert_same_float((double)xr_float8_e5m2_to_float((uint8_t)bits), float_by_definition(bits, 5, 2));
        /* E4M3 has no infinities: its top exponent counts on to 448. */
        const double wanted = (bits & 0x7F) == 0x7F ? (double)NAN
                              : (bits & 0x78) == 0x78
                                  ? (bits & 0x80 ? -1 : 1) * ldexp(1 + (bits & 7) / 8.0, 8)
                                  : float_by_definition(bits, 4, 3);
        assert_same_float((double)xr_float8_e4m3_to_float((uint8_t)bits), wanted);
    }
}

static void test_shapes(void **state)
{
    (void)state;
    uint64_t count;
    assert_true(xr_shape_count(NULL, 0, &count));
    assert_int_equal(count, 1);
    assert_true(xr_shape_count((const int64_t[]){INT64_MAX, INT64_MAX, 0}, 3, &count));
    assert_int_equal(count, 0);
    assert_false(xr_shape_count((const int64_t[]){3, -1}, 2, &count));
    assert_false(xr_shape_count((const int64_t[]){INT64_MAX, 4}, 2, &count));
    assert_int_equal(xr_dtype_bytes(EXRAY_DTYPE_INT4, 5), 3);
    assert_int_equal(xr_dtype_bytes(EXRAY_DTYPE_FLOAT64, UINT64_MAX / 4), UINT64_MAX);
}

static void test_codecs(void **state)
{
    (void)state;
    enum { SIZE = 300000 };
    uint8_t *data = malloc(SIZE), *back = malloc(SIZE);
    for (size_t i = 0; i < SIZE; i++)
        data[i] = (uint8_t)(i / 100);
    for (int how = EXRAY_COMPRESSION_LZ4; how <= EXRAY_COMPRESSION_ZSTD; how++) {
        const size_t bound = exray_codec_default()->compress_bound((exray_compression)how, SIZE);
        uint8_t *packed = malloc(bound);
        const size_t size =
            exray_codec_default()->compress((exray_compression)how, packed, bound, data, SIZE);
        assert_in_range(size, 1, SIZE / 10);
        assert_int_equal(exray_codec_decompress((exray_compression)how, back, SIZE, packed, size), EXRAY_OK);
        assert_memory_equal(back, data, SIZE);
        /* Not exactly that size, cut short, or damaged. */
        assert_int_equal(exray_codec_decompress((exray_compression)how, back, SIZE - 1, packed, size),
                         EXRAY_E_FORMAT);
        assert_int_equal(exray_codec_decompress((exray_compression)how, back, SIZE, packed, size - 1),
                         EXRAY_E_FORMAT);
        packed[0] ^= 0xFF;
        assert_int_equal(exray_codec_decompress((exray_compression)how, back, SIZE, packed, size),
                         EXRAY_E_FORMAT);
        assert_int_equal(exray_codec_default()->compress((exray_compression)how, packed, 10, data, SIZE), 0);
        free(packed);
    }
    free(data);
    free(back);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(exray_dtype_name(EXRAY_DTYPE_FLOAT8_E5M2), "float8_e5m2");
    assert_string_equal(exray_dtype_name((exray_dtype)99), "unspecified");
    assert_string_equal(exray_status_name(EXRAY_E_UNSUPPORTED), "EXRAY_E_UNSUPPORTED");
    assert_string_equal(exray_kind_name(EXRAY_KIND_CONSTANT), "constant");
    assert_int_equal(exray_capture_from_name("sketch"), EXRAY_CAPTURE_SKETCH);
    assert_int_equal(exray_capture_from_name("everything"), -1);
    assert_string_equal(exray_capture_name(EXRAY_CAPTURE_OFF), "off");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_result_of_every_kind),
        cmocka_unit_test(test_what_is_no_result),
        cmocka_unit_test(test_presence),
        cmocka_unit_test(test_tensor_has_its_data_last),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_text_is_utf8),
        cmocka_unit_test(test_sha256),
        cmocka_unit_test(test_crc32),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_small_floats),
        cmocka_unit_test(test_codecs),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
