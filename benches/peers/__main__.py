"""`python -m peers`: measures, checks that all did the same work, and prints one report in Markdown."""

from __future__ import annotations

import sys

from . import report, settings
from .agreement import DisagreementError
from .certificates.measure import measure as certificates
from .noise.measure import measure as noise
from .smoothing.measure import measure as smoothing

MEASURES = {"smoothing": smoothing, "noise": noise, "certificates": certificates}


def tell(what: str) -> None:
    """Progress, apart from the report."""
    print(f"peers: {what}", file=sys.stderr, flush=True)


def main() -> None:
    chosen = settings.parse()
    print(f"## smoothtopk beside its peers\n\n{report.machine(chosen.threads)}.")
    print(
        f"Medians (and quartiles) of {chosen.rounds} slices of at least {chosen.seconds:g} s (less for noise and "
        "certificates), taken in turn in one run; ratios are taken slice by slice."
    )
    for part in chosen.parts:
        for piece in MEASURES[part](chosen, tell):
            print(f"\n{piece}", flush=True)


if __name__ == "__main__":
    try:
        main()
    except DisagreementError as error:
        sys.exit(f"peers: {error}")
