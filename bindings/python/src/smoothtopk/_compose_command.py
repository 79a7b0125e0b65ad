"""python -m smoothtopk compose: a denoiser before a classifier."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import Literal

from ._compose import compose
from ._diffusion import diffusion_denoiser
from ._errors import SmoothTopKError


def numbers(text: str) -> list[float]:
    """Numbers with commas between them."""
    return [float(part) for part in text.split(",")]


def main(arguments: Sequence[str]) -> int:
    """Runs the command; gives its exit status."""
    parser = argparse.ArgumentParser(
        "smoothtopk compose", description="Puts a denoiser before a classifier: one ONNX model."
    )
    parser.add_argument("denoiser", help="the denoiser, or with --diffusion the UNet")
    parser.add_argument("classifier")
    parser.add_argument("-o", "--out", required=True, help="the ONNX model that is written")
    parser.add_argument(
        "--predicts",
        choices=["image", "noise", "epsilon", "v"],
        help="what the denoiser gives [image; of a UNet epsilon]",
    )
    parser.add_argument("--mean", type=numbers, metavar="R,G,B", help="what the classifier wants taken off its input")
    parser.add_argument("--std", type=numbers, metavar="R,G,B", help="what the classifier wants its input divided by")
    parser.add_argument(
        "--resize",
        choices=["linear", "cubic", "nearest"],
        default="linear",
        help="how images reach the classifier's size [linear]",
    )
    parser.add_argument(
        "--diffusion",
        choices=["linear", "cosine"],
        help="the denoiser is the UNet of a diffusion model of this schedule",
    )
    parser.add_argument("--sigma", type=float, help="with --diffusion: of the noise, on pixels in [0, 1]")
    given = parser.parse_args(arguments)
    if (given.diffusion is None) != (given.sigma is None):
        parser.error("--diffusion and --sigma go together")
    if given.predicts and (given.predicts in ("epsilon", "v")) != bool(given.diffusion):
        parser.error(f"--predicts {given.predicts} is {'not ' if given.diffusion else ''}for --diffusion")
    try:
        first = given.denoiser
        predicts: Literal["image", "noise"] = "noise" if given.predicts == "noise" else "image"
        if given.diffusion:
            first = diffusion_denoiser(first, given.diffusion, given.sigma, predicts=given.predicts or "epsilon")
        compose(
            first,
            given.classifier,
            out=given.out,
            predicts=predicts,
            mean=given.mean,
            std=given.std,
            resize=given.resize,
        )
    except (SmoothTopKError, ImportError) as error:
        print(f"smoothtopk: {error}", file=sys.stderr)
        return 1
    return 0
