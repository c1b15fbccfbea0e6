/* A new MCAP file, message by message, for `exray export --foxglove`: chunks, indexes and the
 * summary are those of src/log/summary.c. */
#ifndef XR_MCAP_OUT_H
#define XR_MCAP_OUT_H

#include "log/summary.h"

/* Bytes that grow; after `failed` (out of memory) puts do nothing. */
typedef struct xr_growing {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
} xr_growing;

void xr_growing_put(xr_growing *bytes, const void *data, size_t size);
/* Little-endian. */
void xr_growing_number(xr_growing *bytes, uint64_t value, size_t size);
/* A 32-bit length and the bytes. */
void xr_growing_text(xr_growing *bytes, const char *text, size_t size);
void xr_growing_free(xr_growing *bytes);

typedef struct xr_out_channel {
    const char *topic; /* borrowed */
    uint16_t schema;
    uint32_t sequence;
} xr_out_channel;

typedef struct xr_mcap_out {
    xr_writer writer;
    xr_growing chunk;        /* the records of the next one */
    xr_index_entry *entries; /* of its messages */
    size_t count, capacity;
    xr_out_channel *channels; /* ids are positions + 1 */
    size_t channel_count, channel_capacity;
    xr_growing record; /* scratch for schemas and channels */
    bool failed;       /* out of memory */
} xr_mcap_out;

/* `file` is borrowed. */
void xr_mcap_out_begin(xr_mcap_out *out, FILE *file);
/* id: 1 and on, each once. */
void xr_mcap_out_schema(xr_mcap_out *out, uint16_t id, const char *name, const char *encoding,
                        const void *data, size_t size);
/* The channel of that topic and schema; 0: there are too many.  `encoding` is its messages'. */
uint16_t xr_mcap_out_channel(xr_mcap_out *out, const char *topic, uint16_t schema, const char *encoding);
/* A message of two parts, which stand one after the other. */
void xr_mcap_out_message(xr_mcap_out *out, uint16_t channel, uint64_t time, const xr_growing *head,
                         const void *data, size_t size);
/* Writes what is left, and the summary.  False: out of memory, or out->writer.failed (errno). */
bool xr_mcap_out_end(xr_mcap_out *out);
void xr_mcap_out_free(xr_mcap_out *out);

#endif
