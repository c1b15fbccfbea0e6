#!/usr/bin/env bash
# Formatting, clang-tidy, the arrows between the rooms, file lengths.
set -euo pipefail
cd "$(dirname "$0")/.."
status=0
say() { echo "lint: $*"; status=1; }

mapfile -t c_files < <(git ls-files '*.c' '*.h' | grep -v 'schema_fds')

clang-format --dry-run -Werror "${c_files[@]}" || say "formatting differs; run make format"

# Nothing over 800 lines.
while read -r lines file; do
    [ "$file" = total ] || [ "$lines" -le 800 ] || say "$file has $lines lines; is there a second subject in it?"
done < <(wc -l "${c_files[@]}" $(git ls-files '*.py' '*.sh'))

# forbid FOLDER PATTERN WHY: no #include of PATTERN below FOLDER.
forbid() {
    local hits
    hits=$(grep -rnE "#include +[\"<]($2)" "$1" --include='*.c' --include='*.h' || true)
    [ -z "$hits" ] || { echo "$hits"; say "$3"; }
}
forbid src/core '(\.\./|host/|engines/|checks/|report/|cli/|exray/(log|assertion|tflite|litert|onnxruntime|codecs)\.h)' "core includes only itself and exray/{exray,types}.h"
forbid src/models '.*(host/|engine|checks/|report/|cli/)' "model files know core only"
forbid src/host '.*(tflite|litert|onnx|ort)[^"]*\.h' "host includes no engine's own header"
forbid src/host '(\.\./)*(checks|report|validate|cli)/' "host does not know checks, report, validate, cli"
forbid src/checks '.*(host|compare/|log/|report|cli|engine)' "checks see the public headers only"
forbid src/report '.*(cli/|validate|engine|pipeline/|log/|replay/|isolate/)' "report knows checks, compare and the public headers"
forbid src/validate '(.*/)?(cli|replay|log|tflite|litert|onnxruntime)/' "validate drives engines through engine.h, and knows nothing of cli and replay"
forbid src/engines '.*(host/|checks/|report/|validate/|cli/|pipeline/)' "engines know core and models only"

# Every C file of the program that the build knows.
if [ -f build/compile_commands.json ]; then
    mapfile -t sources < <(git ls-files 'src/*.c')
    printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -n 6 clang-tidy --quiet -p build 2>/dev/null || say "clang-tidy has findings"
fi
[ $status -eq 0 ] && echo "lint: clean"
exit $status
