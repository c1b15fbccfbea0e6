#!/bin/sh
# Compiles a public header alone, or a source of this folder, by every compiler that is here.
#
#   compile.sh STANDARD FILE [COMPILER...]     c99, c11, c17, c++11, c++17, c++20
#
# The compilers named come first; cc's and c++'s usual names are tried as well.  Exit status 77: there is no compiler
# of that language.
set -eu
standard=$1 file=$2
shift 2
here=$(cd "$(dirname "$0")" && pwd)
case $standard in
c++*) language=c++ usual='g++ clang++' ;;
*) language=c usual='gcc clang' ;;
esac
# shellcheck disable=SC2086 # two words
set -- "$@" $usual
done=''
for compiler; do
    path=$(command -v "$compiler" 2>/dev/null) || continue
    path=$(readlink -f "$path")
    case " $done " in *" $path "*) continue ;; esac
    done="$done $path"
    case $file in
    exray/*) echo "#include <$file>" | "$compiler" -x $language -std="$standard" -fsyntax-only -pedantic-errors -Wall -Wextra -Werror \
        -I "$here/../../include" - ;;
    *) "$compiler" -x $language -std="$standard" -fsyntax-only -pedantic-errors -Wall -Wextra -Wshadow -Werror \
        -I "$here/../../include" "$here/$file" ;;
    esac
    echo "$file as $standard: $compiler"
done
[ -n "$done" ] || { echo "no compiler of $language here"; exit 77; }
