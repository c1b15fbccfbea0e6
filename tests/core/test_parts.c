/* The recorder in parts: what each option needs, and what is left without one; that a record is
 * encoded at most twice, whatever its way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "core/channels.h"
#include "core/checksums/crc32.h"
#include "core/emit.h"
#include "core/summary/dtypes.h"
#include "scan.h"
#include <exray/codecs.h>
#include <math.h>

enum { LOG_SIZE = 8 << 20 };

typedef struct sink {
    uint8_t *bytes;
    size_t used;
} sink;

static uint8_t log_bytes[LOG_SIZE];

static int write_sink(void *user, const void *bytes, size_t size)
{
    sink *s = user;
    assert_true(size <= LOG_SIZE - s->used);
    memcpy(s->bytes + s->used, bytes, size);
    s->used += size;
    return 0;
}

/* ---- What needs which part ---- */

static void test_a_missing_part_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        exray_recorder_config config;
    } cases[] = {
        {"chunks (", {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_IO}},
        {"chunks (",
         {.size = sizeof(exray_recorder_config),
          .capture = EXRAY_CAPTURE_IO,
          .compression = EXRAY_COMPRESSION_ZSTD}},
        {"stats (", {.size = sizeof(exray_recorder_config), .stream = true}},
        {"stats (", {.size = sizeof(exray_recorder_config), .stream = true, .capture = EXRAY_CAPTURE_STATS}},
        {"stats (", {.size = sizeof(exray_recorder_config), .stream = true, .capture = EXRAY_CAPTURE_SKETCH}},
        {"stats (",
         {.size = sizeof(exray_recorder_config),
          .stream = true,
          .capture = EXRAY_CAPTURE_IO,
          .no_io_data = true}},
        {"sketch (",
         {.size = sizeof(exray_recorder_config), .stream = true, .capture = EXRAY_CAPTURE_SKETCH}},
        {"async (",
         {.size = sizeof(exray_recorder_config),
          .stream = true,
          .capture = EXRAY_CAPTURE_IO,
          .ring_size = 1 << 20}},
        {"layers (",
         {.size = sizeof(exray_recorder_config),
          .stream = true,
          .capture = EXRAY_CAPTURE_IO,
          .layers = "Conv*"}},
        {"flush (",
         {.size = sizeof(exray_recorder_config),
          .stream = true,
          .capture = EXRAY_CAPTURE_IO,
          .flush_frames = 2}},
        {"flush (",
         {.size = sizeof(exray_recorder_config), .stream = true, .capture = EXRAY_CAPTURE_IO, .sync_ms = 9}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        exray_recorder recorder;
        exray_recorder_config config = cases[i].config;
        /* All parts but this one: it alone is told. */
        exray_recorder_parts parts = exray_recorder_parts_all();
        const char *name = cases[i].part;
        parts.chunks = strcmp(name, "chunks (") == 0 ? NULL : parts.chunks;
        parts.stats = strcmp(name, "stats (") == 0 ? NULL : parts.stats;
        parts.sketch = strcmp(name, "sketch (") == 0 ? NULL : parts.sketch;
        parts.async = strcmp(name, "async (") == 0 ? NULL : parts.async;
        parts.layers = strcmp(name, "layers (") == 0 ? NULL : parts.layers;
        parts.flush = strcmp(name, "flush (") == 0 ? NULL : parts.flush;
        config.parts = &parts;
        sink s = {log_bytes, 0};
        for (int host = 0; host < 2; host++) {
            const exray_status status = host
                                            ? exray_recorder_open_callback(&recorder, write_sink, &s, &config)
                                            : exray_recorder_open_device(&recorder, write_sink, &s, &config);
            assert_int_equal(status, EXRAY_E_ARGUMENT);
            const char *message = exray_recorder_error_message(&recorder);
            assert_non_null(strstr(message, name));
            assert_non_null(strstr(message, "config.parts"));
            assert_null(strchr(message, '\n'));
            assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ARGUMENT);
        }
        assert_int_equal(s.used, 0);
        assert_int_equal(exray_recorder_memory_needed_device(&config), 0);
        /* With no parts at all it is told as well; with all of them it opens. */
        config.parts = NULL;
        assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_memory_needed_device(&config), 0);
        if (config.compression)
            config.codec = exray_codec_default();
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &config), EXRAY_OK);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    }
}

static void test_no_config_is_told(void **state)
{
    (void)state;
    exray_recorder recorder;
    sink s = {log_bytes, 0};
    assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, NULL), EXRAY_E_ARGUMENT);
    assert_non_null(strstr(exray_recorder_error_message(&recorder), "chunks ("));
    assert_int_equal(exray_recorder_memory_needed_device(NULL), 0);
}

/* Within the memory that it asks for, and with the smallest buffers. */
static void test_memory_of_a_device(void **state)
{
    (void)state;
    static uint8_t memory[64 << 10];
    exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                    .stream = true,
                                    .capture = EXRAY_CAPTURE_IO,
                                    .max_channels = 8,
                                    .buffer_size = 1,
                                    .memory = memory};
    const size_t needed = exray_recorder_memory_needed_device(&config);
    assert_in_range(needed, 4096, 16 << 10);
    exray_recorder recorder;
    sink s = {log_bytes, 0};
    config.memory_size = needed;
    memset(memory, 0xA5, sizeof memory);
    assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_OK);
    for (int i = 0; i < 3; i++) {
        exray_recorder_frame_begin(&recorder, "x");
        exray_recorder_log_scalar(&recorder, "value", i);
        exray_recorder_log_result(&recorder, &(exray_result){.text = "a result"});
    }
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    for (size_t i = needed; i < sizeof memory; i++)
        assert_int_equal(memory[i], 0xA5);
    scan log = scan_log(log_bytes, s.used);
    assert_true(log.complete);
    assert_int_equal(scan_count(&log, "/result"), 3);
    scan_free(&log);
    config.memory_size = needed - 32;
    assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_E_MEMORY);
}

/* Data beyond the budget: with no statistics to stand for it, a record without values. */
static void test_degraded_without_stats(void **state)
{
    (void)state;
    exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
    parts.budget = exray_budget_part_default();
    static uint8_t data[50000];
    static const int64_t shape[] = {sizeof data};
    exray_recorder recorder;
    sink s = {log_bytes, 0};
    const exray_recorder_config config = {.size = sizeof(exray_recorder_config),
                                          .stream = true,
                                          .capture = EXRAY_CAPTURE_FULL,
                                          .byte_budget = 300000,
                                          .parts = &parts,
                                          .max_channels = 64};
    assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_OK);
    for (int i = 0; i < 3; i++) {
        exray_recorder_frame_begin(&recorder, "x");
        exray_recorder_log_tensor(
            &recorder, &(exray_tensor){.kind = EXRAY_KIND_LAYER,
                                       .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                       .data = data,
                                       .size = sizeof data});
    }
    assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    assert_int_equal(exray_recorder_dropped(&recorder), 2);
    scan log = scan_log(log_bytes, s.used);
    assert_int_equal(scan_count(&log, "/layer/0"), 3);
    assert_true(scan_has(scan_find(&log, "/layer/0", 0), 3));
    assert_false(scan_has(scan_find(&log, "/layer/0", 2), 3));
    assert_false(scan_has(scan_find(&log, "/layer/0", 2), 4));
    scan_free(&log);
}

/* ---- Events, retries, flushes ---- */

static const exray_recorder_config io_stream = {
    .size = sizeof(exray_recorder_config), .stream = true, .capture = EXRAY_CAPTURE_IO};

static void test_events_are_told_or_counted(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
        parts.events = with ? exray_events_part_default() : NULL;
        exray_recorder_config config = io_stream;
        config.parts = &parts;
        exray_recorder recorder;
        sink s = {log_bytes, 0};
        assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_OK);
        exray_recorder_frame_begin(&recorder, "x");
        assert_int_equal(exray_recorder_event(&recorder, EXRAY_EVENT_USER, "the lid is open"),
                         with ? EXRAY_OK : EXRAY_E_UNSUPPORTED);
        assert_int_equal(exray_recorder_log_reading(&recorder, NULL, NULL, 0, NULL), EXRAY_E_ARGUMENT);
        assert_non_null(
            strstr(exray_recorder_error_message(&recorder), "exray_recorder_log_reading: the name is"));
        assert_int_equal(exray_recorder_log_reading(&recorder, NULL, NULL, 0, NULL), EXRAY_E_ARGUMENT);
        assert_int_equal(exray_recorder_fail(&recorder, EXRAY_E_ENGINE, NULL), EXRAY_E_ENGINE);
        assert_string_equal(exray_recorder_error_message(&recorder),
                            with ? "EXRAY_E_ENGINE" : "the tap failed");
        assert_int_equal(exray_recorder_dropped(&recorder), 2);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_E_ENGINE);
        scan log = scan_log(log_bytes, s.used);
        assert_true(log.complete);
        /* The application's, the first of each kind of error, and how many came after. */
        assert_int_equal(scan_count(&log, "/event"), with ? 4 : 0);
        assert_int_equal(scan_count(&log, "/frame"), 1);
        scan_free(&log);
    }
}

/* Takes half of the first piece after `from` bytes, and nothing more once. */
typedef struct busy_sink {
    sink to;
    size_t from;
    int calls_refused;
} busy_sink;

static int write_when_it_can(void *user, const void *bytes, size_t size)
{
    busy_sink *s = user;
    if (s->to.used < s->from || s->calls_refused == 2)
        return write_sink(&s->to, bytes, size);
    s->calls_refused++;
    if (s->calls_refused == 2)
        return EXRAY_WRITE_TOOK(0);
    write_sink(&s->to, bytes, size / 2);
    return EXRAY_WRITE_TOOK(size / 2);
}

static void test_a_busy_sink_is_asked_again_or_ends_the_log(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
        parts.retry = with ? exray_retry_part_default() : NULL;
        exray_recorder_config config = io_stream;
        config.parts = &parts;
        exray_recorder recorder;
        busy_sink s = {{log_bytes, 0}, 1000, 0};
        assert_int_equal(exray_recorder_open_device(&recorder, write_when_it_can, &s, &config), EXRAY_OK);
        exray_status status = EXRAY_OK;
        for (int i = 0; i < 40 && !status; i++) {
            exray_recorder_frame_begin(&recorder, "a source");
            status = exray_recorder_frame_end(&recorder);
        }
        assert_int_equal(status, with ? EXRAY_OK : EXRAY_E_IO);
        assert_int_equal(exray_recorder_close(&recorder), with ? EXRAY_OK : EXRAY_E_IO);
        scan log = scan_log(log_bytes, s.to.used);
        assert_int_equal(log.complete, with);
        if (with)
            assert_int_equal(scan_count(&log, "/frame"), 40);
        else
            assert_non_null(strstr(exray_recorder_error_message(&recorder), "did not take all of it"));
        scan_free(&log);
    }
}

/* Larger than its buffer, record for record the same as with all parts. */
static void test_the_plain_way_writes_the_same(void **state)
{
    (void)state;
    static uint8_t data[5000];
    static const int64_t shape[] = {sizeof data};
    size_t size[2], frames[2];
    for (int all = 0; all < 2; all++) {
        exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
        parts.retry = all ? exray_retry_part_default() : NULL;
        parts.flush = all ? exray_flush_part_default() : NULL;
        parts.checksums = exray_checksums_part_small();
        exray_recorder_config config = io_stream;
        config.parts = &parts;
        config.buffer_size = 300;
        exray_recorder recorder;
        sink s = {log_bytes, 0};
        assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_OK);
        for (int i = 0; i < 5; i++) {
            exray_recorder_frame_begin_at(&recorder, (uint64_t)i, NULL);
            exray_recorder_log_tensor(
                &recorder, &(exray_tensor){.kind = EXRAY_KIND_INPUT,
                                           .info = {.dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = shape},
                                           .data = data,
                                           .size = sizeof data});
        }
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        scan log = scan_log(log_bytes, s.used);
        assert_true(log.complete);
        size[all] = scan_count(&log, "/input/0");
        frames[all] = scan_count(&log, "/frame");
        scan_free(&log);
    }
    assert_int_equal(size[0], 5);
    assert_int_equal(size[1], 5);
    assert_int_equal(frames[0], frames[1]);
}

static int syncs;

static int sync_sink(void *user)
{
    (void)user;
    syncs++;
    return 0;
}

static void test_flush_and_sync_need_their_part(void **state)
{
    (void)state;
    for (int with = 0; with < 2; with++) {
        exray_recorder_parts parts = EXRAY_RECORDER_PARTS_INIT;
        parts.flush = with ? exray_flush_part_default() : NULL;
        exray_recorder_config config = io_stream;
        config.parts = &parts;
        config.sync = sync_sink;
        syncs = 0;
        exray_recorder recorder;
        sink s = {log_bytes, 0};
        assert_int_equal(exray_recorder_open_device(&recorder, write_sink, &s, &config), EXRAY_OK);
        exray_recorder_frame_begin(&recorder, "x");
        exray_recorder_log_result(&recorder, &(exray_result){.text = "a result"});
        const size_t before = s.used;
        assert_int_equal(exray_recorder_flush(&recorder), with ? EXRAY_OK : EXRAY_E_UNSUPPORTED);
        assert_int_equal(s.used > before, with);
        assert_int_equal(exray_recorder_sync(&recorder), with ? EXRAY_OK : EXRAY_E_UNSUPPORTED);
        assert_int_equal(syncs, with);
        exray_recorder_frame_end(&recorder); /* hands over all in any case */
        const size_t at_end = s.used;
        assert_true(at_end > before);
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
    }
}

/* ---- The small way and the fast one ---- */

static void test_small_and_fast_summaries_agree(void **state)
{
    (void)state;
    enum { COUNT = 3000 };
    static uint8_t data[8 * COUNT];
    static const int64_t shape[] = {3, COUNT / 3};
    static const float scales[] = {0.5f, 2, 0.25f};
    static const int64_t zeros[] = {1, -2, 3};
    uint32_t random = 1;
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
    for (int dtype = 1; dtype <= EXRAY_DTYPE_FLOAT8_E5M2; dtype++) {
        if (dtype == EXRAY_DTYPE_STRING)
            continue;
        for (uint32_t slices = 0; slices < 4; slices += slices ? 2 : 1) {
            const exray_tensor_info info = {.dtype = (exray_dtype)dtype,
                                            .rank = 2,
                                            .shape = shape,
                                            .layout = slices ? "CN" : NULL,
                                            .quantization = {slices, 0, slices ? scales : NULL, zeros}};
            float small_bucket[EXRAY_SKETCH_BUCKETS], fast_bucket[EXRAY_SKETCH_BUCKETS];
            exray_stats small, fast;
            uint32_t small_count, fast_count;
            assert_int_equal(exray_sketch_part_small()->compute(&info, data, sizeof data, 1, &small,
                                                                small_bucket, &small_count),
                             EXRAY_OK);
            assert_int_equal(exray_sketch_part_fast()->compute(&info, data, sizeof data, 1, &fast,
                                                               fast_bucket, &fast_count),
                             EXRAY_OK);
            assert_int_equal(small_count, fast_count);
            for (uint32_t i = 0; i < small_count; i++)
                assert_true(small_bucket[i] == fast_bucket[i] ||
                            (dtype == EXRAY_DTYPE_INT64 || dtype == EXRAY_DTYPE_UINT64 ||
                             fast_bucket[i] != fast_bucket[i]));
            assert_memory_equal(&small, &fast, offsetof(exray_stats, min));
            assert_int_equal(small.low_count, fast.low_count);
            assert_int_equal(small.high_count, fast.high_count);
            assert_true(small.min == fast.min && small.max == fast.max);
            assert_true(small.mean == fast.mean ||
                        fabs(small.mean - fast.mean) <= 1e-12 * (fast.max - fast.min));
            assert_int_equal(exray_stats_part_small()->compute(&info, data, sizeof data, &small), EXRAY_OK);
            assert_int_equal(exray_stats_part_fast()->compute(&info, data, sizeof data, &fast), EXRAY_OK);
            assert_true(small.min == fast.min && small.max == fast.max);
            assert_memory_equal(&small, &fast, offsetof(exray_stats, min));
        }
    }
}

static void test_elements_one_by_one(void **state)
{
    (void)state;
    static uint8_t data[8 * 256 + 8];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 167 + (i >> 8) * 31);
    for (int dtype = 1; dtype <= EXRAY_DTYPE_FLOAT8_E5M2; dtype++) {
        double wanted[256], found[256];
        if (dtype == EXRAY_DTYPE_STRING)
            continue;
        xr_dtype_to_double((exray_dtype)dtype, data + 1, 1, 255, wanted);
        xr_elements_to_double((exray_dtype)dtype, data + 1, 1, 255, found);
        for (int i = 0; i < 255; i++)
            assert_true(wanted[i] == found[i] || (wanted[i] != wanted[i] && found[i] != found[i]));
    }
}

/* ---- How often a record is encoded ---- */

/* A message of one string and of `count` numbers that are not one piece. */
typedef struct counted {
    const uint8_t *piece;
    size_t piece_size, count;
    int runs;
} counted;

static void encode_counted(xr_sink *to, const void *object)
{
    counted *c = (counted *)(uintptr_t)object;
    c->runs++;
    xr_pb_uint(to, 1, 7);
    for (size_t i = 0; i < c->count; i++)
        xr_pb_uint(to, 3, 1 + i % 100);
    if (c->piece_size)
        xr_pb_bytes(to, 2, c->piece, c->piece_size);
}

/* Each chunk's checksum is that of its records. */
static void check_chunks(const uint8_t *bytes, size_t size)
{
    static xr_crc32_tables tables;
    xr_crc32_make(&tables);
    const uint8_t *at = bytes + 8, *end = bytes + size - 8;
    while (at < end) {
        const uint64_t length = scan_number(at + 1, 8);
        if (at[0] == 0x06 && scan_number(at + 9 + 28, 4) == 0) {
            const uint32_t crc = (uint32_t)scan_number(at + 9 + 24, 4);
            assert_int_equal(crc, xr_crc32(&tables, 0, at + 9 + 40, (size_t)length - 40));
        }
        at += 9 + length;
    }
}

static void test_encoded_at_most_twice(void **state)
{
    (void)state;
    static uint8_t piece[300000];
    for (size_t i = 0; i < sizeof piece; i++)
        piece[i] = (uint8_t)(i * 7 + (i >> 8));
    const exray_recorder_config configs[] = {
        {.size = sizeof(exray_recorder_config), .stream = true},
        {.size = sizeof(exray_recorder_config), .stream = true, .buffer_size = 300},
        {.size = sizeof(exray_recorder_config), .chunk_size = 32 << 10},
        {.size = sizeof(exray_recorder_config), .chunk_size = 32 << 10, .codec = exray_codec_default()},
        {.size = sizeof(exray_recorder_config), .chunk_size = 1 << 20},
        {.size = sizeof(exray_recorder_config),
         .chunk_size = 64 << 10,
         .codec = exray_codec_default(),
         .compression = EXRAY_COMPRESSION_LZ4},
        {.size = sizeof(exray_recorder_config), .chunk_size = 32 << 10, .byte_budget = 4 << 20},
        {.size = sizeof(exray_recorder_config),
         .stream = true,
         .ring_size = 64 << 10,
         .policy = EXRAY_POLICY_BLOCK},
        {.size = sizeof(exray_recorder_config),
         .chunk_size = 32 << 10,
         .ring_size = 64 << 10,
         .policy = EXRAY_POLICY_BLOCK},
        {.size = sizeof(exray_recorder_config),
         .ring_size = 1 << 20,
         .policy = EXRAY_POLICY_BLOCK,
         .byte_budget = 4 << 20},
    };
    static const size_t pieces[] = {0, 10, 1500, 3000, 40000, 300000};
    static const size_t counts[] = {0, 100, 3000, 60000};
    for (size_t c = 0; c < sizeof configs / sizeof *configs; c++) {
        exray_recorder recorder;
        sink s = {log_bytes, 0};
        assert_int_equal(exray_recorder_open_callback(&recorder, write_sink, &s, &configs[c]), EXRAY_OK);
        for (size_t i = 0; i < 24; i++) {
            counted message = {piece, pieces[i % 6], counts[i / 6], 0};
            assert_int_equal(xr_emit_topic(xr_of(&recorder), "/counted", XR_SCHEMA_READING, encode_counted,
                                           &message, i, XR_WAIT),
                             EXRAY_OK);
            assert_in_range(message.runs, 1, 2);
            /* What fits is encoded once. */
            if (counts[i / 6] <= 100 && !(configs[c].buffer_size))
                assert_int_equal(message.runs, 1);
        }
        assert_int_equal(exray_recorder_close(&recorder), EXRAY_OK);
        assert_int_equal(exray_recorder_dropped(&recorder), 0);
        if (configs[c].compression)
            continue;
        if (!configs[c].stream)
            check_chunks(log_bytes, s.used);
        scan log = scan_log(log_bytes, s.used);
        assert_int_equal(scan_count(&log, "/counted"), 24);
        for (size_t i = 0; i < 24; i++) {
            const scan_message *m = scan_find(&log, "/counted", i);
            uint64_t size = 0;
            const uint8_t *bytes = NULL;
            assert_int_equal(m->size, 2 + 2 * counts[i / 6] +
                                          (pieces[i % 6] ? xr_pb_bytes_size(2, pieces[i % 6]) : 0));
            if (pieces[i % 6]) {
                assert_true(scan_field(m->data, m->size, 2, &size, &bytes));
                assert_int_equal(size, pieces[i % 6]);
                assert_memory_equal(bytes, piece, size);
            }
        }
        scan_free(&log);
    }
}

static void test_crc_of_two_pieces(void **state)
{
    (void)state;
    static xr_crc32_tables tables;
    static uint8_t data[5000];
    xr_crc32_make(&tables);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(i * 31 + (i >> 7));
    const uint32_t whole = xr_crc32(&tables, 0, data, sizeof data);
    for (size_t cut = 0; cut <= sizeof data; cut += cut < 70 ? 1 : 61) {
        const uint32_t first = xr_crc32(&tables, 0, data, cut);
        const uint32_t second = xr_crc32(&tables, 0, data + cut, sizeof data - cut);
        assert_int_equal(xr_crc32_join(first, second, sizeof data - cut), whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_missing_part_is_named),
        cmocka_unit_test(test_no_config_is_told),
        cmocka_unit_test(test_memory_of_a_device),
        cmocka_unit_test(test_degraded_without_stats),
        cmocka_unit_test(test_events_are_told_or_counted),
        cmocka_unit_test(test_a_busy_sink_is_asked_again_or_ends_the_log),
        cmocka_unit_test(test_the_plain_way_writes_the_same),
        cmocka_unit_test(test_flush_and_sync_need_their_part),
        cmocka_unit_test(test_small_and_fast_summaries_agree),
        cmocka_unit_test(test_elements_one_by_one),
        cmocka_unit_test(test_encoded_at_most_twice),
        cmocka_unit_test(test_crc_of_two_pieces),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
