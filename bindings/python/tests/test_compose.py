"""A denoiser before a classifier, compared with NumPy and with the two run one after the other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from smoothtopk import (
    InvalidArgumentError,
    ModelError,
    NotFoundError,
    SmoothedClassifier,
    compose,
    diffusion_denoiser,
    diffusion_step,
)

from conftest import LIMIT

SIGMAS = (0.12, 0.25, 0.5, 1.0)
RNG = np.random.default_rng(5)


def graph(nodes: list[Any], given: list[Any], output: Any, constants: dict[str, Any], opset: int = 19) -> Any:
    """A model whose tensors have the names that everyone takes."""
    tensors = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    made = helper.make_graph(nodes, "g", given, [output], tensors)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=9)


def image(name: str, *shape: Any, kind: int = TensorProto.FLOAT) -> Any:
    return helper.make_tensor_value_info(name, kind, list(shape))


def halves(kind: int = TensorProto.FLOAT, opset: int = 19, batch: Any = "N", output_size: Any = 8) -> Any:
    """A denoiser that halves its input."""
    half = np.asarray(0.5, helper.tensor_dtype_to_np_dtype(kind))
    given, made = image("x", batch, 3, 8, 8, kind=kind), image("y", batch, 3, output_size, output_size, kind=kind)
    return graph([helper.make_node("Mul", ["x", "w"], ["y"])], [given], made, {"w": half}, opset)


W = RNG.standard_normal((3 * 8 * 8, 4)).astype(np.float32)


def linear(size: int = 8, opset: int = 19, batch: Any = "N", kind: int = TensorProto.FLOAT) -> Any:
    """A classifier of four labels."""
    weights = W[: 3 * size * size].astype(helper.tensor_dtype_to_np_dtype(kind))
    nodes = [helper.make_node("Flatten", ["x"], ["f"]), helper.make_node("MatMul", ["f", "w"], ["y"])]
    given, made = image("x", batch, 3, size, size, kind=kind), image("y", batch, 4, kind=kind)
    return graph(nodes, [given], made, {"w": weights}, opset)


def run(model: Any, x: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    [given], [made] = session.get_inputs(), session.run(None, {session.get_inputs()[0].name: x})
    assert given.type == "tensor(float)"
    return np.asarray(made)


X = RNG.random((5, 3, 8, 8), np.float32)


@pytest.mark.parametrize("predicts", ["image", "noise"])
def test_one_reads_what_the_other_makes(predicts: Any) -> None:
    mean, std = np.array([0.4, 0.5, 0.6]), np.array([0.2, 0.25, 0.5])
    whole = compose(halves(), linear(), predicts=predicts, mean=mean.tolist(), std=std.tolist())
    assert [value.name for value in whole.graph.output] == ["y"] and whole.graph.input[0].name == "x"
    clean = (X / 2 - mean.reshape(1, 3, 1, 1)) / std.reshape(1, 3, 1, 1)
    np.testing.assert_allclose(run(whole, X), clean.reshape(5, -1) @ W, rtol=1e-4, atol=1e-4)


def test_types_operators_and_batches_are_brought_together() -> None:
    expected = (X / 2).reshape(5, -1) @ W
    half = compose(halves(TensorProto.FLOAT16, opset=13), linear(opset=20))
    assert half.opset_import[0].version == 20
    np.testing.assert_allclose(run(half, X), expected, rtol=0.01, atol=0.02)
    fixed = compose(halves(batch=5), linear())
    np.testing.assert_allclose(run(fixed, X), expected, rtol=1e-4, atol=1e-4)
    assert fixed.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 5
    other = compose(halves(), linear(batch=5, kind=TensorProto.FLOAT16))
    assert other.graph.input[0].type.tensor_type.shape.dim[0].dim_value == 5
    np.testing.assert_allclose(run(other, X), expected, rtol=0.01, atol=0.1)


@pytest.mark.parametrize("declared", [8, "size"])
def test_images_are_resized(declared: Any) -> None:
    whole = compose(halves(output_size=declared), linear(4), resize="nearest")
    np.testing.assert_allclose(run(whole, X), (X / 2)[:, :, ::2, ::2].reshape(5, -1) @ W[:48], rtol=1e-4, atol=1e-4)
    even = np.full((1, 3, 8, 8), 0.6, np.float32)
    for how in ("linear", "cubic"):
        answer = run(compose(halves(), linear(4), resize=how), even)  # type: ignore[arg-type]
        np.testing.assert_allclose(answer, np.full((1, 48), 0.3) @ W[:48], rtol=1e-4, atol=1e-4)


def test_the_whole_is_certified(tmp_path: Path) -> None:
    compose(halves(), linear(), out=tmp_path / "whole.onnx", mean=[0.5], std=[0.25])
    with SmoothedClassifier(tmp_path / "whole.onnx", sigma=0.25) as g:
        [certificate] = [g.certify(X[0], n=2000, seed=1)]
        assert certificate.counts.labels.sum() == 2000 and g.element_shape == (3, 8, 8)
    # The same by the command.
    halves_at, linear_at = tmp_path / "halves.onnx", tmp_path / "linear.onnx"
    onnx.save(halves(), halves_at)
    onnx.save(linear(), linear_at)
    command = [sys.executable, "-m", "smoothtopk", "compose", halves_at, linear_at, "-o", tmp_path / "again.onnx"]
    command += ["--mean", "0.5", "--std", "0.25"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=LIMIT)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert (tmp_path / "again.onnx").read_bytes() == (tmp_path / "whole.onnx").read_bytes()
    done = subprocess.run([*map(str, command[:-4]), "--sigma", "1"], capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 2 and "--diffusion" in done.stderr
    halves_at.unlink()
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=LIMIT)
    assert done.returncode == 1 and done.stderr.startswith("smoothtopk: denoiser: "), done.stderr


def test_what_does_not_fit_is_refused() -> None:
    for arguments, field, says in [
        ({"predicts": "x0"}, "predicts", "noise"),
        ({"std": [0.5, 0.0, 1.0]}, "std", "above 0"),
        ({"mean": [0.5, 0.5]}, "mean", "3 channels"),
        ({"classifier": unet([])}, "classifier", "one input"),
        ({"classifier": linear(4), "resize": "area"}, "resize", "linear"),
        ({"denoiser": halves(batch=2), "classifier": linear(batch=3)}, "classifier", "batches of 3"),
    ]:
        with pytest.raises(InvalidArgumentError, match=says) as caught:
            compose(**{"denoiser": halves(), "classifier": linear(), **arguments})  # type: ignore[arg-type]
        assert caught.value.field == field
    with pytest.raises(NotFoundError):
        compose("no/such.onnx", linear())
    with pytest.raises(ModelError, match="ONNX"):
        compose(halves(), b"nonsense")


# Diffusion models.


def test_steps_are_those_of_the_papers() -> None:
    assert [diffusion_step("linear", sigma)[0] for sigma in SIGMAS] == [70, 145, 259, 396]
    assert [diffusion_step("cosine", sigma)[0] for sigma in SIGMAS] == [573, 1158, 1984, 2809]
    for schedule in ("linear", "cosine"):
        for sigma in SIGMAS:
            _, product = diffusion_step(schedule, sigma)  # type: ignore[arg-type]
            assert 2 * sigma <= np.sqrt((1 - product) / product) < 2 * sigma * 1.03


def unet(
    step_shape: list[Any], kind: int = TensorProto.FLOAT, channels: int = 3, steps: int = TensorProto.INT64
) -> Any:
    """Gives 0.5 x + step/1000, and of more channels than 3 some that mean nothing."""
    nodes = [
        helper.make_node("Mul", ["x", "half"], ["h"]),
        helper.make_node("Cast", ["t"], ["f"], to=kind),
        helper.make_node("Mul", ["f", "milli"], ["m"]),
        helper.make_node("Reshape", ["m", "column"], ["c"]),
        helper.make_node("Add", ["h", "c"], ["e"]),
        helper.make_node("Concat", ["e"] * (channels // 3), ["y"], axis=1),
    ]
    number = helper.tensor_dtype_to_np_dtype(kind)
    constants = {
        "half": np.asarray(0.5, number),
        "milli": np.asarray(0.001, number),
        "column": np.array([-1, 1, 1, 1], np.int64),
    }
    given = [image("x", "N", 3, 8, 8, kind=kind), image("t", *step_shape, kind=steps)]
    return graph(nodes, given, image("y", "N", channels, 8, 8, kind=kind), constants)


@pytest.mark.parametrize("predicts", ["epsilon", "v"])
@pytest.mark.parametrize(
    "made",
    [unet([]), unet([1]), unet(["N"], steps=TensorProto.FLOAT), unet([], channels=6)],
    ids=["scalar", "one", "batch", "variance"],
)
def test_one_step_denoises_as_the_formula_says(made: Any, predicts: Any) -> None:
    sigma = 0.25
    step, product = diffusion_step("linear", sigma)
    noisy = (X + sigma * RNG.standard_normal(X.shape)).astype(np.float32)
    u = np.sqrt(product) * (2 * noisy.astype(np.float64) - 1)
    output = 0.5 * u + step / 1000
    if predicts == "epsilon":
        clean = (u - np.sqrt(1 - product) * output) / np.sqrt(product)
    else:
        clean = np.sqrt(product) * u - np.sqrt(1 - product) * output
    expected = (np.clip(clean, -1, 1) + 1) / 2
    denoiser = diffusion_denoiser(made, "linear", sigma, predicts=predicts)
    np.testing.assert_allclose(run(denoiser, noisy), expected, atol=1e-5)
    assert ((expected > 0) & (expected < 1)).mean() > 0.3, "not all of it is clipped"
    # And before a classifier.
    np.testing.assert_allclose(
        run(compose(denoiser, linear()), noisy), expected.reshape(5, -1).astype(np.float32) @ W, rtol=1e-3, atol=1e-3
    )


def test_a_unet_of_float16() -> None:
    step, product = diffusion_step("cosine", 0.5)
    u = np.sqrt(product) * (2 * X.astype(np.float64) - 1)
    clean = (u - np.sqrt(1 - product) * (0.5 * u + step / 1000)) / np.sqrt(product)
    denoiser = diffusion_denoiser(unet([], TensorProto.FLOAT16), "cosine", 0.5)
    np.testing.assert_allclose(run(denoiser, X), (np.clip(clean, -1, 1) + 1) / 2, atol=0.01)


def test_schedules_and_unets_that_are_none() -> None:
    products = np.linspace(0.99, 0.5, 10)
    assert diffusion_step(products.tolist(), 0.1)[0] == int((np.sqrt((1 - products) / products) >= 0.2).argmax())
    for schedule, sigma, field in [
        (products, 3.0, "schedule"),
        (products[::-1], 0.1, "schedule"),
        ("squared", 0.1, "schedule"),
        ([], 0.1, "schedule"),
        ("linear", 0.0, "sigma"),
        ("linear", float("nan"), "sigma"),
    ]:
        with pytest.raises(InvalidArgumentError) as caught:
            diffusion_step(schedule, sigma)  # type: ignore[arg-type]
        assert caught.value.field == field
    for model in (halves(), unet([1, 1])):
        with pytest.raises(InvalidArgumentError) as caught:
            diffusion_denoiser(model, "linear", 0.25)
        assert caught.value.field == "unet"
