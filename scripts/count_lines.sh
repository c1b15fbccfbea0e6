#!/usr/bin/env bash
# Prints how many lines exray added to the example application; fails over 5.
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
[ "$marked" -gt 0 ] && [ "$marked" -le "$limit" ]
