/* Logs that lie: whatever the bytes, the reader gives a sane answer in bounded
 * time and memory. */
#include "mcap_bytes.h"

#include "log/log_file.h"
#include <setjmp.h>
#include <stdarg.h>
#include <time.h>

#include <cmocka.h>

static const float three[3] = {1, 2, 3};

/* Reads everything that an open log offers. */
static size_t read_everything(const exray_log *log)
{
    exray_slot *slot = exray_slot_new();
    assert_non_null(slot);
    size_t good = 0, constants, count;
    exray_error error;
    const exray_model *model = exray_log_model(log);
    for (uint32_t i = 0; model && i < model->node_count; i++)
        assert_non_null(exray_node_name(model, i));
    for (size_t f = 0; f <= exray_log_frame_count(log); f++) {
        bool last = f == exray_log_frame_count(log);
        const exray_record *records = last ? exray_log_constants(log, &constants) : exray_log_records(log, f);
        count = last ? constants : exray_log_frame(log, f)->record_count;
        if (!last) {
            exray_log_frame_values(log, f, &constants);
            exray_log_frame_spans(log, f, &constants);
        }
        for (size_t i = 0; i < count; i++) {
            exray_tensor_view view;
            const float *values = NULL;
            exray_latency latency;
            exray_system system;
            exray_reading reading;
            exray_result result;
            switch (records[i].message) {
            case EXRAY_MESSAGE_TENSOR: {
                exray_status status = exray_log_read_values(log, &records[i], slot, &view, &values, &error);
                if (status == EXRAY_OK) {
                    float sum = 0;
                    for (uint64_t v = 0; v < view.count; v++)
                        sum += values[v];
                    assert_true(sum == sum || sum != sum); /* every value was touched */
                    good++;
                } else {
                    assert_true(error.message[0]);
                }
                break;
            }
            case EXRAY_MESSAGE_LATENCY:
                good += exray_log_read_latency(log, &records[i], slot, &latency, &error) == EXRAY_OK;
                break;
            case EXRAY_MESSAGE_SYSTEM:
                good += exray_log_read_system(log, &records[i], slot, &system, &error) == EXRAY_OK;
                break;
            case EXRAY_MESSAGE_READING:
                good += exray_log_read_reading(log, &records[i], slot, &reading, &error) == EXRAY_OK;
                break;
            case EXRAY_MESSAGE_RESULT:
                good += exray_log_read_result(log, &records[i], slot, &result, &error) == EXRAY_OK;
                break;
            default:
                break;
            }
        }
    }
    for (size_t i = 0; i < exray_log_attachment_count(log); i++) {
        const void *data;
        size_t size;
        exray_log_read_attachment(log, i, slot, &data, &size, &error);
    }
    exray_slot_free(slot);
    return good;
}

/* Opens and reads; returns how many records could be read, or -1 if it is no log. */
static long try_bytes(bytes b, uint64_t *damaged)
{
    exray_error error = {0};
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", &error);
    if (!log) {
        assert_true(error.status == EXRAY_E_FORMAT || error.status == EXRAY_E_MEMORY);
        assert_true(error.message[0]);
        return -1;
    }
    long good = (long)read_everything(log);
    if (damaged)
        *damaged = exray_log_damaged(log);
    exray_log_close(log);
    return good;
}

/* Three frames with an input and a layer each; `chunked`: a chunk for each
 * frame. */
static bytes small_log(bool chunked, bool with_end)
{
    bytes b = {0}, summary = {0};
    put_header(&b, "exray");
    for (uint64_t f = 0; f < 3; f++) {
        bytes records = {0};
        if (f == 0) {
            put_channel(&records, 1, "/input/x");
            put_channel(&records, 2, "/layer/0");
            put_channel(&records, 3, "/frame");
        }
        put_message(&records, 1, 10 * f + 1, pb_tensor(f, three, 3));
        put_message(&records, 2, 10 * f + 2, pb_tensor(f, three, 3));
        put_message(&records, 3, 10 * f + 3, pb_frame(f, 10 * f, 10 * f + 3));
        uint64_t offset = b.size;
        if (chunked) {
            put_chunk(&b, records, right_chunk(records));
            put_chunk_index(&summary, offset, b.size - offset);
        } else {
            put(&b, records.data, records.size);
            free(records.data);
        }
    }
    if (with_end)
        put_end(&b, summary);
    else
        free(summary.data);
    return b;
}

static void test_sound(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++) {
        uint64_t damaged = 0;
        bytes b = small_log(i & 1, i & 2);
        assert_int_equal(try_bytes(b, &damaged), 6);
        assert_int_equal(damaged, 0);
        exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
        assert_int_equal(exray_log_frame_count(log), 3);
        assert_true((exray_log_truncated(log) == NULL) == ((i & 2) != 0));
        exray_log_close(log);
        free(b.data);
    }
}

/* Every beginning of a log: never more records than a longer one gives. */
static void test_every_beginning(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = small_log(chunked, true);
        long before = -1;
        for (size_t size = 0; size <= b.size; size++) {
            /* A copy of that size, so that a sanitizer sees a byte too far. */
            bytes part = {malloc(size ? size : 1), size};
            memcpy(part.data, b.data, size);
            long good = try_bytes(part, NULL);
            assert_true(good >= before);
            before = good;
            free(part.data);
        }
        assert_int_equal(before, 6);
        free(b.data);
    }
}

static void test_every_bit(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = small_log(chunked, true);
        for (size_t bit = 0; bit < b.size * 8; bit++) {
            uint64_t damaged = 0;
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
            long good = try_bytes(b, &damaged);
            assert_true(good <= 9);
            /* What has a checksum is right or is said to be damaged. */
            if (chunked && good >= 0 && good < 6)
                assert_true(damaged > 0);
            b.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
        assert_int_equal(try_bytes(b, NULL), 6);
        free(b.data);
    }
}

static void test_every_byte(void **state)
{
    (void)state;
    static const uint8_t values[] = {0, 1, 0x7F, 0x80, 0xFF};
    for (int chunked = 0; chunked < 2; chunked++) {
        bytes b = small_log(chunked, true);
        for (size_t i = 0; i < b.size; i++)
            for (size_t v = 0; v < sizeof values; v++) {
                uint8_t was = b.data[i];
                b.data[i] = values[v];
                assert_true(try_bytes(b, NULL) <= 9);
                b.data[i] = was;
            }
        free(b.data);
    }
}

/* ---- Lengths ------------------------------------------------------------------- */

static void test_huge_lengths(void **state)
{
    (void)state;
    static const uint64_t huge[] = {UINT64_MAX,        UINT64_MAX - 8,   UINT64_C(1) << 63,
                                    INT64_MAX,         UINT32_MAX,       (uint64_t)UINT32_MAX + 1,
                                    UINT64_C(1) << 40, UINT64_C(1) << 30};
    for (size_t i = 0; i < sizeof huge / sizeof *huge; i++) {
        /* of a record */
        bytes b = small_log(false, false);
        put_number(&b, 0x05, 1);
        put_number(&b, huge[i], 8);
        put_number(&b, 0, 40);
        assert_int_equal(try_bytes(b, NULL), 6);
        free(b.data);
        /* of a chunk, and of what it claims to hold */
        for (int what = 0; what < 8; what++) {
            static const char *const compressions[] = {"", "lz4", "zstd", "snappy"};
            b = small_log(false, false);
            bytes records = {0};
            put_message(&records, 1, 5, pb_tensor(0, three, 3));
            chunk_fields fields = right_chunk(records);
            fields.compression = compressions[what / 2];
            fields.size = huge[i];
            if (what % 2)
                fields.stored = huge[i];
            put_chunk(&b, records, fields);
            uint64_t damaged = 0;
            assert_int_equal(try_bytes(b, &damaged), 6);
            assert_int_equal(damaged, 1);
            free(b.data);
        }
        /* of a protobuf field */
        b = small_log(false, false);
        bytes message = {0};
        pb_number(&message, 1, 0);
        pb_varint(&message, 3 << 3 | 2);
        pb_varint(&message, huge[i]);
        put_message(&b, 1, 5, message);
        uint64_t damaged = 0;
        assert_int_equal(try_bytes(b, &damaged), 6);
        assert_int_equal(damaged, 1);
        free(b.data);
    }
}

/* A few bytes that claim to be a gigabyte of zeros take no gigabyte of index. */
static void test_index_is_bounded(void **state)
{
    (void)state;
    size_t size = 256 << 20;
    uint8_t *zeros = calloc(1, size); /* records of opcode 0 and length 0 */
    size_t room = exray_codec_default()->compress_bound(EXRAY_COMPRESSION_ZSTD, size);
    uint8_t *small = malloc(room);
    size_t stored = exray_codec_default()->compress(EXRAY_COMPRESSION_ZSTD, small, room, zeros, size);
    assert_true(stored > 0);
    bytes b = {0}, records = {small, stored};
    put_header(&b, "exray");
    chunk_fields fields = {size, stored, 0, "zstd"};
    put_chunk(&b, records, fields);
    assert_int_equal(try_bytes(b, NULL), 0);
    free(b.data);
    /* Messages without content, millions of them. */
    bytes channel = {0}, message = {0}, none = {0};
    put_channel(&channel, 0, "/input/x");
    put_message(&message, 0, 0, none);
    memcpy(zeros, channel.data, channel.size);
    for (size_t at = channel.size; at + message.size <= size; at += message.size)
        memcpy(zeros + at, message.data, message.size);
    free(channel.data);
    free(message.data);
    small = malloc(room);
    stored = exray_codec_default()->compress(EXRAY_COMPRESSION_ZSTD, small, room, zeros, size);
    b = (bytes){0};
    records = (bytes){small, stored};
    put_header(&b, "exray");
    fields.stored = stored;
    put_chunk(&b, records, fields);
    exray_error error;
    assert_null(xr_log_open_bytes(b.data, b.size, "bomb.mcap", &error));
    assert_int_equal(error.status, EXRAY_E_MEMORY);
    free(b.data);
    free(zeros);
}

/* A file of nothing but gigabytes of zeros is given up on, not waited for. */
static void test_bombs(void **state)
{
    (void)state;
    enum { BOMBS = 200 };
    size_t size = 256 << 20, room = exray_codec_default()->compress_bound(EXRAY_COMPRESSION_ZSTD, size);
    uint8_t *zeros = calloc(1, size), *bomb = malloc(room);
    size_t stored = exray_codec_default()->compress(EXRAY_COMPRESSION_ZSTD, bomb, room, zeros, size);
    bytes b = {0};
    put_header(&b, "exray");
    for (int i = 0; i < BOMBS; i++) { /* 50 GB */
        bytes records = {0};
        put(&records, bomb, stored);
        put_chunk(&b, records, (chunk_fields){size, stored, 0, "zstd"});
    }
    uint64_t damaged = 0;
    clock_t before = clock();
    assert_int_equal(try_bytes(b, &damaged), 0);
    assert_true(damaged > BOMBS / 2);
    assert_true((double)(clock() - before) / CLOCKS_PER_SEC < 60);
    free(b.data);
    free(bomb);
    free(zeros);
}

/* A message of empty messages, two bytes each in a chunk that packs well: what they
 * would become in memory is refused. */
static void test_message_bomb(void **state)
{
    (void)state;
    enum { CLASSES = 8 << 20 };
    bytes b = {0}, records = {0}, result = {0}, packed = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, "/result");
    put_channel(&b, 3, "/frame");
    put_message(&b, 3, 3, pb_frame(0, 0, 3));
    result = (bytes){calloc(CLASSES, 2), 2 * (size_t)CLASSES};
    for (size_t i = 0; i < CLASSES; i++)
        result.data[2 * i] = 2 << 3 | 2;
    put_message(&records, 1, 1, result);
    chunk_fields fields = right_chunk(records);
    packed.size = exray_codec_default()->compress_bound(EXRAY_COMPRESSION_ZSTD, records.size);
    packed.data = malloc(packed.size);
    packed.size = exray_codec_default()->compress(EXRAY_COMPRESSION_ZSTD, packed.data, packed.size,
                                                  records.data, records.size);
    fields.stored = packed.size;
    fields.compression = "zstd";
    put_chunk(&b, packed, fields);
    free(records.data);
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    assert_int_equal(exray_log_frame(log, 0)->record_count, 2);
    const exray_record *record = exray_log_records(log, 0);
    while (record->message != EXRAY_MESSAGE_RESULT)
        record++;
    exray_slot *slot = exray_slot_new();
    exray_result out;
    exray_error error;
    assert_int_equal(exray_log_read_result(log, record, slot, &out, &error), EXRAY_E_MEMORY);
    exray_slot_free(slot);
    exray_log_close(log);
    free(b.data);
}

/* ---- Summaries and indexes -------------------------------------------------------- */

/* A summary whose CRC is right and whose offsets are not. */
static void test_lying_summary(void **state)
{
    (void)state;
    bytes plain = small_log(true, false);
    uint64_t offsets[] = {
        0, 1, 8, plain.size - 1, plain.size, plain.size + 13, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        bytes b = {0}, summary = {0};
        put(&b, plain.data, plain.size);
        for (int n = 0; n < 100; n++)
            put_chunk_index(&summary, offsets[i], UINT64_MAX);
        put_end(&b, summary);
        assert_true(try_bytes(b, NULL) >= 6);
        free(b.data);
    }
    free(plain.data);
}

/* Chunk indexes that overlap, and lead back to what was read: no byte is read
 * over and over. */
static void test_cyclic_summary(void **state)
{
    (void)state;
    bytes b = {0}, summary = {0}, records = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, "/input/x");
    /* A private record that holds thousands of chunk headers, each claiming all
     * that follows. */
    enum { NESTED = 3000, HEADER = 9 + 8 + 8 + 8 + 4 + 4 + 8 };
    uint64_t start = b.size + 9;
    for (uint64_t i = 0; i < NESTED; i++) {
        uint64_t rest = (NESTED - i - 1) * HEADER;
        put_chunk_index(&summary, start + i * HEADER, 1);
        put_number(&records, 0x06, 1);
        put_number(&records, rest + HEADER - 9, 8);
        put_number(&records, 0, 16);
        put_number(&records, rest, 8);
        put_number(&records, 0, 4);
        put_text(&records, "");
        put_number(&records, rest, 8);
    }
    put_record(&b, 0x90, records);
    put_end(&b, summary);
    uint64_t damaged = 0;
    assert_int_equal(try_bytes(b, &damaged), 0);
    assert_true(damaged >= 1 && damaged < 10);
    free(b.data);
}

/* A summary that says other things of a channel than the data. */
static void test_contradicting_channels(void **state)
{
    (void)state;
    bytes b = {0}, summary = {0}, records = {0};
    put_header(&b, "exray");
    put_channel(&records, 1, "/input/x");
    put_channel(&records, 1, "/layer/3");
    put_message(&records, 1, 1, pb_tensor(0, three, 3));
    put_chunk(&b, records, right_chunk(records));
    put_channel(&summary, 1, "/output/y");
    put_end(&b, summary);
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    assert_non_null(log);
    assert_true(exray_log_damaged(log) > 0);
    assert_int_equal(exray_log_frame(log, 0)->record_count, 1);
    exray_log_close(log);
    free(b.data);
}

/* Message indexes are not used, so they cannot lead astray. */
static void test_lying_message_index(void **state)
{
    (void)state;
    bytes b = small_log(true, false), index = {0};
    put_number(&index, 1, 2);
    put_number(&index, 16, 4);
    put_number(&index, UINT64_MAX, 8);
    put_number(&index, UINT64_MAX, 8);
    put_record(&b, 0x07, index);
    uint64_t damaged = 0;
    assert_int_equal(try_bytes(b, &damaged), 6);
    assert_int_equal(damaged, 0);
    free(b.data);
}

static void test_footer_that_points_anywhere(void **state)
{
    (void)state;
    bytes b = small_log(true, true);
    for (uint64_t start = 0; start <= b.size + 8; start++) {
        uint8_t *field = b.data + b.size - 8 - 20;
        for (int i = 0; i < 8; i++)
            field[i] = (uint8_t)(start >> (8 * i));
        assert_int_equal(try_bytes(b, NULL), 6);
    }
    free(b.data);
}

/* ---- Messages --------------------------------------------------------------------- */

/* Nodes within nodes, deeper than anybody builds. */
static void test_deep_model(void **state)
{
    (void)state;
    bytes node = {0};
    for (int depth = 0; depth < 2000; depth++) {
        bytes outer = {0};
        pb_message(&outer, 7, node);
        node = outer;
    }
    bytes model = {0}, b = {0};
    pb_message(&model, 8, node);
    put_header(&b, "exray");
    put_channel(&b, 1, "/model");
    put_message(&b, 1, 1, model);
    uint64_t damaged = 0;
    assert_int_equal(try_bytes(b, &damaged), 0);
    assert_int_equal(damaged, 1);
    free(b.data);
}

/* Positions beyond the table of tensors come out as "absent". */
static void test_positions_beyond_the_table(void **state)
{
    (void)state;
    bytes model = {0}, tensor = {0}, node = {0}, b = {0};
    pb_bytes(&tensor, 1, "only", 4);
    pb_message(&model, 7, tensor);
    pb_number(&node, 3, 0);
    pb_number(&node, 3, 1);
    pb_number(&node, 4, 77);
    pb_number(&node, 4, UINT64_MAX);
    pb_message(&model, 8, node);
    pb_number(&model, 9, 5);
    pb_number(&model, 9, 0);
    pb_number(&model, 10, 0xFFFFFFFF);
    put_header(&b, "exray");
    put_channel(&b, 1, "/model");
    put_channel(&b, 2, "/layer/0");
    put_message(&b, 1, 1, model);
    put_message(&b, 2, 2, (bytes){0});
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    const exray_model *m = exray_log_model(log);
    assert_non_null(m);
    assert_int_equal(m->nodes[0].inputs[0], 0);
    assert_int_equal(m->nodes[0].inputs[1], EXRAY_NO_INDEX);
    assert_int_equal(m->nodes[0].outputs[0], EXRAY_NO_INDEX);
    assert_int_equal(m->nodes[0].outputs[1], EXRAY_NO_INDEX);
    assert_int_equal(m->input_count, 1);
    assert_int_equal(m->output_count, 0);
    assert_string_equal(exray_node_name(m, 0), "");
    assert_string_equal(exray_node_name(m, 1), "");
    read_everything(log);
    exray_log_close(log);
    free(b.data);
}

static void test_groups(void **state)
{
    (void)state;
    /* A group (an old kind of field) is passed over; one without an end is bad. */
    static const uint8_t whole[] = {0x08, 7, 0x7B, 0x08, 9, 0x7B, 0x7C, 0x7C};
    for (size_t size = 0; size <= sizeof whole; size++) {
        bytes b = {0}, message = {0};
        put(&message, whole, size);
        put_header(&b, "exray");
        put_channel(&b, 1, "/input/x");
        put_message(&b, 1, 1, message);
        exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
        bool good = size == 0 || size == 2 || size == sizeof whole;
        assert_int_equal(exray_log_frame_count(log), good ? 1 : 0);
        assert_int_equal(exray_log_damaged(log), good ? 0 : 1);
        if (good)
            assert_int_equal(exray_log_frame(log, 0)->index, size ? 7 : 0);
        exray_log_close(log);
        free(b.data);
    }
}

/* A flipped bit of a frame's number, in a chunk that only tensors are in, makes
 * no frame: the chunk is checked because the number is odd. */
static void test_no_ghost_frames(void **state)
{
    (void)state;
    bytes b = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, "/input/x");
    put_channel(&b, 3, "/frame");
    for (uint64_t f = 0; f < 3; f++) {
        bytes records = {0}, end = {0};
        put_message(&records, 1, 10 * f + 1, pb_tensor(f, three, 3));
        chunk_fields fields = right_chunk(records);
        if (f == 1)
            records.data[9 + 22 + 1] ^= 0x40; /* the frame's number: 1 becomes 65 */
        put_chunk(&b, records, fields);
        put_message(&end, 3, 10 * f + 3, pb_frame(f, 10 * f, 10 * f + 3));
        put_chunk(&b, end, right_chunk(end));
    }
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    assert_int_equal(exray_log_frame_count(log), 3);
    assert_int_equal(exray_log_damaged(log), 1);
    assert_int_equal(exray_log_frame(log, 1)->record_count, 1); /* its /frame */
    exray_log_close(log);
    free(b.data);
}

/* Nobody pays for a damaged tensor before it is read; then it is an error. */
static void test_damaged_tensor_is_found_when_read(void **state)
{
    (void)state;
    bytes b = {0}, records = {0}, end = {0};
    put_header(&b, "exray");
    put_channel(&b, 1, "/input/x");
    put_channel(&b, 3, "/frame");
    put_message(&records, 1, 1, pb_tensor(0, three, 3));
    chunk_fields fields = right_chunk(records);
    records.data[records.size - 1] ^= 1;
    put_chunk(&b, records, fields);
    put_message(&end, 3, 3, pb_frame(0, 0, 3));
    put_chunk(&b, end, right_chunk(end));
    exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
    const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, "x");
    assert_non_null(record);
    assert_int_equal(exray_log_damaged(log), 0);
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    exray_error error;
    for (int i = 0; i < 2; i++) {
        assert_int_equal(exray_log_read_tensor(log, record, slot, &view, &error), EXRAY_E_FORMAT);
        assert_non_null(strstr(error.message, "CRC"));
        assert_int_equal(exray_log_damaged(log), 1);
    }
    exray_slot_free(slot);
    exray_log_close(log);
    free(b.data);
}

/* A chunk cut short within a frame that is whole: nothing makes the reader look at
 * its CRC before a tensor of it is read. */
static void test_cut_chunk_of_a_whole_frame(void **state)
{
    (void)state;
    for (uint64_t padding = 0; padding < 4; padding++) { /* so that the data lies at every alignment */
        bytes b = {0}, records = {0}, pad = {0};
        put_header(&b, "exray");
        put_channel(&b, 1, "/input/x");
        put_channel(&b, 3, "/frame");
        put_message(&b, 3, 3, pb_frame(0, 0, 3));
        put_number(&pad, 0, (size_t)padding);
        put_record(&records, 0x80, pad); /* of an unknown kind */
        put_message(&records, 1, 1, pb_tensor(0, three, 3));
        chunk_fields fields = right_chunk(records);
        fields.size = fields.stored = 1 << 20;
        size_t at = b.size;
        put_chunk(&b, records, fields);
        b.data[at + 1 + 2] = 0x7F; /* the record's length, beyond the file */
        assert_int_equal(try_bytes(b, NULL), 1);
        free(b.data);
    }
}

/* A tensor without elements has no data field; its chunk is still checked. */
static void test_empty_tensor_in_an_unchecked_chunk(void **state)
{
    (void)state;
    for (int broken = 0; broken < 2; broken++) {
        bytes b = {0}, records = {0}, end = {0};
        put_header(&b, "exray");
        put_channel(&b, 1, "/input/x");
        put_channel(&b, 3, "/frame");
        bytes tensor = {0}, info = {0};
        pb_number(&tensor, 1, 0);
        pb_number(&info, 2, EXRAY_DTYPE_FLOAT32);
        pb_number(&info, 3, 0);
        pb_message(&tensor, 2, info);
        put_message(&records, 1, 1, tensor);
        chunk_fields fields = right_chunk(records);
        fields.crc ^= broken ? 1 : 0;
        put_chunk(&b, records, fields);
        put_message(&end, 3, 3, pb_frame(0, 0, 3));
        put_chunk(&b, end, right_chunk(end));
        exray_log *log = xr_log_open_bytes(b.data, b.size, "test.mcap", NULL);
        exray_slot *slot = exray_slot_new();
        exray_tensor_view view;
        const float *values = NULL;
        exray_error error;
        const exray_record *record = exray_log_find(log, 0, EXRAY_KIND_INPUT, EXRAY_NO_INDEX, 0, "x");
        assert_non_null(record);
        assert_int_equal(exray_log_read_values(log, record, slot, &view, &values, &error),
                         broken ? EXRAY_E_FORMAT : EXRAY_OK);
        if (!broken) {
            /* Whoever goes on summing the chunk at the data must find it there. */
            assert_in_range((uintptr_t)view.data, (uintptr_t)b.data, (uintptr_t)(b.data + b.size));
            assert_int_equal(view.count, 0);
        }
        exray_slot_free(slot);
        exray_log_close(log);
        free(b.data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sound),
        cmocka_unit_test(test_every_beginning),
        cmocka_unit_test(test_every_bit),
        cmocka_unit_test(test_every_byte),
        cmocka_unit_test(test_huge_lengths),
        cmocka_unit_test(test_index_is_bounded),
        cmocka_unit_test(test_bombs),
        cmocka_unit_test(test_message_bomb),
        cmocka_unit_test(test_lying_summary),
        cmocka_unit_test(test_cyclic_summary),
        cmocka_unit_test(test_contradicting_channels),
        cmocka_unit_test(test_lying_message_index),
        cmocka_unit_test(test_footer_that_points_anywhere),
        cmocka_unit_test(test_deep_model),
        cmocka_unit_test(test_positions_beyond_the_table),
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_no_ghost_frames),
        cmocka_unit_test(test_damaged_tensor_is_found_when_read),
        cmocka_unit_test(test_cut_chunk_of_a_whole_frame),
        cmocka_unit_test(test_empty_tensor_in_an_unchecked_chunk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
