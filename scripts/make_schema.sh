#!/bin/sh
# Writes src/core/encode/schema_fds.h: schema/exray.proto as the FileDescriptorSet that
# every log carries; and src/cli/export/foxglove_schema_fds.h: schema/foxglove, for
# `exray export --foxglove`.  Run it after a change of a schema; needs protoc and python3.
#   usage: scripts/make_schema.sh [OUTPUT [FOXGLOVE_OUTPUT]]
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
binary=$(mktemp)
trap 'rm -f "$binary"' EXIT

# write_header FOLDER FILE NAME OUTPUT: NAME is the array's, and in capitals the guard's.
write_header() {
    protoc --proto_path="$root/schema/$1" --include_imports --descriptor_set_out="$binary" "$2"
    [ -n "$1" ] || python3 "$root/scripts/shorten_schema.py" "$binary"
    {
        printf '/* Written by scripts/make_schema.sh from schema/%s%s: do not edit. */\n' "$1" "$2"
        guard=$(printf '%s_H' "$3" | tr '[:lower:]' '[:upper:]')
        printf '#ifndef %s\n#define %s\n\n#include <stdint.h>\n\n' "$guard" "$guard"
        printf '/* clang-format off */\nstatic const uint8_t %s[] = {\n' "$3"
        od -An -v -tu1 -w20 "$binary" | sed -E 's/ +/ /g; s/^ /    /; s/([0-9]) /\1, /g; s/$/,/'
        printf '};\n/* clang-format on */\n\n#endif\n'
    } > "$4"
}

write_header "" exray.proto xr_schema_fds "${1:-$root/src/core/encode/schema_fds.h}"
write_header foxglove/ pictures.proto xr_foxglove_schema_fds "${2:-$root/src/cli/export/foxglove_schema_fds.h}"
