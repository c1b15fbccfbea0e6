#!/usr/bin/env bash
# Formatting, clang-tidy, the structure (scripts/structure.py).
set -euo pipefail
cd "$(dirname "$0")/.."
build=${EXRAY_LINT_BUILD:-build} # whose objects and compile commands are read
status=0
say() { echo "lint: $*"; status=1; }

mapfile -t c_files < <(git ls-files '*.c' '*.h' '*.cpp' | grep -v 'schema_fds')

clang-format --dry-run -Werror "${c_files[@]}" || say "formatting differs; run make format"

# One version everywhere.
scripts/version.sh || say "the version is not the same everywhere"

# Public declarations say since when; their macros are tested.
scripts/public_headers.py >/dev/null || { scripts/public_headers.py || true; say "the public headers lack something"; }

# Arrows between the rooms, circles, names, sizes.
python3 scripts/structure.py "$build" || say "the structure is not as ARCHITECTURE.md has it"

# Links between the Markdown files.
scripts/check_links.py || say "a link of the docs leads nowhere"

# Every C file of the program that the build knows, and that is not as it was when it was clean.
[ ! -f "$build/compile_commands.json" ] || python3 scripts/tidy.py "$build" || say "clang-tidy has findings"
[ $status -eq 0 ] && echo "lint: clean"
exit $status
