# shellcheck shell=bash
# cli_common.sh: what the tests of the command-line programs share; to be sourced at the top of the tree, after which the working
# directory is a temporary one. use PROGRAM chooses the program: build/PROGRAM, or the one that LFT_CLI names.
. tests/report.sh
export LC_ALL=C
top=$PWD
tmp=$(mktemp -d)
child=
trap 'if [ -n "$child" ]; then kill -9 "$child" 2>/dev/null; fi; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
python=$(command -v python3)
cd "$tmp" || exit 1

use() {
    program=${LFT_CLI:-$top/build/$1}
    if [ -z "${LFT_CLI-}" ]; then
        make -s -C "$top" "build/$1" >/dev/null || { echo "0 passed, 1 failed, 0 skipped"; exit 1; }
    fi
    case $program in */*) program=$(realpath "$program") ;; esac
}
lft() { "$program" "$@" >out 2>err </dev/null; }
expect() { # case, exit status, words that stdout or stderr has, arguments...
    local name=$1 status=$2 words=$3 got
    shift 3
    lft "$@"
    got=$?
    if [ $got -eq "$status" ] && cat out err | grep -qE -e "$words"; then ok "cli: $name"
    else
        { echo "exit status $got, expected $status and '$words': $*"; tail -n 3 out err; } >why
        bad "cli: $name" why
    fi
}
same() { # case, file, file
    if cmp "$2" "$3" >why 2>&1; then ok "cli: $1"; else bad "cli: $1" why; fi
}
gone() { # case, file
    if [ -e "$2" ]; then echo "$2 is there" >why; bad "cli: $1" why; else ok "cli: $1"; fi
}
py() { # case, script, arguments...: python3 sees functions last(file) = the JSON object on its last line, and finite(x)
    local name=$1 script=$2
    shift 2
    if [ -z "$python" ]; then
        skip "cli: $name" "no python3"
        return
    fi
    if "$python" - "$@" >why 2>&1 <<EOF
import json, struct, sys, os
def no(constant): raise ValueError("not JSON: " + constant)
def loads(text): return json.loads(text, parse_constant=no)
def last(file): return loads(open(file).read().splitlines()[-1])
def finite(*x):
    for v in x: assert isinstance(v, (int, float)) and not isinstance(v, bool), v
def npy(file):
    data = open(file, "rb").read()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    n = struct.unpack("<H", data[8:10])[0]
    head = eval(data[10:10 + n].decode())
    code = {"<f4": "f", "<f8": "d"}[head["descr"]]
    count = 1
    for e in head["shape"]: count *= e
    return head["shape"], struct.unpack("<%d%s" % (count, code), data[10 + n:])
$script
EOF
    then ok "cli: $name"; else bad "cli: $name" why; fi
}
interrupted() { # case, signal, expected exit status, arguments...: as soon as it has left a checkpoint in ck
    local name=$1 signal=$2 status=$3 i got
    shift 3
    rm -f ck
    "$program" "$@" --checkpoint ck --checkpoint-every 1e-9 --json --quiet >out 2>err </dev/null &
    child=$!
    for ((i = 0; i < 400; ++i)); do
        if [ -e ck ]; then break; fi
        sleep 0.05
    done
    kill "-$signal" $child
    wait $child 2>/dev/null
    got=$?
    child=
    if [ $got -eq "$status" ] && [ -e ck ]; then ok "cli: $name"
    else
        { echo "exit status $got, expected $status"; cat out err; } >why
        bad "cli: $name" why
    fi
}
goes_on() { # case, arguments...: stopped by SIGINT, then killed, then finished, a run is what it is without all that
    local name=$1
    shift
    expect "$name: straight on" 0 '"status":"ok"' "$@" --out straight.npy --json --quiet
    cp out straight.json
    interrupted "$name: SIGINT leaves a checkpoint" INT 130 "$@" --out whole.npy
    cp ck first
    interrupted "$name: goes on, and is killed" KILL 137 "$@" --out whole.npy --resume first
    if cmp -s first ck; then bad "cli: $name: it has gone on" err; else ok "cli: $name: it has gone on"; fi
    expect "$name: goes on to its end" 0 '"status":"ok"' "$@" --out whole.npy --resume ck --json --quiet
    same "$name: the same configurations" straight.npy whole.npy
    gone "$name: no other file is left" whole.npy.part
    py "$name: the same numbers" '
a, b = last("straight.json"), last("out")
for key in "seconds samples_per_second memory_bytes out".split(): del a[key], b[key]
assert a == b, (a, b)'
}
damaged() { # case, arguments...: a finished run's checkpoint, bytes all over it changed, and cut
    local name=$1
    shift
    expect "$name: a checkpoint at the end" 0 '"status":"ok"' "$@" --checkpoint ck --json --quiet
    py "$name: damaged checkpoints" '
import subprocess
data, seen = open("ck", "rb").read(), {0: 0, 2: 0}
for turn, at in enumerate([*range(0, 3000, 20), *range(3000, len(data), len(data) // 50)]):
    for bad in (data[:at] + bytes([data[at] ^ 1 << turn % 8]) + data[at + 1:], data[:at])[:1 if turn % 8 else 2]:
        open("bad", "wb").write(bad)
        done = subprocess.run(sys.argv[1:] + ["--resume", "bad", "--quiet"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert done.returncode in seen, (at, done)
        assert done.returncode == 0 or b"bad: " in done.stderr, (at, done)
        assert len(bad) == len(data) or done.returncode == 2, (at, done)
        seen[done.returncode] += 1
assert seen[2] > 50, seen' "$program" "$@"
}
