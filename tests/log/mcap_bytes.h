/* Builds MCAP files and protobuf messages byte by byte, right or wrong ones, for
 * the tests of the log reader. */
#ifndef MCAP_BYTES_H
#define MCAP_BYTES_H

#include <exray/codecs.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

static inline void put(bytes *b, const void *data, size_t size)
{
    b->data = realloc(b->data, b->size + size + 1);
    if (size)
        memcpy(b->data + b->size, data, size);
    b->size += size;
}

static inline void put_number(bytes *b, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = i < 8 ? (uint8_t)(value >> (8 * i)) : 0;
        put(b, &byte, 1);
    }
}

static inline void put_text(bytes *b, const char *text)
{
    put_number(b, strlen(text), 4);
    put(b, text, strlen(text));
}

static inline void put_record(bytes *b, uint8_t opcode, bytes content)
{
    put_number(b, opcode, 1);
    put_number(b, content.size, 8);
    put(b, content.data, content.size);
    free(content.data);
}

static inline void put_header(bytes *b, const char *profile)
{
    bytes c = {0};
    put(b, "\x89MCAP0\r\n", 8);
    put_text(&c, profile);
    put_text(&c, "test");
    put_record(b, 0x01, c);
}

static inline void put_channel(bytes *b, uint16_t id, const char *topic)
{
    bytes c = {0};
    put_number(&c, id, 2);
    put_number(&c, 0, 2); /* no schema */
    put_text(&c, topic);
    put_text(&c, "protobuf");
    put_number(&c, 0, 4);
    put_record(b, 0x04, c);
}

static inline void put_message(bytes *b, uint16_t channel, uint64_t time, bytes message)
{
    bytes c = {0};
    put_number(&c, channel, 2);
    put_number(&c, 0, 4);
    put_number(&c, time, 8);
    put_number(&c, time, 8);
    put(&c, message.data, message.size);
    free(message.data);
    put_record(b, 0x05, c);
}

/* A chunk of uncompressed records with a right CRC, but for what is changed. */
typedef struct chunk_fields {
    uint64_t size, stored;
    uint32_t crc;
    const char *compression;
} chunk_fields;

static inline chunk_fields right_chunk(bytes records)
{
    return (chunk_fields){records.size, records.size,
                          exray_codec_default()->crc32(0, records.data, records.size), ""};
}

static inline void put_chunk(bytes *b, bytes records, chunk_fields fields)
{
    bytes c = {0};
    put_number(&c, 0, 8);
    put_number(&c, 0, 8);
    put_number(&c, fields.size, 8);
    put_number(&c, fields.crc, 4);
    put_text(&c, fields.compression);
    put_number(&c, fields.stored, 8);
    put(&c, records.data, records.size);
    free(records.data);
    put_record(b, 0x06, c);
}

static inline void put_chunk_index(bytes *b, uint64_t offset, uint64_t length)
{
    bytes c = {0};
    put_number(&c, 0, 16);
    put_number(&c, offset, 8);
    put_number(&c, length, 8);
    put_number(&c, 0, 4);
    put_number(&c, 0, 8);
    put_text(&c, "");
    put_number(&c, 0, 16);
    put_record(b, 0x08, c);
}

/* DataEnd, the summary's records, footer with a right CRC, magic. */
static inline void put_end(bytes *b, bytes summary)
{
    bytes none = {0};
    put_number(&none, 0, 4);
    put_record(b, 0x0F, none);
    uint64_t start = summary.size ? b->size : 0;
    size_t covered = b->size;
    put(b, summary.data, summary.size);
    free(summary.data);
    put_number(b, 0x02, 1);
    put_number(b, 20, 8);
    put_number(b, start, 8);
    put_number(b, 0, 8);
    put_number(b, start ? exray_codec_default()->crc32(0, b->data + covered, b->size - covered) : 0, 4);
    put(b, "\x89MCAP0\r\n", 8);
}

/* Protobuf fields. */
static inline void pb_varint(bytes *b, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put_number(b, value | 0x80, 1);
    put_number(b, value, 1);
}

static inline void pb_number(bytes *b, uint32_t field, uint64_t value)
{
    pb_varint(b, (uint64_t)field << 3);
    pb_varint(b, value);
}

static inline void pb_bytes(bytes *b, uint32_t field, const void *data, size_t size)
{
    pb_varint(b, (uint64_t)field << 3 | 2);
    pb_varint(b, size);
    put(b, data, size);
}

static inline void pb_message(bytes *b, uint32_t field, bytes message)
{
    pb_bytes(b, field, message.data, message.size);
    free(message.data);
}

/* Tensor: frame, float32 shape [count], data. */
static inline bytes pb_tensor(uint64_t frame, const float *values, size_t count)
{
    bytes t = {0}, info = {0};
    pb_number(&info, 2, EXRAY_DTYPE_FLOAT32);
    pb_number(&info, 3, count);
    pb_number(&t, 1, frame);
    pb_message(&t, 2, info);
    pb_bytes(&t, 3, values, count * sizeof *values);
    return t;
}

/* Frame: index, begin, end. */
static inline bytes pb_frame(uint64_t index, uint64_t begin, uint64_t end)
{
    bytes f = {0};
    pb_number(&f, 1, index);
    pb_number(&f, 4, begin);
    pb_number(&f, 5, end);
    return f;
}

#endif
