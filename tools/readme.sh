#!/bin/sh
# usage: tools/readme.sh [FILE]
# Runs the code blocks of README.md in a scratch copy of the tree, one after the other, each from the copy's top:
#   sh   with `set -eu`
#   c    compiled and run, or only compiled where there is no main. A block that opens with a comment and a file name,
#        as in "/* hello.c: ... */", is also saved under that name, for the blocks after it
# A block after the line <!-- skip-run: reason --> is skipped. TIMEOUT (seconds per block, 300), CC, CFLAGS may be set.
set -u
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
file=${1-README.md}
[ -f "$file" ] || { bad "readme: there is no $file"; finish; exit 1; }
CC=${CC:-cc}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# One file per block, named <number>.<language>, and its line and the reason to skip it beside it.
awk -v out="$tmp" '
    inside && /^ *```/ { inside = 0; close(block); next }
    inside { print >block; next }
    /^ *<!-- skip-run:/ { reason = $0; sub(/^ *<!-- skip-run: */, "", reason); sub(/ *-->.*/, "", reason); next }
    /^ *```/ {
        inside = 1; language = $0; sub(/^ *```/, "", language); sub(/[^a-z].*/, "", language)
        block = "/dev/null"
        if (language == "c" || language == "sh") {
            base = out "/" sprintf("%03d", ++n); block = base "." language
            printf "" >block
            print FNR >(base ".line"); close(base ".line")
            if (reason != "") { print reason >(base ".skip"); close(base ".skip") }
        }
    }
    NF { reason = "" }' "$file"

mkdir "$tmp/copy"
{ git ls-files 2>/dev/null || find . -type f ! -path './build/*' ! -path './.git/*'; } |
    while read -r f; do if [ -f "$f" ]; then echo "$f"; fi; done | tar cf - -T - | tar xf - -C "$tmp/copy"
run() { if command -v timeout >/dev/null 2>&1; then timeout "${TIMEOUT:-300}" "$@"; else "$@"; fi </dev/null; }

for block in "$tmp"/*.c "$tmp"/*.sh; do
    if [ -f "$block" ]; then echo "$block"; fi
done | sort >"$tmp/blocks"
while read -r block; do
    base=${block%.*}
    language=${block##*.}
    name="$file:$(cat "$base.line"): $language: $(grep -m 1 . "$block" | cut -c 1-70)"
    if [ "$language" = c ]; then
        save=$(sed -n '1s|^/\* *\([A-Za-z0-9_]*\.[ch]\)[: ].*|\1|p' "$block")
        if [ -n "$save" ]; then cp "$block" "$tmp/copy/$save"; fi
    fi
    if [ -f "$base.skip" ]; then
        skip "$name" "$(cat "$base.skip")"
        continue
    fi
    (
        cd "$tmp/copy" || exit 1
        if [ "$language" = sh ]; then
            run sh -eu "$block"
        elif grep -qE '(^|[^A-Za-z0-9_])main *\(' "$block"; then
            # shellcheck disable=SC2086 # CFLAGS are words
            "$CC" ${CFLAGS:--O3 -march=native -ffp-contract=fast} -Wall -Wextra -I. "$block" -o "$base.program" -lm &&
                run "$base.program"
        else
            "$CC" -Wall -Wextra -I. -c "$block" -o "$base.o"
        fi
    ) >"$base.log" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        ok "$name"
    else
        [ $status -ne 124 ] || echo "no end within the time limit" >>"$base.log"
        { echo "exit status $status"; tail -n 15 "$base.log"; } >"$base.why"
        bad "$name" "$base.why"
    fi
done <"$tmp/blocks"
finish
