#!/usr/bin/env python3
"""Reads a safetensors file with the standard library only and prints what is in it: an independent reader for tests.

usage: check_safetensors.py FILE

One line per tensor in the order of the data: name (as JSON), dtype, shape, sum and sum of squares of its numbers; then
the metadata by key; then totals. It exits with 1 and a reason if the file breaks the format."""
import json
import math
import struct
import sys

CODE = {"F64": "d", "F32": "f", "C64": "f", "U64": "Q", "I64": "q", "U32": "I", "I32": "i", "U8": "B"}
NUMBERS = {"C64": 2}


def no_duplicates(pairs):
    keys = [key for key, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("duplicate keys")
    return dict(pairs)


def read(path):
    """(header, list of (name, dtype, shape, numbers)), tensors in the order of their data."""
    with open(path, "rb") as file:
        raw = file.read()
    (length,) = struct.unpack_from("<Q", raw)
    text = raw[8 : 8 + length]
    if len(text) != length or not text.startswith(b"{"):
        raise ValueError("bad header")
    header = json.loads(text.decode("utf-8"), object_pairs_hook=no_duplicates)
    data = raw[8 + length :]
    tensors, end = [], 0
    entries = [(name, t) for name, t in header.items() if name != "__metadata__"]
    for name, t in sorted(entries, key=lambda entry: entry[1]["data_offsets"]):
        begin, stop = t["data_offsets"]
        count = math.prod(t["shape"]) * NUMBERS.get(t["dtype"], 1)
        code = CODE[t["dtype"]]
        if begin != end or stop - begin != count * struct.calcsize("<" + code):
            raise ValueError("bad offsets of " + name)
        tensors.append((name, t["dtype"], t["shape"], struct.unpack_from("<%d%s" % (count, code), data, begin)))
        end = stop
    if end != len(data):
        raise ValueError("%d bytes of data, %d in the tensors" % (len(data), end))
    if length % 8:
        print("note: header of %d bytes, the data are not aligned" % length)
    return header, tensors


def main():
    header, tensors = read(sys.argv[1])
    total = []
    for name, dtype, shape, x in tensors:
        total += x
        shape = "[" + ",".join(map(str, shape)) + "]"
        print("%s %s %s %.17g %.17g" % (json.dumps(name), dtype, shape, math.fsum(x), math.fsum(v * v for v in x)))
    for key, value in sorted(header.get("__metadata__", {}).items(), key=lambda pair: pair[0].encode()):
        print("%s = %s" % (json.dumps(key), json.dumps(value)))
    print("%d tensors, %d numbers, sum %.17g" % (len(tensors), len(total), math.fsum(total)))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, KeyError, IndexError, struct.error) as error:
        print("%s: %s" % (sys.argv[1], error), file=sys.stderr)
        sys.exit(1)
