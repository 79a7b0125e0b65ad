"""What a run measures, from the command line and the environment."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from .workloads import WORKLOADS

PARTS = ("smoothing", "noise", "certificates")


@dataclass(frozen=True)
class Settings:
    """Of one run.

    Attributes:
        parts: of PARTS.
        models: of WORKLOADS.
        seconds: least length of a slice; a slice never ends within a call.
        rounds: slices of each peer.
        threads: for every peer of "smoothing".
        noise_worker: the compiled worker of noise/main.rs.
    """

    parts: tuple[str, ...]
    models: tuple[str, ...]
    seconds: float
    rounds: int
    threads: int
    noise_worker: Path


def _positive(kind: type[int] | type[float], text: str) -> int | float:
    value = kind(text)
    if not value > 0:
        raise argparse.ArgumentTypeError(f"must be above 0, not {text}")
    return value


def _among(names: tuple[str, ...], text: str) -> tuple[str, ...]:
    chosen = tuple(text.replace(",", " ").split())
    unknown = [each for each in chosen if each not in names]
    if unknown or not chosen:
        raise argparse.ArgumentTypeError(f"must be of {', '.join(names)}, not {', '.join(unknown) or 'none'}")
    return chosen


def parse() -> Settings:
    """From the command line; defaults come from PEERS_PARTS, PEERS_MODELS, PEERS_SECONDS and PEERS_ROUNDS."""
    parser = argparse.ArgumentParser(prog="python -m peers", description="Measures smoothtopk beside its peers.")
    usable = len(os.sched_getaffinity(0))

    def option(name: str, default: str, **more: object) -> None:
        # A string default goes through `type`, and so does the environment.
        value = os.environ.get(f"PEERS_{name.upper()}") or default
        parser.add_argument(f"--{name}", default=value, **more)  # type: ignore[arg-type]

    option("parts", " ".join(PARTS), type=lambda text: _among(PARTS, text), help="smoothing, noise, certificates")
    models = tuple(WORKLOADS)
    option("models", " ".join(models), type=lambda text: _among(models, text), help=", ".join(models))
    option("seconds", "2", type=lambda text: _positive(float, text), help="least length of a slice")
    option("rounds", "7", type=lambda text: _positive(int, text), help="slices of each peer")
    option("threads", str(usable), type=lambda text: _positive(int, text), help="of every peer that smooths")
    parser.add_argument("--noise-worker", type=Path, required=True, help="the built example peers_noise")
    return Settings(**vars(parser.parse_args()))
