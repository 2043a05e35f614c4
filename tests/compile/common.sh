# shellcheck shell=bash
# common.sh: what the scripts of this folder share; to be sourced from the top of the tree.
. tests/report.sh
# shellcheck disable=SC2034 # used by the scripts
here=tests/compile
export LC_ALL=C

warnings_both='-Wall -Wextra -Wpedantic -Werror -Wshadow -Wconversion -Wsign-conversion -Wdouble-promotion -Wundef
    -Wcast-align'
warnings_c="$warnings_both -Wstrict-prototypes -Wmissing-prototypes"
warnings() { case $1 in *++*) echo "$warnings_both" ;; *) echo "$warnings_c" ;; esac; }
language() { case $1 in *++*) echo '-x c++' ;; *) echo '-x c' ;; esac; }

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

have() { command -v "$1" >/dev/null 2>&1; }
usage() { # script
    sed -n 's/^# usage: /usage: /p' "$here/$1" >&2
    exit 2
}
accepts() { # compiler, flags...: does the compiler know them?
    local cc=$1
    shift
    "$cc" "$@" -x c -c /dev/null -o "$tmp/probe.o" >/dev/null 2>&1
}
[ -f lftflow.h ] || { bad "there is no lftflow.h: make lftflow.h"; finish; exit 1; }
