#!/bin/bash
# usage: tools/hygiene.sh
# What can be said about the tree without running it: the form of the sources, and what lftflow.h leaves behind in a
# file that includes it. One line per check; the reasons stand below a failed one.
# shellcheck disable=SC2016 # the quoted $ are awk's
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
CC=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
export LC_ALL=C

# Tracked files, or all of them where this is no git tree.
{ git ls-files 2>/dev/null || find . -type f ! -path './build/*' ! -path './.git/*' | sed 's|^\./||'; } |
    while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done >"$tmp/files"
select_files() { grep -E "$1" "$tmp/files" >"$tmp/selected"; }
# awk over the selected files; with none there is nothing to read and nothing to report
over() { if [ -s "$tmp/selected" ]; then xargs awk "$@" <"$tmp/selected"; fi >"$tmp/log"; }

# ---- form ------------------------------------------------------------------------------------------------------------
select_files '\.(c|h|cpp|py|sh|js|html|css)$|^\.ci/run$'
over '/\t/ { print FILENAME ":" FNR ": tab" } /\r/ { print FILENAME ":" FNR ": carriage return" }
      / $/ { print FILENAME ":" FNR ": blank at the end of the line" }'
expect_empty "sources: no tabs, carriage returns, trailing blanks" "$tmp/log"

select_files '^(src|examples|tests)/.*\.[ch]$'
over '{ line = $0; gsub(/[\200-\277]/, "", line) } # UTF-8: count characters
      length(line) > 132 { print FILENAME ":" FNR ": " length(line) " columns" }'
expect_empty "sources: lines of at most 132 columns" "$tmp/log"

select_files '^src/.*\.h$'
xargs wc -l <"$tmp/selected" | awk '$2 != "total" && $1 > 500 { print $2 ": " $1 " lines" }' >"$tmp/long"
awk '$2 > 900' "$tmp/long" >"$tmp/log"
expect_empty "src: parts of at most 900 lines" "$tmp/log"
awk '$2 <= 900 { print "         note: " $0 ", more than 500" }' "$tmp/long"

select_files '^(lftflow\.h|src/lftflow\.h|examples/[^/]*\.[ch])$'
while read -r f; do
    head -n 5 "$f" | grep -q 'SPDX-License-Identifier: MIT-0' || echo "$f"
done <"$tmp/selected" >"$tmp/log"
expect_empty "SPDX line in the header, its root and the examples" "$tmp/log"

select_files '.'
grep -vx 'CHANGELOG.md' "$tmp/selected" | tr '\n' '\0' |
    xargs -0 grep -nIiE 'TO[D]O|FIX[M]E|X[X]X|not [i]mplemented|place[h]older' >"$tmp/log" # brackets: not itself
expect_empty "no words that must not ship" "$tmp/log"

# ---- names and conditions in the parts -------------------------------------------------------------------------------
# Comments and strings are blanked, then every identifier is looked at. What compilers and systems define is allowed.
select_files '^src/.*\.h$'
over '
FNR == 1 { comment = 0 }
{
    line = $0; text = ""
    while (line != "") {
        if (comment) {
            end = index(line, "*/"); if (!end) break
            line = substr(line, end + 2); comment = 0
        } else if (match(line, /"([^"\\]|\\.)*"|\/\*|\/\//)) {
            text = text substr(line, 1, RSTART - 1) " "
            what = substr(line, RSTART, 2); line = substr(line, RSTART + RLENGTH)
            if (what == "//") break
            if (what == "/*") comment = 1
        } else { text = text line; break }
    }
    gsub(/## *[A-Za-z0-9_]*/, " ", text)
    gsub(/[^A-Za-z0-9_]+/, " ", text)
    n = split(text, word, " ")
    for (i = 1; i <= n; ++i) {
        w = word[i]
        if (w ~ /^(__[A-Za-z0-9_]*__|__builtin_[a-z0-9_]*|__cplusplus|__asm|__restrict|__ARM_[A-Z_]*)$/) continue
        if (w ~ /^(_OPENMP|_MSC_VER|_WIN32|_Pragma)$/) continue
        if (w ~ /^(u?int(8|16|32|64|ptr|max)_t|size_t|ptrdiff_t)$/) continue
        if (w ~ /^_/ || w ~ /__/ || w ~ /[a-z0-9]_t$/) print FILENAME ":" FNR ": " w
    }
}'
expect_empty "src: no reserved identifiers, none that ends with _t" "$tmp/log"

# A function body stands between braces in the first column.
over '/^[{]/ { inside = 1 } /^[}]/ || FNR == 1 { inside = 0 }
      /^ *# *(el)?if.*[^A-Z_]LFT_(GROUP|DIM)([^A-Z_]|$)/ {
          if (inside) print FILENAME ":" FNR ": inside a function: " $0
          else if (FILENAME !~ /src\/(instance_rooms|09_instance|3[0-9]_[a-z0-9_]*)\.h$/)
              print FILENAME ":" FNR ": only in group rooms: " $0
      }'
expect_empty "src: no #if on group or dimension outside of the group rooms" "$tmp/log"

# ---- what the header leaves behind -----------------------------------------------------------------------------------
if [ -f lftflow.h ]; then
    sed -n 's/^# *include *<.*/&/p' lftflow.h | sort -u >"$tmp/system.c"
    echo '#include "lftflow.h"' >"$tmp/common.c"
    instance() { # name, dimension, real
        printf '#define LFT_%s\n' "NAME $1" "GROUP LFT_SCALAR" "DIM $2" "REAL LFT_$3"
        echo '#include "lftflow.h"'
    }
    { instance one_2d 2 F32; instance two_3d 3 F64; } >"$tmp/instances.c"
    macros() { "$CC" -I. -dM -E "$@" | sed 's/^#define \([A-Za-z0-9_]*\).*/\1/' | sort -u; }
    macros "$tmp/system.c" >"$tmp/system" 2>"$tmp/errors"
    macros "$tmp/common.c" >"$tmp/common" 2>>"$tmp/errors"
    macros -DLFT_IMPLEMENTATION "$tmp/instances.c" 2>>"$tmp/errors" | grep -vx LFT_IMPLEMENTATION >"$tmp/after"
    if [ -s "$tmp/errors" ]; then
        bad "lftflow.h: it can be included" "$tmp/errors"
    else
        comm -13 "$tmp/system" "$tmp/after" | grep -vE '^(LFT_|lft_)' >"$tmp/log"
        expect_empty "lftflow.h: every macro begins with LFT_ or lft_" "$tmp/log"
        # A private constant may stay: if it depended on the instance, tests/compile/two_instances.c would not compile.
        { comm -13 "$tmp/common" "$tmp/after" | grep -v '^LFT_P_[A-Z]' | sed 's/$/ survives/'
          comm -23 "$tmp/common" "$tmp/after" | sed 's/$/ is gone/'; } >"$tmp/log"
        expect_empty "lftflow.h: no parameter or alias of an instance survives it" "$tmp/log"
    fi
    for mode in IMPLEMENTATION STATIC; do
        if ! "$CC" -I. -c "-DLFT_$mode" "$tmp/instances.c" -o "$tmp/instances.o" 2>"$tmp/log"; then
            bad "lftflow.h: compiles with LFT_$mode" "$tmp/log"
            continue
        fi
        # Mach-O puts a _ before each name.
        nm -g "$tmp/instances.o" | awk '$2 ~ /^[A-TV-Z]$/ { print $3 }' | sed 's/^_//' >"$tmp/symbols"
        if [ $mode = STATIC ]; then
            expect_empty "lftflow.h: LFT_STATIC exports nothing" "$tmp/symbols"
        else
            grep -vE '^(one_2d|two_3d)_' "$tmp/symbols" >"$tmp/log"
            [ -s "$tmp/symbols" ] || echo "no external symbol at all" >"$tmp/log"
            expect_empty "lftflow.h: every external symbol begins with the instance's name" "$tmp/log"
        fi
    done
else
    skip "lftflow.h: names left behind" "there is no lftflow.h"
fi
finish
