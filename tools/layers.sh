#!/bin/sh
# usage: tools/layers.sh
# A part of src/ uses only parts with lower numbers, and siblings do not know each other. For each part and phase this
# compiles the root without any other part. Siblings share the tens digit in the rooms of the groups (3x), theories (5x)
# and layers (7x); a part that has the room's own name (50_theory.h) belongs to all of them.
# CC and LFT_GROUPS ("LFT_SCALAR ...") may be set; the groups' default is what src/09_instance.h lists.
set -u
export LC_ALL=C
cd "$(dirname "$0")/.." || exit 1
. tests/report.sh
groups=${LFT_GROUPS-$(sed -n 's/.*unknown LFT_GROUP; legal values: \([^"]*\)".*/\1/p' src/09_instance.h | tr -d ,)}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# gcc would place an error in a pasted name where LFT_NAME was defined, not in the part that has it.
places=-ftrack-macro-expansion=0
"${CC:-cc}" $places -fsyntax-only -x c /dev/null 2>/dev/null || places=

# The root with its lists of parts in their places.
root=$tmp/whole.h
awk -F'"' '/^#include ".*_rooms\.h"$/ { while ((getline line < ("src/" $2)) > 0) print line; close("src/" $2); next }
    { print }' src/lftflow.h >"$root"

# The numbers ascend in each room and phase. 99_close.h may also close the private instance that 08_private.h opened.
awk -F'"' '/^#define LFT_P_PHASE/ { last = "" }
    /^#include "/ && $2 != "99_close.h" { if ($2 <= last) print FILENAME ":" FNR ": " $2 " after " last; last = $2 }
    ' "$root" >"$tmp/log"
expect_empty "layers: the root's order follows the numbers" "$tmp/log"

# The root as the part may see it. The two that open and close the private instance stay.
root_for() { # part, phase
    awk -F'"' -v part="$1" -v last="$2" '
        BEGIN { common["3"] = "group.h"; common["5"] = "theory.h"; common["7"] = "layer.h"; room = substr(part, 1, 1) }
        /^#define LFT_P_PHASE/ { phase = $0; sub(/.* /, "", phase) }
        !/^#include "/ || $2 == "08_private.h" || $2 == "99_close.h" { print; next }
        phase == "LFT_P_CODE" && last != "LFT_P_CODE" { next }
        $2 > part { next }
        $2 != part && substr($2, 1, 1) == room && (room in common) && substr($2, 4) != common[room] { next }
        { print }' "$root"
}

sed -n 's/^#include "\(.*\)"$/\1/p' "$root" | sort -u >"$tmp/parts"
for f in src/[0-9]*.h; do basename "$f"; done | sort | comm -23 - "$tmp/parts" >"$tmp/log"
expect_empty "layers: every part of src/ is in the root" "$tmp/log"
while read -r part; do
    [ -f "src/$part" ] || { bad "layers: there is no part src/$part"; continue; }
    for phase in LFT_P_DECLARATIONS LFT_P_CODE; do
        grep -q "^#if LFT_P_PHASE == $phase\$" "src/$part" || continue
        root_for "$part" "$phase" >"$tmp/root.h"
        for group in $groups; do
            for dim in 1 2 3 4; do
                [ "$dim$group" = "1${group#LFT_SCALAR}" ] && continue # gauge fields have plaquettes
                printf '#define LFT_%s\n' "NAME ${group}_${dim}d" "GROUP $group" "DIM $dim" "REAL LFT_F32" \
                    "UPTO LFT_TRAIN"
                echo '#include "root.h"'
            done
        done >"$tmp/one.c"
        name="layers: $part, $(echo "${phase#LFT_P_}" | tr '[:upper:]' '[:lower:]')"
        # An implicit declaration is only a warning in C99, and in an #if a macro that is not there yet is a 0.
        if "${CC:-cc}" -std=gnu99 -fsyntax-only ${places:+"$places"} -Werror=implicit -Werror=undef \
            -DLFT_IMPLEMENTATION -Isrc "$tmp/one.c" >"$tmp/log" 2>&1; then
            ok "$name"
        elif grep -E "^src/$part:.*error|^$tmp/.*error" "$tmp/log" | sort -u >"$tmp/errors"; [ -s "$tmp/errors" ]; then
            bad "$name" "$tmp/errors"
        else
            skip "$name" "$(sed -n 's/^src\/\([^:]*\):.*error:.*/\1/p' "$tmp/log" | sort -u | tr '\n' ' ')has errors"
        fi
    done
done <"$tmp/parts"
finish
