#include "core/host/series_head.h"

#include "core/port/port.h"

typedef struct entry {
    xr_head_kind kind;
    uint32_t channel, sequence;
    uint64_t log_time, create_time;
    uint64_t name_size, type_size; /* of texts that follow, each with its NUL */
    uint64_t size;                 /* of what follows those */
} entry;

/* ---- Keeping ---- */

/* Encoders write a few bytes at a time. */
typedef struct head_sink {
    xr_sink sink;
    xr_series_head *head;
    uint8_t bytes[4096];
    size_t used;
} head_sink;

static void flush(head_sink *s)
{
    xr_series_head *head = s->head;
    size_t written;
    if (!head->incomplete && s->used && xr_port_write(head->handle, s->bytes, s->used, &written))
        head->incomplete = true;
    head->size += s->used;
    s->used = 0;
}

static void head_write(xr_sink *sink, const void *data, size_t size)
{
    head_sink *s = (head_sink *)sink;
    const uint8_t *at = data;
    while (size) {
        const size_t room = sizeof s->bytes - s->used, part = size < room ? size : room;
        memcpy(s->bytes + s->used, at, part);
        s->used += part;
        at += part;
        size -= part;
        if (s->used == sizeof s->bytes)
            flush(s);
    }
}

static uint64_t text_size(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

static void put_text(xr_sink *sink, const char *text)
{
    if (text)
        xr_put(sink, text, strlen(text) + 1);
}

static void keep_message(head_sink *s, const xr_message *m)
{
    const entry e = {.kind = XR_HEAD_MESSAGE,
                     .channel = m->channel,
                     .sequence = m->sequence,
                     .log_time = m->log_time,
                     .size = m->size};
    xr_put(&s->sink, &e, sizeof e);
    xr_mcap_put_content(&s->sink, m);
}

static void keep_attachment(head_sink *s, const xr_attachment_record *a)
{
    const entry e = {.kind = XR_HEAD_ATTACHMENT,
                     .log_time = a->log_time,
                     .create_time = a->create_time,
                     .name_size = text_size(a->name),
                     .type_size = text_size(a->media_type),
                     .size = a->size};
    xr_put(&s->sink, &e, sizeof e);
    put_text(&s->sink, a->name);
    put_text(&s->sink, a->media_type);
    xr_put(&s->sink, a->data, a->size);
}

static void keep_metadata(head_sink *s, const xr_metadata_record *m)
{
    const entry e = {.kind = XR_HEAD_METADATA, .name_size = text_size(m->name), .size = m->pairs_size};
    xr_put(&s->sink, &e, sizeof e);
    put_text(&s->sink, m->name);
    xr_mcap_put_pairs(&s->sink, m);
}

void xr_series_head_keep(xr_series_head *head, xr_head_kind kind, const void *record)
{
    head_sink s = {.sink = {head_write, 0}, .head = head};
    if (head->handle < 0 || head->incomplete)
        return;
    switch (kind) {
    case XR_HEAD_MESSAGE:
        keep_message(&s, record);
        break;
    case XR_HEAD_ATTACHMENT:
        keep_attachment(&s, record);
        break;
    case XR_HEAD_METADATA:
        keep_metadata(&s, record);
        break;
    }
    flush(&s);
}

/* ---- Writing it again ---- */

static void write_again(xr_mcap *mcap, const entry *e, const uint8_t *at)
{
    const char *name = (const char *)at;
    const uint8_t *content = at + e->name_size + e->type_size;
    const xr_message message = {.channel = e->channel,
                                .sequence = e->sequence,
                                .log_time = e->log_time,
                                .size = (size_t)e->size,
                                .head = content,
                                .head_size = (size_t)e->size};
    const xr_attachment_record attachment = {.name = name,
                                             .media_type = e->type_size ? name + e->name_size : NULL,
                                             .data = content,
                                             .size = (size_t)e->size,
                                             .log_time = e->log_time,
                                             .create_time = e->create_time};
    const xr_metadata_record metadata = {.name = name, .encoded = content, .pairs_size = (size_t)e->size};
    switch (e->kind) {
    case XR_HEAD_MESSAGE:
        xr_mcap_message(mcap, &message);
        break;
    case XR_HEAD_ATTACHMENT:
        xr_mcap_attachment(mcap, &attachment);
        break;
    case XR_HEAD_METADATA:
        xr_mcap_metadata(mcap, &metadata);
        break;
    }
}

void xr_series_head_write(xr_series_head *head, xr_mcap *mcap)
{
    uint8_t *bytes = head->handle < 0 || !head->size ? NULL : xr_port_map(head->handle, (size_t)head->size);
    uint64_t at = 0;
    entry e;
    while (bytes && sizeof e <= head->size - at) {
        memcpy(&e, bytes + at, sizeof e);
        at += sizeof e;
        const uint64_t size = e.name_size + e.type_size + e.size;
        if (size > head->size - at)
            break; /* the disk was full */
        write_again(mcap, &e, bytes + at);
        at += size;
    }
    if (bytes)
        xr_port_unmap(bytes, (size_t)head->size);
}
