#!/usr/bin/env python3
"""Reads a gauge file (NERSC, or ILDG in LIME) with the standard library only: an independent reader for the tests.

usage: check_gauge.py FILE

Prints the sizes, the plaquette and the link trace (Re tr / N, averaged), computed from the links, and from some sites the
last number of the first row of each link. It exits with 1 and a reason if the file breaks its format, or if a checksum,
plaquette or link trace that it states is not that of its links."""
import binascii
import re
import struct
import sys

SOME = 37  # every so many sites


def rotate(value, by):
    return ((value << by) | (value >> (32 - by))) & 0xFFFFFFFF


def nersc(raw):
    """(header by key, sizes x first, N, rows, bits, payload)"""
    end = raw.index(b"END_HEADER\n") + len(b"END_HEADER\n")
    lines = raw[:end].decode("ascii").splitlines()
    if lines[0] != "BEGIN_HEADER":
        raise ValueError("no BEGIN_HEADER")
    header = dict(re.split(" *= *", line, maxsplit=1) for line in lines[1:-1])
    kind = re.fullmatch(r"([234])D_(S?)U([1-8])_GAUGE(_(\d)x(\d))?", header["DATATYPE"])
    dim, colours = int(kind[1]), int(kind[3])
    rows = int(kind[5]) if kind[4] else 2 if colours == 3 else colours
    sizes = [int(header["DIMENSION_%d" % (k + 1)]) for k in range(dim)]
    bits = {"IEEE32BIG": 32, "IEEE64BIG": 64}[header["FLOATING_POINT"]]
    payload = raw[end:]
    words = struct.unpack(">%dI" % (len(payload) // 4), payload)
    if sum(words) & 0xFFFFFFFF != int(header["CHECKSUM"], 16):
        raise ValueError("checksum of the words is not %s" % header["CHECKSUM"])
    return header, sizes, colours, rows, bits, payload


def tag(xml, name):
    return re.search("<%s>(.*?)</%s>" % (name, name), xml)[1].strip()


def ildg(raw):
    records, at, ended = [], 0, True
    while at < len(raw):
        magic, version, flags, zero, length = struct.unpack_from(">IHBBQ", raw, at)
        if magic != 0x456789AB or version != 1 or zero:
            raise ValueError("byte %d: no LIME record" % at)
        if bool(flags & 0x80) != ended:
            raise ValueError("byte %d: wrong message flags" % at)
        ended = bool(flags & 0x40)
        name = raw[at + 16 : at + 144].rstrip(b"\0").decode("ascii")
        records.append((name, raw[at + 144 : at + 144 + length]))
        at += 144 + (length + 7) // 8 * 8
    if at != len(raw) or not ended:
        raise ValueError("the last record does not end the file and its message")
    records = dict(records)
    xml, sums = records["ildg-format"].decode("ascii"), records["scidac-checksum"].decode("ascii")
    colours = int(re.fullmatch(r"s?u(\d)gauge", tag(xml, "field"))[1])
    sizes = [int(tag(xml, key)) for key in ("lx", "ly", "lz", "lt")]
    bits, payload = int(tag(xml, "precision")), records["ildg-binary-data"]
    site = 4 * 2 * colours * colours * bits // 8
    suma = sumb = 0
    for rank in range(len(payload) // site):
        crc = binascii.crc32(payload[rank * site : (rank + 1) * site])
        suma ^= rotate(crc, rank % 29)
        sumb ^= rotate(crc, rank % 31)
    if (suma, sumb) != (int(tag(sums, "suma"), 16), int(tag(sums, "sumb"), 16)):
        raise ValueError("scidac-checksum is not %08x %08x" % (suma, sumb))
    return {}, sizes, colours, colours, bits, payload


def matrices(payload, colours, rows, bits):
    """Every link in the file's order, as rows of complex numbers"""
    numbers = struct.unpack(">%d%s" % (8 * len(payload) // bits, "d" if bits == 64 else "f"), payload)
    flat = [complex(re, im) for re, im in zip(numbers[::2], numbers[1::2])]
    for at in range(0, len(flat), rows * colours):
        u = [flat[at + colours * r : at + colours * (r + 1)] for r in range(rows)]
        if rows < colours:
            a, b = u
            u.append([(a[(c + 1) % 3] * b[(c + 2) % 3] - a[(c + 2) % 3] * b[(c + 1) % 3]).conjugate() for c in range(3)])
        yield u


def product(a, b):
    return [[sum(x * y for x, y in zip(row, column)) for column in zip(*b)] for row in a]


def main():
    with open(sys.argv[1], "rb") as file:
        raw = file.read()
    read, name = (nersc, "NERSC") if raw.startswith(b"BEGIN_HEADER\n") else (ildg, "ILDG")
    header, sizes, colours, rows, bits, payload = read(raw)
    dim = len(sizes)
    volume = 1
    for size in sizes:
        volume *= size
    links = list(matrices(payload, colours, rows, bits))
    if len(links) != volume * dim or len(payload) != volume * dim * rows * colours * 2 * bits // 8:
        raise ValueError("%d bytes of links do not fit the sizes" % len(payload))

    def coordinates(rank):
        x = []
        for size in sizes:
            x.append(rank % size)
            rank //= size
        return x

    def link(x, mu):
        rank = 0
        for size, part in reversed(list(zip(sizes, x))):
            rank = rank * size + part % size
        return links[rank * dim + mu]

    total = 0.0
    for rank in range(volume):
        x = coordinates(rank)
        for mu in range(dim):
            for nu in range(mu):
                y = [part + (k == mu) for k, part in enumerate(x)]
                z = [part + (k == nu) for k, part in enumerate(x)]
                one, two = product(link(x, mu), link(y, nu)), product(link(x, nu), link(z, mu))
                total += sum((s * t.conjugate()).real for p, q in zip(one, two) for s, t in zip(p, q))
    plaquette = total / colours / volume / (dim * (dim - 1) // 2)
    trace = sum(u[i][i].real for u in links for i in range(colours)) / colours / volume / dim
    for key, value in (("PLAQUETTE", plaquette), ("LINK_TRACE", trace)):
        if abs(float(header.get(key, value)) - value) > 1e-6 * (1 if bits == 32 else 1e-7):
            raise ValueError("%s is stated as %s, the links give %.15g" % (key, header[key], value))

    print("%s x y z t %s N %d rows %d bits %d" % (name, " ".join(map(str, sizes)), colours, rows, bits))
    print("plaquette %.9f trace %.9f" % (plaquette, trace))
    for rank in range(0, volume, SOME):
        x = coordinates(rank)
        values = " ".join("%.17g" % link(x, mu)[0][-1].imag for mu in range(dim))
        print("(x y z t) %s %s" % (" ".join(map(str, x)), values))


if __name__ == "__main__":
    try:
        main()
    except (ValueError, KeyError, IndexError, TypeError, struct.error) as error:
        print("%s: %s" % (sys.argv[1], error), file=sys.stderr)
        sys.exit(1)
