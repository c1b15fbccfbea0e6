#!/bin/sh
# Writes src/core/encode/schema_fds.h: the pieces of schema/exray.proto's descriptor, from which
# the recorder makes a FileDescriptorSet for each topic (scripts/schema_pieces.py); and
# src/cli/export/foxglove_schema_fds.h: schema/foxglove as one FileDescriptorSet, for
# `exray export --foxglove`.  Run it after a change of a schema; needs protoc and python3.
#   usage: scripts/make_schema.sh [OUTPUT [FOXGLOVE_OUTPUT]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(mktemp)
trap 'rm -f "$binary"' EXIT

# whole NAME: the set as one array.
whole() {
    printf 'static const uint8_t %s[] = {\n' "$1"
    od -An -v -tu1 -w20 "$binary" | sed -E 's/ +/ /g; s/^ /    /; s/([0-9]) /\1, /g; s/$/,/'
    printf '};\n'
}

pieces() {
    python3 "$root/scripts/schema_pieces.py" "$binary"
}

# write_header FOLDER FILE NAME HOW OUTPUT: NAME, in capitals, is the guard's.
write_header() {
    protoc --proto_path="$root/schema/$1" --include_imports --descriptor_set_out="$binary" "$2"
    {
        printf '/* Written by scripts/make_schema.sh from schema/%s%s: do not edit. */\n' "$1" "$2"
        guard=$(printf '%s_H' "$3" | tr '[:lower:]' '[:upper:]')
        printf '#ifndef %s\n#define %s\n\n#include <stdint.h>\n\n' "$guard" "$guard"
        printf '/* clang-format off */\n'
        "$4" "$3"
        printf '/* clang-format on */\n\n#endif\n'
    } > "$5"
}

write_header "" exray.proto xr_schema_fds pieces "${1:-$root/src/core/encode/schema_fds.h}"
write_header foxglove/ pictures.proto xr_foxglove_schema_fds whole "${2:-$root/src/cli/export/foxglove_schema_fds.h}"
