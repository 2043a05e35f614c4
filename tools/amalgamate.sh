#!/bin/sh
# usage: tools/amalgamate.sh [--check | --where LINE]
# Joins src/lftflow.h and the parts that its lists src/*_rooms.h include into ./lftflow.h. With --check nothing is written: exit status 1 if
# ./lftflow.h is stale. With --where, says which part and line became LINE of lftflow.h.
#
# The root's LFT_P_PHASE says which sections of each part are copied. A part's leading comment goes with the section
# that is copied first in each room; text outside of the sections is an error. Of the root's leading comment the first
# line is kept, of a list's none. A list is read once per phase, and conditions that nothing of the phase stands under
# are left out.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

usage() { sed -n 's/^# usage: /usage: /p' tools/amalgamate.sh >&2; exit 2; }
case "$# ${1-}" in
"0 " | "1 --check") ;;
"2 --where") case $2 in '' | *[!0-9]*) usage ;; esac ;;
*) usage ;;
esac

map=$(mktemp)
trap 'rm -f "$map" "$map.h"' EXIT
trap 'exit 1' HUP INT TERM

# Every line of the result, after its origin and a tab.
awk -v root=src/lftflow.h '
function fail(message) { print "amalgamate: " message > "/dev/stderr"; exit 1 }
function put(origin, text) { # never two blank lines, and none at either end
    if (text == "" && waiting) { wait(origin, text); return }
    if (text == "") { gap = origin; return }
    release()
    if (gap != "" && started) print gap "\t"
    print origin "\t" text
    gap = ""; started = 1
}
function wait(origin, text) { # of a list: for what stands under it
    origins[++waiting] = origin; conditions[waiting] = text; depths[waiting] = depth
}
function release(   n, i) {
    n = waiting; waiting = 0
    for (i = 1; i <= n; ++i) put(origins[i], conditions[i])
}
function condition(origin, text,   opened) { # #if, #elif, #else, #endif of a list
    if (text ~ /^#if/) ++depth
    if (text !~ /^#endif/) { wait(origin, text); return }
    for (; waiting && depths[waiting] == depth; --waiting) opened = conditions[waiting] ~ /^#if/
    --depth
    if (!opened) put(origin, text)
}
function banner(origin, text) {
    while (length(text) < 117) text = text "-"
    put(origin, ""); put(origin, text " */")
}
function copy(name, from,   path, line, n, status, comment, last, section, opened, copied, i) {
    path = "src/" name
    while ((status = (getline line < path)) > 0) {
        if (++n == 1 && line !~ /^\/\*/) fail(path ":1: a part opens with a comment that says what it is for")
        if (!last) {
            comment[n] = line
            if (line ~ /\*\/$/) last = n
        } else if (section == "" && line ~ /^#if LFT_P_PHASE == LFT_P_(DECLARATIONS|CODE)$/) {
            section = substr(line, 20); opened = n
            if (section != phase) continue
            if (!copied++) banner(from, "/* ---- " name ", " (phase == "LFT_P_CODE" ? "code" : "declarations") " ")
            if (!seen[room, name]++) for (i = 1; i <= last; ++i) put(path ":" i, comment[i])
            put(path ":" n, "")
        } else if (section != "" && line == "#endif /* " section " */") {
            section = ""
        } else if (line ~ /LFT_P_PHASE|^#endif \/\* LFT_P_(DECLARATIONS|CODE) \*\//) {
            fail(path ":" n ": unexpected section marker: " line)
        } else if (line ~ /^ *# *include *"/) {
            fail(path ":" n ": only the root includes parts: " line)
        } else if (section == phase) {
            put(path ":" n, line)
        } else if (section == "" && line != "") {
            fail(path ":" n ": text outside of the sections: " line)
        }
    }
    close(path)
    if (status < 0) fail(from ": there is no part " path)
    if (section != "") fail(path ":" opened ": its end marker \"#endif /* " section " */\" is missing")
    put(path ":" n, "")
}
function list(path,   line, word, at, n, status, closed) {
    while ((status = (getline line < path)) > 0) {
        at = path ":" ++n
        if (!closed) {
            closed = sub(/ *\*\/$/, "", line)
            if (path != root || n > 1) continue
            put(at, line)
            put(at, " * Generated from src/ by tools/amalgamate.sh: do not edit, change the parts and run it again. */")
        } else if (line ~ /^#(define|undef) LFT_P_PHASE/) {
            split(line, word, " +"); phase = word[3]
        } else if (line ~ /^#include "/) {
            split(line, word, "\"")
            if (word[2] ~ /_rooms\.h$/) list("src/" word[2])
            else copy(word[2], at)
        } else if (path != root && line ~ /^#(if|el|endif)/) {
            condition(at, line)
        } else if (line !~ /^#define LFT_P_(DECLARATIONS|CODE) /) {
            if (line ~ /^\/\* ---- /) ++room
            put(at, line)
        }
    }
    close(path)
    if (status < 0) fail("there is no " path)
}
BEGIN { list(root) }' >"$map"
cut -f 2- "$map" >"$map.h"

case "${1-}" in
--where)
    sed -n "$2p" "$map" | cut -f 1 | grep . || {
        echo "amalgamate: lftflow.h has only $(wc -l <"$map") lines" >&2
        exit 1
    }
    ;;
--check)
    [ -f lftflow.h ] || { echo "amalgamate: there is no lftflow.h: run tools/amalgamate.sh" >&2; exit 1; }
    cmp -s "$map.h" lftflow.h || {
        line=$(diff "$map.h" lftflow.h | sed -n '1s/^\([0-9]*\).*/\1/p')
        echo "amalgamate: lftflow.h is stale (first difference near line $line," \
            "from $(sed -n "${line:-1}p" "$map" | cut -f 1)): run tools/amalgamate.sh" >&2
        exit 1
    }
    ;;
*) cat "$map.h" >lftflow.h ;;
esac
