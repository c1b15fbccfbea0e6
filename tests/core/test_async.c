/* The asynchronous mode: nothing lost when it blocks, everything counted when it
 * drops, and a writer that fails lets nobody wait.  Meant for ThreadSanitizer. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scan.h"
#include <errno.h>
#include <exray/codecs.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <time.h>

/* A sink in memory that can be held up, made slow, or made to fail. */
typedef struct sink {
    uint8_t *bytes;
    size_t used, size;
    atomic_bool held;
    atomic_size_t fail_after; /* bytes; 0: never */
    long sleep_ns;            /* before each write */
} sink;

static void pause_ns(long ns)
{
    nanosleep(&(struct timespec){0, ns}, NULL);
}

static int write_sink(void *user, const void *data, size_t size)
{
    sink *s = user;
    while (atomic_load(&s->held))
        pause_ns(100000);
    if (s->sleep_ns)
        pause_ns(s->sleep_ns);
    const size_t limit = atomic_load(&s->fail_after);
    if (limit && s->used + size > limit)
        return EIO;
    if (size > s->size - s->used)
        return ENOSPC;
    memcpy(s->bytes + s->used, data, size);
    s->used += size;
    return 0;
}

static sink new_sink(void)
{
    sink s = {.size = 64 << 20};
    s.bytes = malloc(s.size);
    return s;
}

static uint8_t data[200000];

static void record_layer(exray_recorder *recorder, uint32_t index, size_t size)
{
    const int64_t shape[] = {(int64_t)size};
    exray_recorder_log_tensor(recorder,
                              &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                              .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                              .index = index,
                                              .data = data,
                                              .size = size});
}

/* Frames of layers of many sizes, some over half the ring. */
static void record_frames(exray_recorder *recorder, int frames)
{
    for (int i = 0; i < frames; i++) {
        exray_recorder_frame_begin(recorder, "x");
        for (uint32_t k = 0; k < 8; k++)
            record_layer(recorder, k, (size_t)(i * 7919 + (int)k * 104729) % (k == 7 ? 200000u : 9000u));
        exray_recorder_frame_end(recorder);
    }
}

static void test_block_loses_nothing(void **state)
{
    (void)state;
    for (int mode = 0; mode < 3; mode++) {
        sink s = new_sink();
        exray_recorder recorder;
        s.sleep_ns = mode == 1 ? 50000 : 0;
        const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .ring_size = 64 << 10,
                                              .policy = EXRAY_POLICY_BLOCK,
                                              .stream = mode == 2,
                                              .codec = exray_codec_default()};
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
        record_frames(&recorder, 60);
        assert_true(exray_recorder_bytes_written(&recorder) > 0);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_int_equal(exray_recorder_dropped(&recorder), 0);
        assert_int_equal(exray_recorder_bytes_written(&recorder), s.used);
        scan log = scan_log(s.bytes, s.used);
        assert_true(log.complete);
        assert_int_equal(scan_count(&log, "/frame"), 60);
        assert_int_equal(scan_count(&log, "/layer/"), 60 * 8);
        for (size_t i = 1; i < log.count; i++) /* in the order of recording */
            assert_true(log.messages[i - 1].log_time <= log.messages[i].log_time);
        scan_free(&log);
        free(s.bytes);
    }
}

static void test_drop_counts_everything(void **state)
{
    (void)state;
    sink s = new_sink();
    exray_recorder recorder;
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .capture = EXRAY_CAPTURE_FULL,
                                          .ring_size = 64 << 10,
                                          .stream = true};
    assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
    atomic_store(&s.held, true);
    record_frames(&recorder, 60); /* must not wait */
    atomic_store(&s.held, false);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    scan log = scan_log(s.bytes, s.used);
    assert_true(log.complete);
    const uint64_t dropped = exray_recorder_dropped(&recorder);
    assert_true(dropped > 300);
    /* Every record is in the log or in the count; where the last frame's /system came
     * too early to tell the whole count, the one written at close is one more. */
    assert_in_range(log.count + dropped, 60 * (8 + 2), 60 * (8 + 2) + 1);
    const scan_message *last = scan_find(&log, "/system", scan_count(&log, "/system") - 1);
    assert_int_equal(scan_value(last, 7), dropped);
    /* What was dropped leaves a gap in the sequence. */
    const size_t kept = scan_count(&log, "/layer/0");
    assert_true(kept > 0 && kept < 60);
    /* Tensors leave room for what says most: a sixteenth of the ring, however late the thread runs. */
    assert_true(scan_count(&log, "/frame") >= 8);
    scan_free(&log);
    free(s.bytes);
}

/* What belongs to no frame waits whatever the policy: it is not dropped. */
static void test_what_is_never_dropped(void **state)
{
    (void)state;
    sink s = new_sink();
    exray_recorder recorder;
    const exray_recorder_config config = {
        .size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL, .ring_size = 64 << 10};
    const int64_t shape[] = {sizeof data};
    s.sleep_ns = 100000;
    assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
    exray_recorder_log_model(&recorder, &(exray_model){.name = "m"});
    for (uint32_t i = 0; i < 10; i++)
        exray_recorder_log_tensor(
            &recorder, &(exray_tensor){.kind = EXRAY_KIND_CONSTANT,
                                       .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                       .index = i,
                                       .data = data,
                                       .size = sizeof data});
    exray_recorder_log_attachment(&recorder, "labels", "text/plain", data, sizeof data);
    exray_recorder_log_metadata(&recorder, "m", &(exray_key_value){"k", "v"}, 1);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    assert_int_equal(exray_recorder_dropped(&recorder), 0);
    scan log = scan_log(s.bytes, s.used);
    assert_int_equal(scan_count(&log, "/constant/"), 10);
    assert_int_equal(scan_count(&log, "/model"), 1);
    assert_int_equal(log.attachments, 1);
    assert_int_equal(log.metadata, 2);
    scan_free(&log);
    free(s.bytes);
}

/* The producer waits for room when the write fails: it must wake, and say so. */
static void test_a_failed_write_wakes_the_producer(void **state)
{
    (void)state;
    for (size_t limit = 2000; limit < 3000000; limit = limit * 3 / 2) {
        sink s = new_sink();
        exray_recorder recorder;
        atomic_init(&s.fail_after, limit);
        const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .ring_size = 64 << 10,
                                              .policy = EXRAY_POLICY_BLOCK,
                                              .chunk_size = 32 << 10};
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
        record_frames(&recorder, 60);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_IO);
        assert_non_null(strstr(exray_recorder_error_message(&recorder), "write callback"));
        scan log = scan_log(s.bytes, s.used);
        assert_true(log.begun && !log.complete);
        scan_free(&log);
        free(s.bytes);
    }
}

static void test_abandon_does_not_wait(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        sink s = new_sink();
        exray_recorder recorder;
        const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .ring_size = 1 << 20,
                                              .stream = true};
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
        record_frames(&recorder, i);
        exray_recorder_abandon(&recorder);
        scan log = scan_log(s.bytes, s.used);
        assert_true(log.begun && !log.complete);
        scan_free(&log);
        free(s.bytes);
    }
}

static void *record_on_thread(void *unused)
{
    (void)unused;
    sink s = new_sink();
    exray_recorder recorder;
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .capture = EXRAY_CAPTURE_STATS,
                                          .ring_size = 64 << 10,
                                          .policy = EXRAY_POLICY_BLOCK};
    exray_recorder_open_callback(&recorder, write_sink, &s, &config);
    record_frames(&recorder, 30);
    exray_status status = exray_recorder_close(&recorder);
    scan log = scan_log(s.bytes, s.used);
    if (scan_count(&log, "/layer/") != 30 * 8)
        status = EXRAY_E_FORMAT;
    scan_free(&log);
    free(s.bytes);
    return status ? data : NULL;
}

static void test_recorders_on_many_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, record_on_thread, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *failed;
        pthread_join(threads[i], &failed);
        assert_null(failed);
    }
}

/* A sink that takes its time is the thread's affair: whoever records never sleeps for it. */
static void test_drop_never_waits(void **state)
{
    (void)state;
#ifdef RUSAGE_THREAD
    sink s = new_sink();
    exray_recorder recorder;
    struct rusage before, after;
    const exray_recorder_config config = {.size = sizeof config,
                                          .capture = EXRAY_CAPTURE_FULL,
                                          .ring_size = 1 << 20,
                                          .policy = EXRAY_POLICY_DROP,
                                          .chunk_size = 64 << 10};
    s.sleep_ns = 20000000;
    exray_recorder_open_callback(&recorder, write_sink, &s, &config);
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < 100; i++) {
        exray_recorder_frame_begin(&recorder, "x");
        for (uint32_t k = 0; k < 10; k++)
            record_layer(&recorder, k, 20000);
        exray_recorder_frame_end(&recorder);
    }
    getrusage(RUSAGE_THREAD, &after);
    assert_true(exray_recorder_dropped(&recorder) > 100);
    assert_in_range(after.ru_nvcsw - before.ru_nvcsw, 0, 3); /* a lock that the thread holds for a moment */
    exray_recorder_abandon(&recorder);
    free(s.bytes);
#endif
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_block_loses_nothing),
        cmocka_unit_test(test_drop_counts_everything),
        cmocka_unit_test(test_what_is_never_dropped),
        cmocka_unit_test(test_a_failed_write_wakes_the_producer),
        cmocka_unit_test(test_abandon_does_not_wait),
        cmocka_unit_test(test_recorders_on_many_threads),
        cmocka_unit_test(test_drop_never_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
