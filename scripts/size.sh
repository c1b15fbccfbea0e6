#!/usr/bin/env bash
# How large the recorder is on a device: text, data, stack and memory with and without each part.  Called by `make size`;
# scripts/size.py says how each figure is measured.
set -euo pipefail
cd "$(dirname "$0")/.."
exec python3 scripts/size.py "$@"
