#!/usr/bin/env python3
"""Coefficients of src/noise/normal.rs: f32 polynomials by Remez exchange in mpmath (40 digits).

Rounding to f32 goes one coefficient at a time, lowest degree first; what is left free is fitted again after each, so that
the later coefficients take up the earlier ones' rounding. Prints each polynomial with its largest relative error.

    pip install mpmath && python3 scripts/noise_coefficients.py
"""

import struct

from mpmath import cos, log, lu_solve, matrix, mp, mpf, pi, sin, sqrt

mp.dps = 40


def f32(x):
    return struct.unpack("<f", struct.pack("<f", float(x)))[0]


def remez(f, weight, a, b, fixed, degree, grid=2000):
    """Best weighted polynomial sum c_i x^i whose first len(fixed) coefficients are given; returns (coefficients, error)."""
    free = degree + 1 - len(fixed)
    low = len(fixed)

    def target(x):
        return f(x) - sum(mpf(c) * x**i for i, c in enumerate(fixed))

    def error(cs, x):
        return weight(x) * (sum(c * x ** (low + i) for i, c in enumerate(cs)) - target(x))

    n = free + 1
    nodes = [a + (b - a) * (1 - cos(pi * (2 * i + 1) / (2 * n))) / 2 for i in range(n)]
    points = [a + (b - a) * (1 - cos(pi * i / grid)) / 2 for i in range(1, grid + 1)]
    cs = []
    for _ in range(12):
        rows = matrix(n, n)
        rhs = matrix(n, 1)
        for r, x in enumerate(nodes):
            for c in range(free):
                rows[r, c] = x ** (low + c)
            rows[r, free] = (-1) ** r / weight(x)
            rhs[r] = target(x)
        solution = lu_solve(rows, rhs)
        cs = [solution[i] for i in range(free)]
        values = [error(cs, x) for x in points]
        # One extremum per run of equal sign.
        runs = []
        for x, v in zip(points, values):
            if runs and (runs[-1][1] > 0) == (v > 0):
                if abs(v) > abs(runs[-1][1]):
                    runs[-1] = (x, v)
            else:
                runs.append((x, v))
        while len(runs) > n:
            runs.pop(0 if abs(runs[0][1]) < abs(runs[-1][1]) else -1)
        if len(runs) < n:
            break
        nodes = [x for x, _ in runs]
    return cs, max(abs(error(cs, x)) for x in points)


def fit(name, f, weight, a, b, degree):
    """Fits, rounds to f32, prints; weight is applied to the polynomial's absolute error."""
    fixed = []
    best = None
    for _ in range(degree + 1):
        cs, err = remez(f, weight, a, b, fixed, degree)
        best = best or err
        fixed.append(f32(cs[0]))
    points = [a + (b - a) * mpf(i) / 4000 for i in range(1, 4001)]
    err = max(abs(weight(x) * (sum(mpf(c) * x**i for i, c in enumerate(fixed)) - f(x))) for x in points)
    print(f"{name}: degree {degree}, relative error {float(err):.2e} (unrounded {float(best):.2e})")
    for c in fixed:
        print(f"    {c!r} bits 0x{struct.unpack('<I', struct.pack('<f', c))[0]:08x}")


if __name__ == "__main__":
    half, tiny = mpf(1) / 2, mpf(10) ** -9
    for degree in (8, 9, 10):
        fit(
            "-2 ln(1-t)/t on (0, 1/2]",
            lambda t: -2 * log(1 - t) / t,
            lambda t: -t / (2 * log(1 - t)),
            tiny,
            half,
            degree,
        )
    for degree in (3, 4):
        fit(
            "sin(pi/2 v)/v in y = v^2 on [0, 1/4]",
            lambda y: sin(pi / 2 * sqrt(y)) / sqrt(y),
            lambda y: sqrt(y) / sin(pi / 2 * sqrt(y)),
            tiny,
            half / 2,
            degree,
        )
    for degree in (2, 3):
        fit(
            "(cos(pi/2 v)-1)/y in y = v^2 on [0, 1/4]",
            lambda y: (cos(pi / 2 * sqrt(y)) - 1) / y,
            lambda y: y / cos(pi / 2 * sqrt(y)),
            tiny,
            half / 2,
            degree,
        )
