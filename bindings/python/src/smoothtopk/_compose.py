"""A denoiser and a classifier as one model, so that a classifier which never saw noise can be certified.

Salman et al., "Denoised Smoothing", NeurIPS 2020; Carlini et al., "(Certified!!) Adversarial Robustness for Free!",
ICLR 2023.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from . import _graph
from ._errors import InvalidArgumentError
from ._model import Model


def compose(
    denoiser: Model,
    classifier: Model,
    *,
    out: str | os.PathLike[str] | None = None,
    predicts: Literal["image", "noise"] = "image",
    mean: Sequence[float] | None = None,
    std: Sequence[float] | None = None,
    resize: Literal["linear", "cubic", "nearest"] = "linear",
) -> Any:
    """Puts a denoiser before a classifier: one ONNX model that classifies what the denoiser makes of a noisy image.

    The smoothed classifier of it is certified as any other: nothing is assumed of the denoiser. Certify it at the sigma
    that the denoiser was trained for. Types are cast between the two (a float16 denoiser before a float32 classifier),
    and sizes of images resized. Operators are brought to the newest version that either uses.

    Args:
        denoiser: a model of one input, [batch, channels, height, width] or any shape that the classifier takes, on the
            scale of the noise: path, bytes or `onnx.ModelProto`. Its first output is taken.
        classifier: a model of one input; its outputs are those of the whole, by their names.
        out: where the model is written; None: nowhere. Weights beyond 2 GB lie beside it.
        predicts: what the denoiser gives: the "image", or the "noise" in it (DnCNN), which is taken away.
        mean, std: what the classifier wants taken off and divided by, a number for each channel; do not give them to
            `SmoothedClassifier` too, which would apply them before the denoiser.
        resize: how images are brought to the classifier's size, where both sizes are known and differ.

    Returns:
        The `onnx.ModelProto`.

    Raises:
        NotFoundError, ModelError: a model cannot be read or converted.
        InvalidArgumentError: what does not fit together, with the field.
    """
    front, back = _graph.same_opset([_graph.load(denoiser, "denoiser"), _graph.load(classifier, "classifier")])
    image, read = _graph.only_input(front, "denoiser"), _graph.only_input(back, "classifier")
    shape, wanted = _graph.dims(image), _graph.dims(read)
    if shape[:1] == [None] and wanted:
        shape[0] = wanted[0]
    elif wanted[:1] not in ([None], shape[:1]):
        message = f"takes batches of {wanted[0]} and the denoiser of {shape[0]}: export either with an open batch"
        raise InvalidArgumentError(message, "classifier")
    chain = _graph.Chain(image.name, _float32(), shape)
    chain.cast(_graph.kind(image))
    noisy = chain.at
    chain.model(front, "denoiser/")
    if predicts == "noise":
        chain.at = chain.node("Sub", noisy, chain.at)
    elif predicts != "image":
        raise InvalidArgumentError(f'must be "image" or "noise", not {predicts!r}', "predicts")
    # What its output declares, or else what goes in.
    made = [given if known is None else known for known, given in zip(chain.shape, shape)]
    made = made if len(made) == len(shape) else shape
    chain.cast(_float32())
    _resize(chain, made, wanted, resize)
    _normalise(chain, wanted, mean, std)
    chain.cast(_graph.kind(read))
    part = chain.model(back, "classifier/")
    names = [value.name for value in back.graph.output]
    if image.name in names:
        raise InvalidArgumentError(f"has an output of the name of the denoiser's input, {image.name}", "classifier")
    return _graph.save(chain.finish(list(part.graph.output), names), out)


def _float32() -> int:
    from onnx import TensorProto

    return int(TensorProto.FLOAT)


def _resize(chain: _graph.Chain, made: list[int | None], wanted: list[int | None], how: str) -> None:
    if len(made) != len(wanted):
        raise InvalidArgumentError(f"takes {wanted}, and the denoiser gives {made}", "classifier")
    if len(made) == 4 and None not in made[2:] + wanted[2:] and made[2:] != wanted[2:]:
        if how not in ("linear", "cubic", "nearest"):
            raise InvalidArgumentError(f'must be "linear", "cubic" or "nearest", not {how!r}', "resize")
        sizes = chain.constant(np.array(wanted[2:], np.int64))
        smooth = {} if how == "nearest" else {"antialias": 1}
        chain.then("Resize", "", "", sizes, axes=[2, 3], mode=how, **smooth)
        made = made[:2] + wanted[2:]
    for axis, (has, takes) in enumerate(zip(made, wanted)):
        if axis and None not in (has, takes) and has != takes:
            raise InvalidArgumentError(f"takes {wanted}, and the denoiser gives {made}", "classifier")


def _normalise(
    chain: _graph.Chain, wanted: list[int | None], mean: Sequence[float] | None, std: Sequence[float] | None
) -> None:
    for operator, name, values in [("Sub", "mean", mean), ("Div", "std", std)]:
        if values is None:
            continue
        numbers = np.asarray(values, np.float64)
        channels = wanted[1] if len(wanted) > 1 else None
        if numbers.ndim != 1 or len(numbers) not in (1, channels or len(numbers)) or not np.isfinite(numbers).all():
            raise InvalidArgumentError(f"must be a number for each of {channels} channels", name)
        if name == "std" and not (numbers > 0).all():
            raise InvalidArgumentError("must be above 0", name)
        chain.then(operator, chain.numbers(numbers.reshape((1, -1) + (1,) * (len(wanted) - 2))))
