/* The schemas of the channels.  All their sets are made of the pieces of one table: each would
 * repeat most of the others. */
#include "core/encode/messages.h"
#include "core/encode/schema_fds.h"
#include "core/encode/text.h"

enum { FILE_FIELD = 1, PIECES = sizeof xr_schema_pieces / sizeof *xr_schema_pieces - 1 };

const char *xr_schema_name(xr_schema_id schema)
{
#define XR_SCHEMA_NAME(upper, name) "exray.v1." #name "\0"
    return xr_nth_text("\0" XR_SCHEMAS(XR_SCHEMA_NAME), schema < XR_SCHEMA_COUNT ? schema : XR_SCHEMA_NONE);
#undef XR_SCHEMA_NAME
}

/* A byte stands for itself or, from XR_SCHEMA_ESCAPE on, for two others (scripts/schema_pieces.py); at most
 * XR_SCHEMA_DEEPEST deep. */
static void put_unpacked(xr_sink *sink, uint8_t byte)
{
    if (byte <= XR_SCHEMA_ESCAPE) {
        xr_put_u8(sink, byte);
        return;
    }
    const uint8_t *pair = xr_schema_pairs + 2 * (size_t)(byte - XR_SCHEMA_ESCAPE - 1);
    put_unpacked(sink, pair[0]);
    put_unpacked(sink, pair[1]);
}

static void put_piece(xr_sink *sink, const uint8_t *at, const uint8_t *end)
{
    for (; at < end; at++)
        if (*at == XR_SCHEMA_ESCAPE)
            xr_put_u8(sink, *++at);
        else
            put_unpacked(sink, *at);
}

/* A FileDescriptorProto. */
static void encode_file(xr_sink *sink, const void *object)
{
    static const uint32_t sets[] = {0,
#define XR_SCHEMA_SET(upper, name) XR_SCHEMA_SET_##name,
                                    XR_SCHEMAS(XR_SCHEMA_SET)
#undef XR_SCHEMA_SET
    };
    const uint32_t set = sets[*(const xr_schema_id *)object];
    for (uint32_t i = 0; i < PIECES; i++)
        if (set >> i & 1)
            put_piece(sink, xr_schema_bytes + xr_schema_pieces[i], xr_schema_bytes + xr_schema_pieces[i + 1]);
}

void xr_encode_schema(xr_sink *sink, const void *schema)
{
    xr_pb_message(sink, FILE_FIELD, encode_file, schema);
}
