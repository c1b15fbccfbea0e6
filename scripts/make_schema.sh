#!/bin/sh
# Writes src/core/schema_fds.h: schema/exray.proto as the FileDescriptorSet that
# every log carries.  Run it after a change of the schema; needs protoc.
#   usage: scripts/make_schema.sh [OUTPUT]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
output=${1:-$root/src/core/schema_fds.h}
binary=$(mktemp)
trap 'rm -f "$binary"' EXIT
protoc --proto_path="$root/schema" --descriptor_set_out="$binary" exray.proto
{
    printf '/* Written by scripts/make_schema.sh from schema/exray.proto: do not edit. */\n'
    printf '#ifndef XR_SCHEMA_FDS_H\n#define XR_SCHEMA_FDS_H\n\n#include <stdint.h>\n\n'
    printf '/* clang-format off */\nstatic const uint8_t xr_schema_fds[] = {\n'
    od -An -v -tu1 -w20 "$binary" | sed -E 's/ +/ /g; s/^ /    /; s/([0-9]) /\1, /g; s/$/,/'
    printf '};\n/* clang-format on */\n\n#endif\n'
} > "$output"
