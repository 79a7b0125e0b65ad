"""A diffusion model's UNet as a denoiser in one step.

Carlini et al., "(Certified!!) Adversarial Robustness for Free!", ICLR 2023, algorithm 1. Noise of sigma on pixels in
[0, 1] is noise of 2 sigma on the UNet's [-1, 1], which the schedule has at one of its steps.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Literal, Union

import numpy as np
import numpy.typing as npt

from . import _graph
from ._errors import InvalidArgumentError
from ._model import Model

# The products of alphas, falling, or one of the two that are used most: 1,000 linear betas (Ho et al.), and the cosine
# of 4,000 steps (Nichol and Dhariwal).
Schedule = Union[Literal["linear", "cosine"], Sequence[float], npt.NDArray[Any]]


def diffusion_step(schedule: Schedule, sigma: float) -> tuple[int, float]:
    """The first step of a schedule whose noise is at least sigma on pixels in [0, 1], and its product of alphas.

    Raises:
        InvalidArgumentError: the schedule has no such step, or is none.
    """
    products = _products(schedule)
    if not sigma > 0:
        raise InvalidArgumentError(f"must be above 0, not {sigma}", "sigma")
    enough = np.sqrt((1 - products) / products) >= 2 * sigma
    if not enough.any():
        most = float(np.sqrt((1 - products[-1]) / products[-1]) / 2)
        raise InvalidArgumentError(f"has no step with so much noise: {most:.4g} at most, not {sigma}", "schedule")
    step = int(enough.argmax())
    return step, float(products[step])


def diffusion_denoiser(
    unet: Model,
    schedule: Schedule,
    sigma: float,
    *,
    predicts: Literal["epsilon", "v"] = "epsilon",
    out: str | os.PathLike[str] | None = None,
) -> Any:
    """Makes a denoiser of a diffusion model's UNet, for `compose`: noisy pixels on [0, 1] in, denoised ones out.

    Args:
        unet: a model of two inputs, the noisy image [batch, channels, height, width] on [-1, 1] and the step (a scalar,
            [1] or [batch]), as a path, bytes or `onnx.ModelProto`. Where it gives twice the channels, the second half
            (a learned variance) is left out.
        schedule: "linear" (1,000 steps), "cosine" (4,000), or the products of alphas of each step (`alphas_cumprod`).
        sigma: of the noise, on pixels in [0, 1]: certify at this one.
        predicts: what the UNet was trained to give.
        out: where the model is written; None: nowhere.

    Returns:
        The `onnx.ModelProto`.

    Raises:
        NotFoundError, ModelError, InvalidArgumentError: with the field.
    """
    if predicts not in ("epsilon", "v"):
        raise InvalidArgumentError(f'must be "epsilon" or "v", not {predicts!r}', "predicts")
    step, product = diffusion_step(schedule, sigma)
    [model] = _graph.same_opset([_graph.load(unet, "unet")])
    image, time = _inputs(model)
    shape, float32 = _graph.dims(image), 1
    chain = _graph.Chain(image.name, float32, shape)
    signal, noise = np.sqrt(product), np.sqrt(1 - product)
    # u = sqrt(product) (2 x - 1)
    chain.then("Mul", chain.numbers(2 * signal))
    chain.then("Sub", chain.numbers(signal))
    scaled = chain.at
    chain.cast(_graph.kind(image))
    chain.model(model, "unet/", {time.name: _step(chain, time, step)})
    chain.cast(float32)
    if shape[1] is not None:
        # Of twice as many channels the first half.
        bounds = [chain.constant(np.array([value], np.int64)) for value in (0, shape[1], 1)]
        chain.then("Slice", *bounds)
    if predicts == "epsilon":
        chain.then("Mul", chain.numbers(noise))
        chain.at = chain.node("Sub", scaled, chain.at)
        chain.then("Div", chain.numbers(signal))
    else:
        chain.then("Mul", chain.numbers(noise))
        chain.at = chain.node("Sub", chain.node("Mul", scaled, chain.numbers(signal)), chain.at)
    chain.then("Clip", chain.numbers(-1.0), chain.numbers(1.0))
    chain.then("Add", chain.numbers(1.0))
    chain.then("Mul", chain.numbers(0.5))
    from onnx import helper

    made = helper.make_tensor_value_info(chain.at, float32, ["batch" if shape[0] is None else shape[0], *shape[1:]])
    return _graph.save(chain.finish([made], ["denoised"]), out)


def _inputs(model: Any) -> tuple[Any, Any]:
    """The image and the step."""
    found = _graph.inputs(model)
    images = [value for value in found if len(_graph.dims(value)) == 4]
    if len(found) != 2 or len(images) != 1:
        names = ", ".join(f"{value.name} {_graph.dims(value)}" for value in found)
        raise InvalidArgumentError(f"must have two inputs, an image and a step, and has {names}", "unet")
    [time] = [value for value in found if value.name != images[0].name]
    return images[0], time


def _step(chain: _graph.Chain, time: Any, step: int) -> str:
    """The step, in the type and shape that the UNet reads."""
    from onnx import helper

    element, shape = helper.tensor_dtype_to_np_dtype(_graph.kind(time)), _graph.dims(time)
    if len(shape) > 1:
        raise InvalidArgumentError(f"has a step of shape {shape}: it must be a scalar, [1] or [batch]", "unet")
    if not shape or shape[0] is not None:
        return chain.constant(np.full([1] * len(shape), step, element))
    # One for each row.
    batch = chain.node("Shape", chain.at, start=0, end=1)
    return chain.node("Expand", chain.constant(np.full(1, step, element)), batch)


def _products(schedule: Schedule) -> npt.NDArray[np.float64]:
    if isinstance(schedule, str):
        if schedule == "linear":
            betas = np.linspace(1e-4, 0.02, 1000)
        elif schedule == "cosine":
            ends = np.cos((np.arange(4001) / 4000 + 0.008) / 1.008 * np.pi / 2) ** 2
            betas = np.minimum(1 - ends[1:] / ends[:-1], 0.999)
        else:
            raise InvalidArgumentError(
                f'must be "linear", "cosine" or the products of alphas, not {schedule!r}', "schedule"
            )
        return np.asarray(np.cumprod(1 - betas), np.float64)
    products = np.asarray(schedule, np.float64)
    falling = products.ndim == 1 and products.size > 0 and (np.diff(products) <= 0).all()
    if not (falling and products[0] < 1 and products[-1] > 0):
        raise InvalidArgumentError("must be products of alphas: between 0 and 1, falling", "schedule")
    return products
