#!/usr/bin/env bash
# The recorder as an application takes it: the headers, src/core and a C compiler, without CMake and without a library.
# Compiles both, records a log with them (tests/core/alone.c), and looks at its two ends.
#
#   CC (cc) and CFLAGS (-O2 -Wall -Wextra -Werror) choose the compiler; RUN=no where what it makes does not run here
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# A word list each, as in a makefile.
read -ra compiler <<<"${CC:-cc}"
read -ra flags <<<"${CFLAGS:--O2 -Wall -Wextra -Werror}"
sources=()
while IFS= read -r file; do sources+=("$file"); done < <(find src/core -name '*.c' ! -name '*template*' | sort)
"${compiler[@]}" -std=c11 "${flags[@]}" -Iinclude -Isrc tests/core/alone.c "${sources[@]}" -o "$folder/alone" -lpthread -lm
if [ "${RUN:-yes}" = yes ]; then
    "$folder/alone" "$folder/log.mcap"
    magic=$(printf '\211MCAP0\r\n' | od -An -tx1)
    [ "$(head -c 8 "$folder/log.mcap" | od -An -tx1)" = "$magic" ] && [ "$(tail -c 8 "$folder/log.mcap" | od -An -tx1)" = "$magic" ] \
        || { echo "core_alone: what it recorded is no whole MCAP file" >&2; exit 1; }
fi
echo "core_alone: ${#sources[@]} files of src/core, compiled by ${compiler[*]}: fine"
