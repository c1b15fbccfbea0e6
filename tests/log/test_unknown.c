/* What is told of topics and fields that this version does not know. */
#include "log/unknown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const char *text_of(const xr_unknown *unknown, xr_arena *arena)
{
    const char *text = xr_unknown_text(unknown, arena);
    assert_false(arena->failed);
    return text;
}

static void nothing_unknown(void **state)
{
    (void)state;
    xr_unknown unknown = {0};
    xr_arena arena = {0};
    static const uint8_t frame[] = {0x08, 5,    0x12, 1,    'a', 0x3a,
                                    4,    0x0a, 0,    0x11, 0}; /* the last field is cut */
    xr_unknown_fields(&unknown, XR_SCHEMA_FRAME, frame, 5);
    xr_unknown_fields(&unknown, XR_SCHEMA_FRAME, frame, sizeof frame);
    assert_null(text_of(&unknown, &arena));
    xr_arena_free(&arena);
}

static void fields_of_messages_within_messages(void **state)
{
    (void)state;
    xr_unknown unknown = {0};
    xr_arena arena = {0};
    static const uint8_t tensor[] = {
        0x12, 4, 0x22, 2, 0x20, 1,    /* info { quantization { 4: 1 } } */
        0x22, 5, 0x75, 0, 0,    0, 0, /* stats { 14: a float } */
        0x1a, 2, 0x7a, 0,             /* data, which is no message */
        0x48, 1, 0x48, 1,             /* 9, twice */
        0x22, 3, 0x72, 1, 0,          /* stats { 14 } once more */
    };
    xr_unknown_fields(&unknown, XR_SCHEMA_TENSOR, tensor, sizeof tensor);
    assert_string_equal(text_of(&unknown, &arena), "3 fields (Quantization 4, TensorStats 14, Tensor 9)");
    static const uint8_t model[] = {0x42, 6, 0x3a, 4,
                                    0x32, 2, 0x18, 1}; /* nodes { inner { attributes { 3 } } } */
    xr_unknown one = {0};
    xr_unknown_fields(&one, XR_SCHEMA_MODEL, model, sizeof model);
    assert_string_equal(text_of(&one, &arena), "1 field (map entry 3)");
    xr_arena_free(&arena);
}

/* Nested deeper than any model is: the scan stops, and reads nothing beyond. */
static void deep_nodes(void **state)
{
    (void)state;
    uint8_t bytes[400];
    size_t size = 0, at = sizeof bytes;
    while (at > 3 && size < 126) {
        bytes[--at] = (uint8_t)size;
        bytes[--at] = 0x3a; /* Node.inner */
        size += 2;
    }
    xr_unknown unknown = {0};
    xr_arena arena = {0};
    bytes[--at] = (uint8_t)size;
    bytes[--at] = 0x42; /* Model.nodes */
    xr_unknown_fields(&unknown, XR_SCHEMA_MODEL, bytes + at, sizeof bytes - at);
    assert_null(text_of(&unknown, &arena));
    xr_arena_free(&arena);
}

static void topics(void **state)
{
    (void)state;
    xr_unknown unknown = {0};
    xr_arena arena = {0};
    xr_unknown_topic(&unknown, "/event", (xr_text){"exray.v1.Event", 14});
    xr_unknown_topic(&unknown, "/lidar", (xr_text){"", 0});
    xr_unknown_topic(&unknown, "/event", (xr_text){"exray.v1.Event", 14}); /* another channel of it */
    static const uint8_t system[] = {0x48, 4};
    xr_unknown_fields(&unknown, XR_SCHEMA_SYSTEM, system, sizeof system);
    assert_string_equal(text_of(&unknown, &arena),
                        "2 topics (/event: exray.v1.Event, /lidar), 1 field (System 9)");
    xr_arena_free(&arena);
}

/* However many and however long: one line of bounded length that says that there are more. */
static void more_than_can_be_told(void **state)
{
    (void)state;
    xr_unknown unknown = {0};
    xr_arena arena = {0};
    char topic[1200], names[40][16];
    memset(topic, 'x', sizeof topic);
    topic[0] = '/';
    topic[sizeof topic - 1] = '\0';
    for (int i = 0; i < 40; i++) {
        snprintf(names[i], sizeof names[i], "/topic/%d", i);
        xr_unknown_topic(&unknown, names[i], (xr_text){topic, sizeof topic - 1});
        xr_unknown_topic(&unknown, topic, (xr_text){"\xff\x80", 2});
    }
    for (uint8_t i = 0; i < 40; i++) {
        const uint8_t field[] = {(uint8_t)(0x80 | (i & 15) << 3), (uint8_t)(4 + (i >> 4)), 1};
        xr_unknown_fields(&unknown, XR_SCHEMA_RESULT, field, sizeof field);
    }
    const char *text = text_of(&unknown, &arena);
    assert_true(strlen(text) < 600);
    assert_non_null(strstr(text, "41 topics (/topic/0: /xxx"));
    assert_non_null(strstr(text, ", ...), 16 or more fields (Result 64, "));
    xr_arena_free(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_unknown),
        cmocka_unit_test(fields_of_messages_within_messages),
        cmocka_unit_test(deep_nodes),
        cmocka_unit_test(topics),
        cmocka_unit_test(more_than_can_be_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
