/* Between open and close nothing is allocated. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <exray/codecs.h>
#include <exray/flight.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

#if defined(__GLIBC__) && !defined(SANITIZED)

/* glibc's own names of what is counted here. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static atomic_int allocations;

void *malloc(size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    atomic_fetch_add(&allocations, 1);
    return __libc_realloc(memory, size);
}

static uint8_t data[2 << 20];

static void record_frames(exray_recorder *recorder)
{
    static const uint32_t node = 0;
    static const uint64_t time = 1;
    static const double reading = 1;
    for (int i = 0; i < 50; i++) {
        exray_recorder_frame_begin_encoded(recorder, "picture.jpg", "jpeg", data, 50000);
        for (uint32_t k = 0; k < 20; k++) {
            const int64_t shape[] = {(int64_t)(k + 1) * 10000};
            exray_recorder_log_tensor(
                recorder, &(exray_tensor){.kind = k ? EXRAY_KIND_LAYER : EXRAY_KIND_INPUT,
                                          .info = {.dtype = EXRAY_DTYPE_INT8, .rank = 1, .shape = shape},
                                          .index = k,
                                          .data = data,
                                          .size = (size_t)shape[0]});
        }
        exray_recorder_log_latency(recorder, &node, &time, &time, 1);
        exray_recorder_log_reading(recorder, "light", &reading, 1, "lx");
        exray_recorder_log_result(recorder, &(exray_result){.text = "cat"});
        exray_recorder_log_scalar(recorder, "x", 1);
        exray_recorder_log_span(recorder, "y", 2);
    }
}

static int discard(void *user, const void *bytes, size_t size)
{
    (void)user;
    (void)bytes;
    (void)size;
    return 0;
}

static void test_no_heap(void **state)
{
    (void)state;
    static const exray_capture captures[] = {EXRAY_CAPTURE_FRAME, EXRAY_CAPTURE_IO, EXRAY_CAPTURE_STATS,
                                             EXRAY_CAPTURE_FULL};
    for (int mode = 0; mode < 12; mode++) {
        exray_recorder recorder;
        const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                              .capture = captures[mode % 4],
                                              .stream = mode / 4 == 1,
                                              .codec = mode / 4 == 2 ? exray_codec_default() : NULL,
                                              .ring_size = mode / 4 == 2 ? 1 << 20 : 0};
        assert_int_equal(exray_recorder_open_callback(&recorder, discard, NULL, &config), EXRAY_OK);
        exray_recorder_log_model(&recorder, &(exray_model){.name = "m"});
        exray_recorder_log_attachment(&recorder, "labels.txt", "text/plain", data, 1000);
        const int before = atomic_load(&allocations);
        record_frames(&recorder);
        assert_int_equal(atomic_load(&allocations), before);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    }
}

static const char *any_reason(void *user, const exray_flight_frame *frame)
{
    (void)user;
    return frame->index % 10 == 9 ? "every tenth" : NULL;
}

/* Nor where frames wait, and are written. */
static void test_no_heap_in_flight(void **state)
{
    (void)state;
    static uint8_t ring[8 << 20];
    for (int mode = 0; mode < 2; mode++) {
        exray_recorder recorder;
        const exray_flight_config flight = {.size = sizeof flight,
                                            .memory = ring,
                                            .memory_size = sizeof ring,
                                            .after = 2,
                                            .not_finite = true,
                                            .condition = any_reason,
                                            .interval_ms = 1};
        const exray_recorder_config config = {.size = sizeof config,
                                              .capture = EXRAY_CAPTURE_FRAME,
                                              .ring_size = mode ? 1 << 20 : 0,
                                              .flight = &flight};
        assert_int_equal(exray_recorder_open_callback(&recorder, discard, NULL, &config), EXRAY_OK);
        const int before = atomic_load(&allocations);
        record_frames(&recorder);
        exray_recorder_trigger(&recorder, EXRAY_FLIGHT_ALL, 3, "a call");
        exray_recorder_set_capture(&recorder, EXRAY_CAPTURE_IO);
        record_frames(&recorder);
        assert_int_equal(atomic_load(&allocations), before);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    }
}

/* With the caller's memory there is none at all, open and close included. */
static void test_no_heap_at_all(void **state)
{
    (void)state;
    static uint8_t memory[4 << 20];
    exray_recorder recorder;
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .memory = memory,
                                          .memory_size = sizeof memory,
                                          .max_chunks = 256};
    exray_recorder_open_callback(&recorder, discard, NULL, &config); /* once, for what libc keeps */
    exray_recorder_close(&recorder);
    const int before = atomic_load(&allocations);
    assert_int_equal(exray_recorder_open_callback(&recorder, discard, NULL, &config), EXRAY_OK);
    record_frames(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    /* Finding out the processor's name takes a FILE, at open. */
    assert_in_range(atomic_load(&allocations) - before, 0, 2);
}

/* Nor with a device's recorder, in any libc. */
static void test_no_heap_on_a_device(void **state)
{
    (void)state;
    static uint8_t memory[64 << 10];
    exray_recorder recorder;
    exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
    parts.stats = exray_stats_part_small();
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .stream = true,
                                          .parts = &parts,
                                          .memory = memory,
                                          .memory_size = sizeof memory,
                                          .max_channels = 64,
                                          .buffer_size = 1024};
    const int before = atomic_load(&allocations);
    assert_int_equal(exray_recorder_open_device(&recorder, discard, NULL, &config), EXRAY_OK);
    record_frames(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    assert_int_equal(atomic_load(&allocations), before);
}

/* The counter counts. */
static void test_the_counter(void **state)
{
    (void)state;
    const int before = atomic_load(&allocations);
    void *volatile memory = malloc(10);
    free(memory);
    assert_int_equal(atomic_load(&allocations), before + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_counter),         cmocka_unit_test(test_no_heap),
        cmocka_unit_test(test_no_heap_in_flight),   cmocka_unit_test(test_no_heap_at_all),
        cmocka_unit_test(test_no_heap_on_a_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

int main(void)
{
    puts("SKIPPED: allocations cannot be counted here (a sanitizer, or another libc)");
    return 0;
}

#endif
