#!/usr/bin/env python3
"""Writes the golden table of the discretised Gaussian, tests/golden/discrete_gaussian.tsv.

Needs mpmath (pip install mpmath); works with 60 digits. For each sigma (the exact value of its 64-bit float) and number of
levels: the exact P(m) in units of 2^-64 for every m up to the first cell below half a unit, for some of them where there are
80 or more; the number of cells; and the exact total variation between the Gaussian and its cells rounded to units,
what the roundings leave over going to m = 0. Takes some seconds.
"""

from pathlib import Path

from mpmath import erfc, mp, mpf, nint, nstr, sqrt

OUT = Path(__file__).resolve().parent.parent / "tests" / "golden" / "discrete_gaussian.tsv"
mp.dps = 60
UNITS = mpf(2) ** 64
CASES = [(1.0, 1), (1.5, 1), (0.25, 255), (0.12, 255), (0.5, 255), (1.0, 255), (0.25, 16 * 255), (0.005, 255)]
CASES += [(63.75, 1), (3.25, 1000), (0.1, 10)]


def upper(x):
    return erfc(x / sqrt(mpf(2))) / 2


def cells(sigma, levels):
    """Exact P(0), P(1), .. in units, up to the first below a half, and the tail from there on (one side)."""
    step = 1 / (mpf(sigma) * levels)
    tails = [upper(step / 2)]
    found = [(1 - 2 * tails[0]) * UNITS]
    while True:
        m = len(found)
        tails.append(upper((m + mpf(1) / 2) * step))
        cell = (tails[-2] - tails[-1]) * UNITS
        if cell < 0.5:
            return found, tails[-2] * UNITS
        found.append(cell)


def rows():
    for sigma, levels in CASES:
        exact, tail = cells(sigma, levels)
        rounded = [nint(cell) for cell in exact]
        rounded[0] = UNITS - 2 * sum(rounded[1:])
        off = abs(rounded[0] - exact[0]) + 2 * sum(abs(r - e) for r, e in zip(rounded[1:], exact[1:])) + 2 * tail
        count = len(exact)
        yield sigma, levels, "cells", count
        yield sigma, levels, "total_variation", nstr(off / 2 / UNITS, 25)
        every = 1 if count < 80 else count // 60
        for m in sorted(set(range(0, count, every)) | {1, 2, 3, count - 2, count - 1}):
            yield sigma, levels, m, nstr(exact[m], 32)


if __name__ == "__main__":
    with open(OUT, "w", encoding="ascii") as out:
        out.write("sigma\tlevels\tm\tvalue\n")
        for row in rows():
            out.write("\t".join(map(str, row)) + "\n")
