"""How long many machines take for one data set: the makespan over the ideal, for each way to deal out the examples.

    python benches/cluster/makespan.py [--machines 8,64,1000] [--examples 50000] [--failures 0.05] [--run RUN]

An example's cost is its number of samples. Without --run or --fixed it is drawn: log-normal with a median of 49, at
most n = 100,000 (500 images under `radius:0.25` had a median of 49 and a largest of 99,508), and half of the variance
of its logarithm is that of its class, whose examples follow each other as in a folder of images. With --run the costs
are those of a RUN's records, drawn from again where there are too few. A machine has so many failures an hour; each
loses the example in hand and RESTART seconds. Pieces of a split example have at most --piece samples; a rule allows
none.
"""

from __future__ import annotations

import argparse
import heapq
import json
import math
import random
from collections.abc import Iterator
from pathlib import Path

MEDIAN, SIGMA, MOST = 49, 2.47, 100_000
CLASSES = 1000
RESTART = 120.0
ROUNDS = 10


def drawn(examples: int, source: random.Random) -> list[float]:
    """Costs of examples that are sorted by class."""
    part = SIGMA / math.sqrt(2)
    of_class = [source.gauss(0, part) for _ in range(CLASSES)]
    logs = (of_class[i * CLASSES // examples] + source.gauss(0, part) for i in range(examples))
    return [min(max(MEDIAN * math.exp(log), 10), MOST) for log in logs]


def of_run(run: Path) -> list[float]:
    """Costs of a RUN's examples, in their order."""
    records = map(json.loads, (run / "records.jsonl").read_text().splitlines())
    return [record["samples_drawn"] for record in sorted(records, key=lambda record: record["index"])]


def taken(cost: float, rate: float, failures: float, source: random.Random) -> float:
    """Seconds of a machine for an example, with what its failures cost."""
    work, lost = cost / rate, 0.0
    while failures > 0 and (until := source.expovariate(failures / 3600)) < work:
        lost += until + RESTART
    return work + lost


def makespan(parts: list[list[float]], machines: int, rate: float, failures: float, source: random.Random) -> float:
    """Parts are taken in their order, each by the machine that is free first."""
    free = [0.0] * machines
    for part in parts:
        start = heapq.heappop(free)
        heapq.heappush(free, start + sum(taken(cost, rate, failures, source) for cost in part))
    return max(free)


def contiguous(costs: list[float], parts: int) -> list[list[float]]:
    return [costs[i * len(costs) // parts : (i + 1) * len(costs) // parts] for i in range(parts)]


def interleaved(costs: list[float], parts: int) -> list[list[float]]:
    return [costs[i::parts] for i in range(parts)]


def split(costs: list[float], piece: float) -> list[list[float]]:
    pieces = (math.ceil(cost / piece) for cost in costs)
    return [[cost / number] for cost, number in zip(costs, pieces) for _ in range(number)]


def ways(costs: list[float], machines: int, piece: float) -> Iterator[tuple[str, list[list[float]]]]:
    yield "contiguous, a shard a machine", contiguous(costs, machines)
    yield "interleaved, a shard a machine", interleaved(costs, machines)
    yield "contiguous, 16 shards a machine", contiguous(costs, 16 * machines)
    yield "interleaved, 16 shards a machine", interleaved(costs, 16 * machines)
    yield "pulled one by one", [[cost] for cost in costs]
    yield "pulled, long examples split", split(costs, piece)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machines", default="8,64,1000")
    parser.add_argument("--examples", type=int, default=50_000)
    parser.add_argument("--failures", type=float, default=0.05, help="of a machine, an hour")
    parser.add_argument("--rate", type=float, default=100.0, help="samples a machine draws in a second")
    parser.add_argument("--piece", type=float, default=2_000)
    parser.add_argument("--run", type=Path)
    parser.add_argument("--fixed", type=float, help="every example takes so many samples")
    args = parser.parse_args()
    machines = [int(number) for number in args.machines.split(",")]
    sums: dict[str, list[list[float]]] = {}
    ideals = [0.0] * len(machines)
    for seed in range(ROUNDS):
        source = random.Random(seed)
        if args.fixed:
            costs = [args.fixed] * args.examples
        elif args.run:
            known = of_run(args.run)
            costs = known if len(known) >= args.examples else source.choices(known, k=args.examples)
        else:
            costs = drawn(args.examples, source)
        for at, number in enumerate(machines):
            ideal = sum(costs) / args.rate / number
            ideals[at] += ideal / ROUNDS
            for name, parts in ways(costs, number, args.piece):
                cell = sums.setdefault(name, [[0.0, 0.0] for _ in machines])[at]
                for i, failures in enumerate((0.0, args.failures)):
                    cell[i] += makespan(parts, number, args.rate, failures, source) / ideal / ROUNDS
    print(
        f"{args.examples} examples, {args.rate:g} samples/s a machine, {args.failures:g} failures of a machine an hour"
    )
    print(f"| over the ideal, without and with failures | {' | '.join(f'{number} machines' for number in machines)} |")
    print(f"| --- |{' --- |' * len(machines)}")
    print(f"| ideal, seconds | {' | '.join(f'{ideal:,.0f}' for ideal in ideals)} |")
    for name, cells in sums.items():
        print(f"| {name} | {' | '.join(f'{without:.2f}, {with_:.2f}' for without, with_ in cells)} |")


if __name__ == "__main__":
    main()
