/* Streams with Check records that lost a few bytes: which frames are still read. */
#define _GNU_SOURCE
#include "torture_log.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const torture_kind small = {"", true, EXRAY_COMPRESSION_NONE, 6, 64};

/* Whether the file is the same that the loss of bytes of the frame behind `hit` leaves: the byte that is gone
 * is the one that follows (a CRC's last byte is 5, as the next record's opcode is). */
static bool is_also_behind(const torture_log *log, size_t from, size_t gone, int hit)
{
    while (from + gone < log->size && log->bytes[from] == log->bytes[from + gone])
        from++;
    return from + gone > log->end[hit];
}

/* Without `gone` bytes at `from`, every frame but `hit` and `also` is read, by the reader and of what recover
 * makes of it. */
static void lose(const torture_log *log, size_t from, size_t gone, int hit, int also)
{
    static torture_outcome read, recovered;
    uint8_t *bytes = malloc(log->size);
    assert_non_null(bytes);
    memcpy(bytes, log->bytes, from);
    memcpy(bytes + from, log->bytes + from + gone, log->size - from - gone);
    torture_open(bytes, log->size - gone, log, &read);
    torture_recover(bytes, log->size - gone, log, &recovered);
    free(bytes);
    assert_true(read.opened && read.told && recovered.told);
    assert_int_equal(read.wrong + recovered.wrong, 0);
    bool behind = is_also_behind(log, from, gone, hit);
    for (int f = 0; f < log->frames; f++)
        if (f != hit && f != also && !(behind && f == hit + 1) && !(read.frame[f] && recovered.frame[f]))
            fail_msg("frame %d is lost with %zu bytes before the end of frame %d", f, log->end[hit] - from,
                     hit);
}

/* The Check record stands at a frame's end. */
static void test_a_check_record_loses_its_end(void **state)
{
    (void)state;
    const size_t check = XR_MCAP_RECORD_HEADER + XR_MCAP_CHECK_SIZE;
    torture_log log = torture_record(&small);
    for (int f = 1; f + 1 < log.frames; f++)
        for (size_t gone = 1; gone <= check; gone++)
            lose(&log, log.end[f] - gone, gone, f, f);
    free(log.bytes);
}

static void test_a_check_record_loses_some_bytes(void **state)
{
    (void)state;
    const size_t check = XR_MCAP_RECORD_HEADER + XR_MCAP_CHECK_SIZE;
    torture_log log = torture_record(&small);
    for (int f = log.frames - 3; f + 1 < log.frames; f++)
        for (size_t gone = 1; gone < check; gone += 3)
            for (size_t at = gone; at <= check; at++)
                lose(&log, log.end[f] - at, gone, f, f);
    free(log.bytes);
}

/* Bytes of two frames are gone, and the log ends behind the next one's Check record: no other says how many.
 */
static void test_no_check_record_follows(void **state)
{
    (void)state;
    torture_log log = torture_record(&small);
    const int last = log.frames - 1;
    log.size = log.end[last];
    for (size_t gone = 30; gone < 400; gone += 7)
        lose(&log, log.end[last - 1] - gone, gone, last - 1, last - 1);
    for (size_t gone = 40; gone < 400; gone += 7)
        lose(&log, log.end[last - 2] - gone + 10, gone, last - 2, last - 1);
    free(log.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_check_record_loses_its_end),
        cmocka_unit_test(test_a_check_record_loses_some_bytes),
        cmocka_unit_test(test_no_check_record_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
