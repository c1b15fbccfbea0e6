/* Failing writes: the Nth one, a full disk, and writes that the system splits. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "scan.h"
#include <errno.h>
#include <exray/codecs.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef EXRAY_TEST_DIR
#define EXRAY_TEST_DIR "." /* the build says where */
#endif

/* ---- The system's write, made awkward -------------------------------------- */

static bool awkward;
static unsigned write_calls;

/* Takes the place of libc's: interrupts every third call, and splits the others. */
ssize_t write(int handle, const void *bytes, size_t size)
{
    if (awkward && handle > 2) {
        write_calls++;
        if (write_calls % 3 == 0) {
            errno = EINTR;
            return -1;
        }
        size = size > 7 ? size / 2 + 1 : size;
    }
    return syscall(SYS_write, handle, bytes, size);
}

/* ---- ------------------------------------------------------------------------ */

typedef struct sink {
    uint8_t *bytes;
    size_t used, size;
    int calls, fail_at, error;
    int most; /* calls after the first that failed */
} sink;

static int write_sink(void *user, const void *bytes, size_t size)
{
    sink *s = user;
    if (++s->calls == s->fail_at)
        return s->error;
    if (s->fail_at && s->calls > s->fail_at + s->most)
        fail_msg("written to after an error");
    if (s->fail_at && s->calls > s->fail_at)
        return s->error;
    if (size > s->size - s->used)
        return ENOSPC;
    memcpy(s->bytes + s->used, bytes, size);
    s->used += size;
    return 0;
}

static void record_everything(exray_recorder *recorder)
{
    static uint8_t data[40000];
    exray_recorder_log_attachment(recorder, "a", "b", data, 20000);
    exray_recorder_log_model(recorder, &(exray_model){.name = "m"});
    for (int i = 0; i < 4; i++) {
        exray_recorder_frame_begin(recorder, "x");
        for (uint32_t k = 0; k < 4; k++) {
            const int64_t shape[] = {(int64_t)k * 10000};
            exray_recorder_log_tensor(
                recorder, &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                          .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                          .index = k,
                                          .data = data,
                                          .size = (size_t)shape[0]});
        }
    }
}

typedef exray_status open_fn(exray_recorder *recorder, exray_recorder_write_fn write, void *user,
                             const exray_recorder_config *config);

static void fail_every_write(open_fn *open_recorder, const exray_recorder_config *config, int error,
                             exray_status wanted)
{
    /* A pipe whose reader left is gone at once; a device that fails three times, too; a full disk is asked
     * again to the end. */
    sink s = {.size = 4 << 20, .error = error, .most = error == EPIPE ? 0 : error == EIO ? 2 : 1000};
    s.bytes = malloc(s.size);
    int writes = 1;
    for (s.fail_at = 0; s.fail_at <= writes; s.fail_at++) {
        exray_recorder recorder;
        s.calls = 0;
        s.used = 0;
        const exray_status opened = open_recorder(&recorder, write_sink, &s, config);
        record_everything(&recorder);
        const exray_status closed = exray_recorder_close(&recorder);
        if (s.fail_at == 0) {
            writes = s.calls;
            assert_int_equal(closed, EXRAY_OK);
            assert_true(writes > 5);
            continue;
        }
        if (config->ring_size && s.calls < s.fail_at)
            continue; /* the writer thread gathers more or less into a write */
        assert_int_equal(closed, wanted);
        assert_int_equal(opened, s.fail_at == 1 ? wanted : EXRAY_OK);
        assert_int_equal(exray_recorder_error_status(&recorder), wanted);
        assert_int_equal(exray_recorder_close(&recorder), wanted);
        assert_non_null(strstr(exray_recorder_error_message(&recorder), "cannot write to"));
        assert_null(strchr(exray_recorder_error_message(&recorder), '\n'));
        /* What was written before is a log without an end. */
        const scan log = scan_log(s.bytes, s.used);
        assert_int_equal(log.begun, s.fail_at > 1);
        assert_false(log.complete);
        for (size_t i = 0; i < log.count; i++)
            assert_string_not_equal(log.messages[i].topic, "UNDECLARED");
        scan whole = log;
        scan_free(&whole);
    }
    free(s.bytes);
}

static void test_fail_the_nth_write(void **state)
{
    (void)state;
    fail_every_write(exray_recorder_open_callback,
                     &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .stream = true},
                     EIO, EXRAY_E_IO);
    fail_every_write(exray_recorder_open_callback,
                     &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .chunk_size = 32 << 10},
                     ENOSPC, EXRAY_E_NO_SPACE);
    fail_every_write(exray_recorder_open_callback,
                     &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .chunk_size = 64 << 10,
                                              .codec = exray_codec_default(),
                                              .compression = EXRAY_COMPRESSION_ZSTD},
                     EPIPE, EXRAY_E_IO);
    fail_every_write(exray_recorder_open_callback,
                     &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                              .capture = EXRAY_CAPTURE_FULL,
                                              .ring_size = 64 << 10,
                                              .policy = EXRAY_POLICY_BLOCK,
                                              .chunk_size = 32 << 10},
                     ENOSPC, EXRAY_E_NO_SPACE);
}

static void test_fail_the_nth_write_of_a_device(void **state)
{
    (void)state;
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .capture = EXRAY_CAPTURE_FULL,
                                          .stream = true,
                                          .buffer_size = 256,
                                          .max_channels = 16};
    fail_every_write(exray_recorder_open_device, &config, EIO, EXRAY_E_IO);
    fail_every_write(exray_recorder_open_device, &config, ENOSPC, EXRAY_E_NO_SPACE);
}

static void test_full_disk(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0) {
        print_message("[  SKIPPED ] no /dev/full here\n");
        skip();
    }
    exray_recorder recorder;
    assert_int_equal(exray_recorder_open_file(&recorder, "/dev/full", NULL), EXRAY_E_NO_SPACE);
    record_everything(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_NO_SPACE);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "/dev/full"));
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "free some space"));
}

/* Splits and interrupts change nothing of the file. */
static void test_split_and_interrupted_writes(void **state)
{
    (void)state;
    char path[] = EXRAY_TEST_DIR "/split-XXXXXX";
    const int handle = mkstemp(path);
    assert_true(handle >= 0);
    exray_recorder recorder;
    awkward = true;
    exray_recorder_open_file(&recorder, path,
                             &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                      .capture = EXRAY_CAPTURE_FULL,
                                                      .chunk_size = 32 << 10});
    record_everything(&recorder);
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    awkward = false;
    assert_true(write_calls > 50);
    const size_t size = (size_t)lseek(handle, 0, SEEK_END);
    assert_int_equal(size, exray_recorder_bytes_written(&recorder));
    uint8_t *bytes = malloc(size);
    assert_int_equal(pread(handle, bytes, size, 0), (ssize_t)size);
    scan log = scan_log(bytes, size);
    assert_true(log.complete);
    assert_int_equal(scan_count(&log, "/layer/"), 16);
    scan_free(&log);
    free(bytes);
    close(handle);
    unlink(path);
}

/* A log that nobody closed is whole up to the last frame, or second. */
static void test_each_frame_reaches_the_file(void **state)
{
    (void)state;
    sink s = {.size = 4 << 20};
    s.bytes = malloc(s.size);
    exray_recorder recorder;
    exray_recorder_open_callback(
        &recorder, write_sink, &s,
        &(exray_recorder_config){.size = sizeof(exray_recorder_config), .stream = true});
    for (size_t i = 1; i < 5; i++) {
        exray_recorder_frame_begin(&recorder, "x");
        exray_recorder_frame_end(&recorder);
        scan log = scan_log(s.bytes, s.used);
        assert_int_equal(scan_count(&log, "/frame"), i);
        scan_free(&log);
    }
    exray_recorder_abandon(&recorder);
    free(s.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fail_the_nth_write),
        cmocka_unit_test(test_fail_the_nth_write_of_a_device),
        cmocka_unit_test(test_full_disk),
        cmocka_unit_test(test_split_and_interrupted_writes),
        cmocka_unit_test(test_each_frame_reaches_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
