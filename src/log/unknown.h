/* Parts of a log that this version does not know: topics, schemas, fields of known messages.  All of it is
 * skipped; this lets the reader report that, once. */
#ifndef XR_LOG_UNKNOWN_H
#define XR_LOG_UNKNOWN_H

#include "log/wire.h"

/* The messages that topics carry. */
typedef enum xr_schema {
    XR_SCHEMA_MODEL = 1,
    XR_SCHEMA_FRAME,
    XR_SCHEMA_TENSOR,
    XR_SCHEMA_LATENCY,
    XR_SCHEMA_SYSTEM,
    XR_SCHEMA_READING,
    XR_SCHEMA_RESULT,
    XR_SCHEMA_EVENT,
    XR_SCHEMA_LAYER_STATS,
} xr_schema;

enum { XR_UNKNOWN_FIELDS = 16, XR_UNKNOWN_TOPICS = 8 }; /* as many are told apart */

/* Zero it before use. */
typedef struct xr_unknown {
    struct {
        uint8_t schema; /* a row of unknown.c's table */
        uint32_t number;
    } fields[XR_UNKNOWN_FIELDS];
    uint32_t field_count;
    uint32_t topic_count; /* may be more than there is room for */
    struct {
        const char *topic;
        xr_text schema;
    } topics[XR_UNKNOWN_TOPICS];
} xr_unknown;

/* Notes a topic, which several channels may have.  Both texts are kept as they are, not copied. */
void xr_unknown_topic(xr_unknown *unknown, const char *topic, xr_text schema);

/* Notes the fields of a message, and of the messages within it, that the schema does not have. */
void xr_unknown_fields(xr_unknown *unknown, xr_schema schema, const uint8_t *data, size_t size);

/* "1 topic (/event: exray.v1.Event), 2 fields (Frame 9, TensorStats 11)"; NULL where there is nothing, or the
 * arena failed. */
const char *xr_unknown_text(const xr_unknown *unknown, xr_arena *arena);

#endif
