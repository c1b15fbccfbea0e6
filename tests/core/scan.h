/* A second, small reader for the tests of the writer: uncompressed logs, whole or
 * cut short, walked record by record.  It knows the format, not the writer. */
#ifndef XR_TEST_SCAN_H
#define XR_TEST_SCAN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCAN_TOPICS = 70000, SCAN_MESSAGES = 100000 };

typedef struct scan_message {
    const char *topic; /* in `topics` */
    uint64_t log_time;
    uint32_t sequence;
    const uint8_t *data;
    size_t size;
} scan_message;

typedef struct scan {
    bool begun;    /* magic and header */
    bool complete; /* footer and magic at the end */
    size_t chunks, attachments, metadata;
    size_t chunk_indexes, message_indexes;
    scan_message *messages;
    size_t count;
    char **topics;
} scan;

static inline uint64_t scan_number(const uint8_t *at, int bytes)
{
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--)
        value = value << 8 | at[i];
    return value;
}

static inline void scan_records(scan *s, const uint8_t *at, const uint8_t *end);

static inline void scan_record(scan *s, int opcode, const uint8_t *at, size_t size)
{
    if (opcode == 0x04) {
        const size_t id = scan_number(at, 2), length = scan_number(at + 4, 4);
        if (!s->topics[id]) {
            s->topics[id] = calloc(1, length + 1);
            memcpy(s->topics[id], at + 8, length);
        }
    } else if (opcode == 0x05 && s->count < SCAN_MESSAGES) {
        const char *topic = s->topics[scan_number(at, 2)];
        s->messages[s->count++] = (scan_message){topic ? topic : "UNDECLARED", scan_number(at + 6, 8),
                                                 (uint32_t)scan_number(at + 2, 4), at + 22, size - 22};
    } else if (opcode == 0x06) {
        const size_t compression = scan_number(at + 28, 4);
        s->chunks++;
        if (compression == 0)
            scan_records(s, at + 40, at + size);
    }
    s->attachments += opcode == 0x09;
    s->metadata += opcode == 0x0C;
    s->chunk_indexes += opcode == 0x08;
    s->message_indexes += opcode == 0x07;
    s->complete = s->complete || opcode == 0x02;
}

/* Up to the last whole record. */
static inline void scan_records(scan *s, const uint8_t *at, const uint8_t *end)
{
    while (end - at >= 9) {
        const uint64_t size = scan_number(at + 1, 8);
        if (size > (uint64_t)(end - at - 9))
            return;
        scan_record(s, at[0], at + 9, (size_t)size);
        at += 9 + size;
    }
}

static inline scan scan_log(const void *bytes, size_t size)
{
    static const uint8_t magic[8] = {0x89, 'M', 'C', 'A', 'P', '0', '\r', '\n'};
    scan s = {0};
    s.messages = calloc(SCAN_MESSAGES, sizeof *s.messages);
    s.topics = calloc(SCAN_TOPICS, sizeof *s.topics);
    s.begun = size > 17 && memcmp(bytes, magic, 8) == 0 && ((const uint8_t *)bytes)[8] == 0x01;
    if (s.begun)
        scan_records(&s, (const uint8_t *)bytes + 8, (const uint8_t *)bytes + size);
    s.complete = s.complete && memcmp((const uint8_t *)bytes + size - 8, magic, 8) == 0;
    return s;
}

/* Of a file of at most 16 MiB, until the next one; without one nothing has begun. */
static inline scan scan_file(const char *path)
{
    static uint8_t bytes[16 << 20];
    FILE *file = fopen(path, "rb");
    const size_t size = file ? fread(bytes, 1, sizeof bytes, file) : 0;
    if (file)
        fclose(file);
    else
        fprintf(stderr, "there is no %s\n", path);
    return scan_log(bytes, size);
}

static inline void scan_free(scan *s)
{
    for (size_t i = 0; i < SCAN_TOPICS; i++)
        free(s->topics[i]);
    free(s->topics);
    free(s->messages);
}

/* How many messages the topic has; "/layer/" counts all that begin so. */
static inline size_t scan_count(const scan *s, const char *topic)
{
    const size_t length = strlen(topic);
    const bool prefix = length && topic[length - 1] == '/';
    size_t count = 0;
    for (size_t i = 0; i < s->count; i++)
        count += prefix ? strncmp(s->messages[i].topic, topic, length) == 0
                        : strcmp(s->messages[i].topic, topic) == 0;
    return count;
}

/* The nth message of the topic, or NULL. */
static inline const scan_message *scan_find(const scan *s, const char *topic, size_t nth)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->messages[i].topic, topic) == 0 && nth-- == 0)
            return &s->messages[i];
    return NULL;
}

/* A field of a protobuf message: its varint or fixed value, or its length, and
 * where its bytes lie.  false: absent. */
static inline bool scan_field(const uint8_t *at, size_t size, uint32_t field, uint64_t *value,
                              const uint8_t **bytes)
{
    const uint8_t *end = at + size;
    while (at < end) {
        uint64_t numbers[2] = {0, 0};
        int count = 1;
        for (int n = 0; n < count; n++) {
            for (int shift = 0; at < end; shift += 7) {
                numbers[n] |= (uint64_t)(*at & 0x7F) << shift;
                if (!(*at++ & 0x80))
                    break;
            }
            const int wire = numbers[0] & 7;
            if (n == 0 && (wire == 0 || wire == 2))
                count = 2;
        }
        const int wire = numbers[0] & 7;
        const uint8_t *content = at;
        const size_t fixed = wire == 1 ? 8 : wire == 5 ? 4 : 0;
        if (fixed)
            numbers[1] = scan_number(at, (int)fixed);
        at += fixed ? fixed : wire == 2 ? numbers[1] : 0;
        if (numbers[0] >> 3 == field) {
            *value = numbers[1];
            if (bytes)
                *bytes = content;
            return true;
        }
    }
    return false;
}

static inline bool scan_has(const scan_message *message, uint32_t field)
{
    uint64_t value;
    return message && scan_field(message->data, message->size, field, &value, NULL);
}

/* A number field; 0 where absent. */
static inline uint64_t scan_value(const scan_message *message, uint32_t field)
{
    uint64_t value;
    return message && scan_field(message->data, message->size, field, &value, NULL) ? value : 0;
}

#endif
