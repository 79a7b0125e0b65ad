"""A process that does one peer's work in slices of time: `python -m peers.worker MODULE ARGUMENTS`.

MODULE, below `peers`, has a class `Task`, made from ARGUMENTS (a JSON object), with

- `about`: what it is, versions included;
- `work(**amount)`: does one call's work and returns (how much was done, what came of it);
- any other method that the parent asks for by name.

Requests and answers are lines of JSON on the standard streams. A process of its own keeps one peer's threads, memory
and libraries out of another's way; while it waits for a line it takes no processor time.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from typing import Any


def slice_of(task: Any, seconds: float, **amount: Any) -> dict[str, Any]:
    """Calls `work` until the seconds have passed: at least once, and never in part."""
    total, outcomes = 0, []
    start, cpu = time.perf_counter(), time.process_time()
    while True:
        done, outcome = task.work(**amount)
        total += done
        outcomes.append(outcome)
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            break
    found = [each for each in outcomes if each is not None]
    return {
        "work": total,
        "seconds": elapsed,
        "cpu": time.process_time() - cpu,
        "outcome": sum(found[1:], start=found[0]).tolist() if found else None,
    }


def main() -> None:
    # A library that prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    task = importlib.import_module(f"peers.{sys.argv[1]}").Task(**json.loads(sys.argv[2]))
    print(json.dumps({"about": task.about}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        name = request.pop("do")
        answer = slice_of(task, **request) if name == "slice" else getattr(task, name)(**request)
        print(json.dumps(answer), file=answers)


if __name__ == "__main__":
    main()
