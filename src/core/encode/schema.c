/* The schemas of the channels.  All their sets are made of the pieces of one table: each would
 * repeat most of the others. */
#include "core/encode/messages.h"
#include "core/encode/schema_fds.h"

enum { FILE_FIELD = 1, PIECES = sizeof xr_schema_pieces / sizeof *xr_schema_pieces - 1 };

const char *xr_schema_name(xr_schema_id schema)
{
    static const char *const names[] = {"",
#define XR_SCHEMA_NAME(upper, name) "exray.v1." #name,
                                        XR_SCHEMAS(XR_SCHEMA_NAME)
#undef XR_SCHEMA_NAME
    };
    return names[schema < XR_SCHEMA_COUNT ? schema : XR_SCHEMA_NONE];
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
            xr_put(sink, xr_schema_bytes + xr_schema_pieces[i],
                   (size_t)(xr_schema_pieces[i + 1] - xr_schema_pieces[i]));
}

void xr_encode_schema(xr_sink *sink, const void *schema)
{
    xr_pb_message(sink, FILE_FIELD, encode_file, schema);
}
