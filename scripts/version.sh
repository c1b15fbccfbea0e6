#!/usr/bin/env bash
# The version stands in the file VERSION.  CMake and pyproject.toml read it there; the public header has a copy, for
# those who take the headers and src/core as source.
#
#   scripts/version.sh             checks that VERSION, the header and CHANGELOG.md agree (part of scripts/lint.sh)
#   scripts/version.sh 0.2.0       a release: docs/releasing.md
#   scripts/version.sh 0.3.0-dev   what is being worked on
set -euo pipefail
cd "$(dirname "$0")/.."
# The header that has it: include/exray is searched, so that it may move.
header=$(grep -lE '^#define EXRAY_VERSION +"' include/exray/*.h) \
    || { echo "version: no header defines EXRAY_VERSION" >&2; exit 1; }
form='^[0-9]+\.[0-9]+\.[0-9]+(-dev)?$'

if [ $# -gt 0 ]; then
    [[ $1 =~ $form ]] || { echo "version: '$1' is not like 0.2.0 or 0.2.0-dev" >&2; exit 2; }
    echo "$1" >VERSION
    sed -i -E "s/^(#define EXRAY_VERSION +)\"[^\"]*\"/\1\"$1\"/" "$header"
fi

version=$(cat VERSION)
status=0
wrong() { echo "version: $*" >&2; status=1; }
[[ $version =~ $form ]] || wrong "VERSION has '$version', which is not like 0.2.0 or 0.2.0-dev"
grep -qE "^#define EXRAY_VERSION +\"$version\"\$" "$header" || wrong "$header and VERSION ($version) differ; run scripts/version.sh $version"
heading=$(grep -m 1 '^## ' CHANGELOG.md)
case $version in
*-dev) wanted=("## ${version%-dev} (unreleased)" "^## ${version%-dev} \(unreleased\)\$") ;;
*) wanted=("## $version (2026-12-31)" "^## $version \([0-9]{4}-[0-9]{2}-[0-9]{2}\)\$") ;;
esac
[[ $heading =~ ${wanted[1]} ]] || wrong "CHANGELOG.md begins with '$heading', not like '${wanted[0]}'"
exit $status
