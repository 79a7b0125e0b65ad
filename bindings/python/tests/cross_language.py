#!/usr/bin/env python3
"""Counts that other languages can read, and theirs: each step writes or reads one file.

python cross_language.py sample MODEL SEED STREAM FIRST END OUT.json    samples FIRST .. END of a zero input, sigma 0.5
python cross_language.py merge A.json B.json OUT.json
python cross_language.py certify COUNTS.json LABEL K ALPHA              prints the radius, every bit of it
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from smoothtopk import Counts, SmoothedClassifier


def read(path: Path) -> Counts:
    return Counts.from_json(path.read_text())


def sample(args: argparse.Namespace) -> None:
    with SmoothedClassifier(args.model, sigma=0.5, batch=32) as g:
        samples = args.end - args.first
        counts = g.sample(np.zeros(g.element_shape), samples, first=args.first, seed=args.seed, stream=args.stream)
    args.out.write_text(counts.to_json())


def merge(args: argparse.Namespace) -> None:
    args.out.write_text((read(args.a) + read(args.b)).to_json())


def certify(args: argparse.Namespace) -> None:
    print(repr(read(args.counts).certify(args.label, args.k, alpha=args.alpha).radius))


STEPS = {
    sample: {"model": Path, "seed": int, "stream": int, "first": int, "end": int, "out": Path},
    merge: {"a": Path, "b": Path, "out": Path},
    certify: {"counts": Path, "label": int, "k": int, "alpha": float},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    steps = parser.add_subparsers(required=True)
    for step, arguments in STEPS.items():
        one = steps.add_parser(step.__name__)
        one.set_defaults(step=step)
        for name, kind in arguments.items():
            one.add_argument(name, type=kind)
    args = parser.parse_args()
    args.step(args)


if __name__ == "__main__":
    main()
