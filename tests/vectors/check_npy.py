#!/usr/bin/env python3
"""Reads an npy file with the standard library only and prints what is in it: an independent reader for the tests.

usage: check_npy.py FILE

One line: version, descr, shape, how many numbers (a complex element is two), their sum and sum of squares. It exits
with 1 and a reason if the file breaks the format."""
import ast
import math
import struct
import sys

CODE = {"f4": "f", "f8": "d", "c8": "f", "c16": "d", "u8": "Q", "i8": "q", "u4": "I", "i4": "i", "u1": "B"}


def read(path):
    """(version, descr, shape, numbers)"""
    with open(path, "rb") as file:
        raw = file.read()
    if raw[:6] != b"\x93NUMPY":
        raise ValueError("no npy file")
    start, form = (10, "<H") if raw[6] == 1 else (12, "<I")
    (length,) = struct.unpack_from(form, raw, 8)
    text = raw[start : start + length].decode("latin1")
    if (start + length) % 64 or not text.endswith("\n"):
        raise ValueError("header of %d bytes is not padded to a multiple of 64 with a newline last" % (start + length))
    header = ast.literal_eval(text.strip())
    if sorted(header) != ["descr", "fortran_order", "shape"] or header["fortran_order"] is not False:
        raise ValueError("bad header: %r" % header)
    descr, shape = header["descr"], header["shape"]
    code = CODE[descr[1:]]
    count = math.prod(shape) * (2 if descr[1] == "c" else 1)
    order = ">" if descr[0] == ">" else "<"
    if start + length + count * struct.calcsize(order + code) != len(raw):
        raise ValueError("%d bytes in the file do not fit the shape" % len(raw))
    numbers = struct.unpack_from("%s%d%s" % (order, count, code), raw, start + length)
    return "%d.%d" % (raw[6], raw[7]), descr, shape, numbers


def main():
    version, descr, shape, x = read(sys.argv[1])
    sums = (math.fsum(x), math.fsum(v * v for v in x))
    print("%s %s [%s] %d %.17g %.17g" % ((version, descr, ",".join(map(str, shape)), len(x)) + sums))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, KeyError, IndexError, SyntaxError, struct.error) as error:
        print("%s: %s" % (sys.argv[1], error), file=sys.stderr)
        sys.exit(1)
