#!/usr/bin/env bash
# Counts what exray costs in lines: those added to the example application, and to one of each
# engine as the documentation shows it (at most 5), and those of a custom property, against the
# same checked by hand (at most 4 against what by_hand.py takes).  Fails where a limit is passed.
set -euo pipefail
cd "$(dirname "$0")/.."
limit=5
marked=$(grep -c '// exray$' examples/classify.c || true)
# A line that uses exray without the mark would be a line not counted.
unmarked=$(grep -nE 'exray_|EXRAY_|<exray/' examples/classify.c | grep -v '// exray$' || true)
echo "examples/classify.c: $marked lines added for exray (at most $limit)"
if [ -n "$unmarked" ]; then
    echo "count_lines: these lines use exray and lack the mark '// exray':" >&2
    echo "$unmarked" >&2
    exit 1
fi
[ "$marked" -gt 0 ] && [ "$marked" -le "$limit" ] || exit 1

# The same for the other engines, as docs/instrument.md shows them.
for header in tflite litert onnxruntime; do
    lines=$(awk -v header="<exray/$header.h>" '
        /^```/ { if (found) exit; block = 0; next }
        /exray/ { block++ }
        index($0, header) { found = 1 }
        END { print found ? block : 0 }' docs/instrument.md)
    echo "docs/instrument.md, exray/$header.h: $lines lines (at most $limit)"
    [ "$lines" -gt 0 ] && [ "$lines" -le "$limit" ] || exit 1
done

# marked FILE LIMIT: the lines of a Python example that are exray's.
marked() {
    local count unmarked
    count=$(grep -c '# exray$' "$1" || true)
    unmarked=$(sed '1,/"""$/d' "$1" | grep -nE '\b(exray|recorder|report)\b' | grep -v '# exray$' || true)
    echo "$1: $count lines for exray (at most $2)"
    if [ -n "$unmarked" ]; then
        echo "count_lines: these lines use exray and lack the mark '# exray':" >&2
        echo "$unmarked" >&2
        return 1
    fi
    [ "$count" -gt 0 ] && [ "$count" -le "$2" ]
}
marked examples/python/classify.py 5
marked examples/python/check.py 3

# Lines that are neither blank nor comment: of C block comments, of Python docstrings and '#'.
c_lines() { sed -e '/^\/\*/,/\*\//d' -e '/^ *\/\//d' "$1" | grep -cv '^ *$'; }
python_lines() { sed -e '/^"""/,/"""$/d' -e '/^ *#/d' "$1" | grep -cv '^ *$'; }
property_limit=4
property=$(c_lines examples/plugin/brightness.c)
by_hand=$(python_lines examples/plugin/by_hand.py)
echo "examples/plugin/brightness.c: $property lines for a property (at most $property_limit); by hand: $by_hand"
[ "$property" -gt 0 ] && [ "$property" -le "$property_limit" ] && [ "$by_hand" -gt "$property" ]
