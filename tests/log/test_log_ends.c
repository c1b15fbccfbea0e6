/* A log's two ends, the header and the footer: every length and offset in them may be wrong,
 * with the checksum of the summary made right again.  And every bit and every length of small logs of
 * each kind, through opening, reading and recovering. */
#define _POSIX_C_SOURCE 200809L
#include "mcap_bytes.h"

#include "log/log_file.h"
#include "log/recover.h"
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { MAGIC = 8, HEADER_LENGTH = MAGIC + 1, HEADER_CONTENT = MAGIC + 9, FOOTER = 37, FOOTER_START = 28 };

static const float three[3] = {1, 2, 3};

static void set_number(bytes *b, size_t at, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        b->data[at + i] = (uint8_t)(value >> (8 * i));
}

/* Makes the summary's checksum right, wherever the footer says that it begins. */
static void mend_summary_crc(bytes *b)
{
    uint64_t start = 0;
    for (int i = 0; i < 8; i++)
        start |= (uint64_t)b->data[b->size - FOOTER_START + (size_t)i] << (8 * i);
    size_t end = b->size - 12; /* before the checksum and the magic */
    if (start && start <= end)
        set_number(b, end, exray_codec_default()->crc32(0, b->data + start, end - start), 4);
}

/* A chunk of `records`, compressed as named. */
static void put_packed_chunk(bytes *b, bytes records, const char *compression)
{
    chunk_fields fields = right_chunk(records);
    if (!*compression) {
        put_chunk(b, records, fields);
        return;
    }
    exray_compression how = strcmp(compression, "lz4") == 0 ? EXRAY_COMPRESSION_LZ4 : EXRAY_COMPRESSION_ZSTD;
    bytes packed = {.size = exray_codec_default()->compress_bound(how, records.size)};
    packed.data = malloc(packed.size);
    packed.size = exray_codec_default()->compress(how, packed.data, packed.size, records.data, records.size);
    assert_true(packed.size > 0);
    free(records.data);
    fields.compression = compression;
    fields.stored = packed.size;
    put_chunk(b, packed, fields);
}

/* Two frames, each with an input; in chunks with a summary, or (`compression` NULL) streamed. */
static bytes two_frames_packed(const char *compression)
{
    bool chunked = compression != NULL;
    bytes b = {0}, summary = {0};
    put_header(&b, "exray");
    for (uint64_t f = 0; f < 2; f++) {
        bytes records = {0};
        if (f == 0) {
            put_channel(&records, 1, "/input/x");
            put_channel(&records, 3, "/frame");
        }
        put_message(&records, 1, 10 * f + 1, pb_tensor(f, three, 3));
        put_message(&records, 3, 10 * f + 3, pb_frame(f, 10 * f, 10 * f + 3));
        uint64_t offset = b.size;
        if (chunked) {
            put_packed_chunk(&b, records, compression);
            put_chunk_index(&summary, offset, b.size - offset);
        } else {
            put(&b, records.data, records.size);
            free(records.data);
        }
    }
    put_end(&b, summary);
    return b;
}

static bytes two_frames(bool chunked)
{
    return two_frames_packed(chunked ? "" : NULL);
}

/* What became of a log: opened, read and recovered, from a copy that ends where the log does, so
 * that a sanitizer sees a byte too far. */
typedef struct outcome {
    bool opened, recovered;
    char message[sizeof((exray_error *)0)->message];
    size_t records; /* in the opened log */
    size_t wrong;   /* tensors of them with other values than were written */
    uint64_t damaged;
    bool truncated;
    uint64_t saved; /* messages that recovering saved */
    size_t recovered_records;
} outcome;

static size_t count_records(const exray_log *log, size_t *wrong)
{
    size_t count = 0;
    *wrong = 0;
    exray_slot *slot = exray_slot_new();
    for (size_t f = 0; f < exray_log_frame_count(log); f++)
        for (size_t i = 0; i < exray_log_frame(log, f)->record_count; i++) {
            const exray_record *record = &exray_log_records(log, f)[i];
            exray_tensor_view view;
            const float *values;
            exray_error error;
            if (record->message == EXRAY_MESSAGE_TENSOR) {
                if (exray_log_read_values(log, record, slot, &view, &values, &error) != EXRAY_OK)
                    continue;
                *wrong += view.count != 3 || values[0] != three[0] || values[1] != three[1] ||
                          values[2] != three[2];
            }
            count++;
        }
    exray_slot_free(slot);
    return count;
}

static void recover(const uint8_t *data, size_t size, outcome *out)
{
    char *good = NULL;
    size_t good_size = 0;
    FILE *to = open_memstream(&good, &good_size);
    xr_recovery result;
    exray_error error = {0};
    out->recovered = xr_recover_bytes(data, size, to, &result, &error);
    fclose(to);
    if (out->recovered) {
        exray_log *log = xr_log_open_bytes(good, good_size, "recovered.mcap", &error);
        assert_non_null(log);
        assert_null(exray_log_truncated(log));
        /* What an unchecked record holds is copied, be it a message or not. */
        assert_true(exray_log_damaged(log) == 0 || out->damaged > 0);
        out->saved = result.messages;
        size_t wrong;
        out->recovered_records = count_records(log, &wrong);
        exray_log_close(log);
    } else {
        assert_int_equal(error.status, EXRAY_E_FORMAT);
    }
    free(good);
}

static outcome try_log(const bytes *b)
{
    outcome out = {0};
    uint8_t *copy = malloc(b->size ? b->size : 1);
    memcpy(copy, b->data, b->size);
    exray_error error = {0};
    exray_log *log = xr_log_open_bytes(copy, b->size, "test.mcap", &error);
    out.opened = log != NULL;
    if (log) {
        out.records = count_records(log, &out.wrong);
        out.damaged = exray_log_damaged(log);
        out.truncated = exray_log_truncated(log) != NULL;
        exray_log_close(log);
    } else {
        assert_int_equal(error.status, EXRAY_E_FORMAT);
        memcpy(out.message, error.message, sizeof out.message);
    }
    recover(copy, b->size, &out);
    free(copy);
    return out;
}

static void assert_unreadable(const outcome *o)
{
    assert_false(o->opened);
    assert_non_null(strstr(o->message, "damaged"));
    assert_false(o->recovered);
}

/* The smallest log of this kind: a header, a footer, and a summary that begins in the header. */
static void test_summary_in_the_smallest_log(void **state)
{
    (void)state;
    for (uint64_t start = 1; start <= 76; start++) {
        bytes b = {0}, header = {0};
        put(&b, "\x89MCAP0\r\n", MAGIC);
        put_text(&header, "exray");
        put_text(&header, "");
        put_record(&b, 0x01, header);
        size_t fields_end = b.size;
        b.data[HEADER_LENGTH] = 13 + 9; /* the header swallows a record's beginning */
        put_number(&b, 0x80, 9);
        put_end(&b, (bytes){0});
        set_number(&b, b.size - FOOTER_START, start, 8);
        mend_summary_crc(&b);
        outcome o = try_log(&b);
        if (start >= MAGIC && start < fields_end)
            assert_unreadable(&o);
        else
            assert_true(!o.opened || o.damaged > 0 || o.truncated || start >= b.size - FOOTER - 13);
        free(b.data);
    }
}

/* The footer's offset may be any number: what stands before it is no content of the log, and
 * nothing is read from before the file or behind it. */
static void test_summary_anywhere(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = two_frames(chunked);
        size_t fields_end = HEADER_CONTENT + b.data[HEADER_LENGTH];
        for (uint64_t start = 1; start <= b.size + 8; start++) {
            set_number(&b, b.size - FOOTER_START, start, 8);
            mend_summary_crc(&b);
            outcome o = try_log(&b);
            assert_true(o.records <= 4);
            if (start >= MAGIC && start < fields_end)
                assert_unreadable(&o);
            else
                assert_true(o.opened);
            if (start < MAGIC || start > b.size - FOOTER)
                assert_true(o.records == 4 && o.damaged == 1);
        }
        free(b.data);
    }
}

/* No checksum covers the header's length.  Whatever it becomes, the log is not called whole, and
 * where a summary tells the truth, recovering finds everything. */
static void test_header_length(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = two_frames(chunked);
        for (int bit = 0; bit < 64; bit++) {
            b.data[HEADER_LENGTH + bit / 8] ^= (uint8_t)(1 << bit % 8);
            outcome o = try_log(&b);
            assert_true(!o.opened || o.damaged > 0 || o.truncated);
            if (!o.opened)
                assert_non_null(strstr(o.message, "`exray recover`"));
            assert_true(o.recovered);
            if (chunked || !o.opened) {
                assert_int_equal(o.saved, 4);
                assert_int_equal(o.recovered_records, 4);
            }
            b.data[HEADER_LENGTH + bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(b.data);
    }
}

/* A record whose length wraps around: `end - at` was a number near 2^64 where the summary began
 * before the records did. */
static void test_length_that_wraps(void **state)
{
    (void)state;
    for (uint64_t back = 1; back < 256; back++) {
        bytes b = {0}, header = {0}, metadata = {0};
        put(&b, "\x89MCAP0\r\n", MAGIC);
        put_text(&header, "exray");
        put_text(&header, "lib");
        put_number(&header, 0, 64);
        put_record(&b, 0x01, header);
        put_text(&metadata, "exray.x");
        put_number(&metadata, 4096, 4);
        put_text(&metadata, "leak");
        put_number(&metadata, 4000, 4);
        size_t length_at = b.size + 1;
        put_record(&b, 0x0C, metadata);
        put_end(&b, (bytes){0});
        set_number(&b, length_at, UINT64_MAX - back, 8);
        for (uint64_t start = HEADER_CONTENT; start < length_at; start += 7) {
            set_number(&b, b.size - FOOTER_START, start, 8);
            mend_summary_crc(&b);
            outcome o = try_log(&b);
            assert_false(o.opened);
            assert_non_null(strstr(o.message, "damaged"));
        }
        free(b.data);
    }
}

/* A damaged summary is damage, though the records can do without. */
static void test_summary_with_a_flipped_bit(void **state)
{
    (void)state;
    bytes b = two_frames(true);
    bytes stream = two_frames(false);
    size_t summary = b.size - FOOTER - 2 * (9 + 16 + 8 + 8 + 4 + 8 + 4 + 16);
    for (size_t bit = summary * 8; bit < (b.size - MAGIC) * 8; bit++) {
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        outcome o = try_log(&b);
        assert_true(o.opened && o.records == 4);
        assert_true(o.damaged == 1 || o.truncated);
        assert_int_equal(o.recovered_records, 4);
        b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    outcome o = try_log(&stream);
    assert_true(o.opened && o.damaged == 0 && !o.truncated);
    free(b.data);
    free(stream.data);
}

/* Streamed, and in chunks of each kind. */
static const char *const kinds[] = {NULL, "", "lz4", "zstd"};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* Whatever bit flips, nothing is read beyond the file, and where there are checksums a log that is
 * called whole holds what was written. */
static void test_every_bit(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        bytes b = two_frames_packed(kinds[kind]);
        for (size_t bit = 0; bit < b.size * 8; bit++) {
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            outcome o = try_log(&b);
            bool whole = o.opened && o.damaged == 0 && !o.truncated;
            if (kinds[kind]) {
                assert_int_equal(o.wrong, 0);
                assert_true(!whole || o.records == 4);
                assert_true(o.recovered_records <= 4);
            }
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        free(b.data);
    }
}

/* However short a log is cut, what was whole of it stays. */
static void test_every_beginning(void **state)
{
    (void)state;
    for (int kind = 0; kind < KINDS; kind++) {
        bytes b = two_frames_packed(kinds[kind]);
        size_t before = 0, size = b.size;
        for (b.size = 0; b.size < size; b.size++) {
            outcome o = try_log(&b);
            assert_true(o.records >= before && o.wrong == 0);
            assert_true(!o.opened || o.truncated);
            assert_int_equal(o.recovered_records, o.records);
            before = o.records;
        }
        assert_int_equal(before, 4);
        free(b.data);
    }
}

/* What no checksum covers is counted. */
static void test_unchecked(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = two_frames(chunked);
        exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
        assert_int_equal(exray_log_unchecked(log), chunked ? 0 : 4);
        exray_log_close(log);
        free(b.data);
    }
    bytes b = {0}, records = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, "/input/x");
    put_message(&records, 1, 1, pb_tensor(0, three, 3));
    chunk_fields fields = right_chunk(records);
    fields.crc = 0;
    put_chunk(&b, records, fields);
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    assert_int_equal(exray_log_unchecked(log), 1);
    exray_log_close(log);
    free(b.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_summary_in_the_smallest_log),
        cmocka_unit_test(test_summary_anywhere),
        cmocka_unit_test(test_header_length),
        cmocka_unit_test(test_length_that_wraps),
        cmocka_unit_test(test_summary_with_a_flipped_bit),
        cmocka_unit_test(test_unchecked),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_beginning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
