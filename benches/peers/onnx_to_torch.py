"""An ONNX classifier as a PyTorch module with the same weights, checked against ONNX Runtime before it is used.

Covers the operators of the models that are measured here, and refuses others. `torch.fx` writes the forward pass as
straight Python over `torch.nn` modules, so that it costs what a hand-written module costs.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import numpy_helper
from torch import fx, nn


def load(path: Path) -> nn.Module:
    """The model in evaluation mode, on the CPU.

    Raises:
        NotImplementedError: an operator that is not covered.
        RuntimeError: its scores differ from ONNX Runtime's.
    """
    module = _Translation(_folded(path)).module()
    _check(module, path)
    return module


def _folded(path: Path) -> onnx.ModelProto:
    """The model after ONNX Runtime's basic optimisations: ONNX's own operators only, constants folded."""
    with tempfile.TemporaryDirectory() as scratch:
        options = onnxruntime.SessionOptions()
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
        options.optimized_model_filepath = str(Path(scratch) / "model.onnx")
        onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return onnx.load(options.optimized_model_filepath)


def _check(module: nn.Module, path: Path) -> None:
    """The same scores, but for float32 rounding, and the same labels for noisy rows around mid-grey."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    source = session.get_inputs()[0]
    rng = np.random.default_rng(1)
    rows = 0.5 + 0.25 * rng.standard_normal((8, *source.shape[1:]), dtype=np.float32)
    expected = session.run(None, {source.name: rows})[0]
    with torch.inference_mode():
        scores = module(torch.from_numpy(rows)).numpy()
    difference = float(np.abs(scores - expected).max())
    if not difference <= 1e-4 * float(np.abs(expected).max()) or (scores.argmax(1) != expected.argmax(1)).any():
        raise RuntimeError(f"{path.name}: PyTorch's scores differ from ONNX Runtime's by up to {difference}")


class _Translation:
    """From the nodes of an ONNX graph to those of a torch.fx graph."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._onnx = model.graph
        self._constants = {each.name: numpy_helper.to_array(each).copy() for each in model.graph.initializer}
        self._graph = fx.Graph()
        self._root = nn.Module()
        self._values: dict[str, fx.Node] = {}

    def module(self) -> nn.Module:
        # Old exporters list the weights among the inputs.
        (source,) = (each.name for each in self._onnx.input if each.name not in self._constants)
        self._values[source] = self._graph.placeholder("x")
        for node in self._onnx.node:
            translate: Callable[..., fx.Node] | None = getattr(self, f"_{node.op_type.lower()}", None)
            if translate is None:
                raise NotImplementedError(f"{node.op_type}: not an operator that onnx_to_torch.py covers")
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            self._values[node.output[0]] = translate(*node.input, **attributes)
        self._graph.output(self._values[self._onnx.output[0].name])
        return fx.GraphModule(self._root, self._graph).eval().requires_grad_(False)

    def _value(self, name: str) -> fx.Node:
        """A value of the graph; a constant becomes a buffer."""
        if name not in self._values:
            buffer = f"constant{len(self._values)}"
            self._root.register_buffer(buffer, torch.from_numpy(self._constants[name]))
            self._values[name] = self._graph.get_attr(buffer)
        return self._values[name]

    def _layer(self, layer: nn.Module, x: fx.Node) -> fx.Node:
        name = f"layer{len(self._graph.nodes)}"
        self._root.add_module(name, layer)
        return self._graph.call_module(name, (x,))

    def _tensor(self, name: str | None) -> torch.Tensor | None:
        return torch.from_numpy(self._constants[name]) if name else None

    def _numbers(self, name: str) -> list[int]:
        return [int(each) for each in self._constants[name].ravel()]

    def _conv(self, x: str, weight: str, bias: str | None = None, **attributes: Any) -> fx.Node:
        kernel = self._tensor(weight)
        assert kernel is not None
        if kernel.ndim != 4 or attributes.get("auto_pad", b"NOTSET") != b"NOTSET":
            raise NotImplementedError("Conv: two dimensions with explicit pads only")
        top, left, bottom, right = attributes.get("pads", (0, 0, 0, 0))
        even = (top, left) == (bottom, right)
        source = self._value(x)
        if not even:
            source = self._layer(nn.ZeroPad2d((left, right, top, bottom)), source)
        groups = attributes.get("group", 1)
        layer = nn.Conv2d(
            kernel.shape[1] * groups,
            kernel.shape[0],
            tuple(kernel.shape[2:]),
            stride=tuple(attributes.get("strides", (1, 1))),
            padding=(top, left) if even else 0,
            dilation=tuple(attributes.get("dilations", (1, 1))),
            groups=groups,
            bias=bool(bias),
        )
        layer.weight.data.copy_(kernel)
        if bias:
            layer.bias.data.copy_(self._tensor(bias))
        return self._layer(layer, source)

    def _gemm(self, x: str, weight: str, bias: str | None = None, **attributes: Any) -> fx.Node:
        if attributes.get("alpha", 1) != 1 or attributes.get("beta", 1) != 1 or attributes.get("transA", 0):
            raise NotImplementedError("Gemm: alpha and beta of 1 and a plain first matrix only")
        kernel = self._tensor(weight)
        assert kernel is not None
        if not attributes.get("transB", 0):
            kernel = kernel.T
        layer = nn.Linear(kernel.shape[1], kernel.shape[0], bias=bool(bias))
        layer.weight.data.copy_(kernel)
        if bias:
            layer.bias.data.copy_(self._tensor(bias))
        return self._layer(layer, self._value(x))

    def _relu(self, x: str) -> fx.Node:
        return self._layer(nn.ReLU(inplace=True), self._value(x))

    def _clip(self, x: str, low: str, high: str) -> fx.Node:
        bounds = float(self._constants[low]), float(self._constants[high])
        return self._layer(nn.Hardtanh(*bounds, inplace=True), self._value(x))

    def _pad(self, x: str, pads: str, value: str | None = None, *, mode: bytes = b"constant") -> fx.Node:
        if mode != b"constant" or (value and self._constants[value] != 0):
            raise NotImplementedError("Pad: zeros only")
        starts, ends = np.split(np.asarray(self._numbers(pads)), 2)
        if len(starts) != 4 or starts[:2].any() or ends[:2].any():
            raise NotImplementedError("Pad: rows and columns only")
        return self._layer(nn.ZeroPad2d((starts[3], ends[3], starts[2], ends[2])), self._value(x))

    def _add(self, a: str, b: str) -> fx.Node:
        return self._graph.call_function(torch.add, (self._value(a), self._value(b)))

    def _sub(self, a: str, b: str) -> fx.Node:
        return self._graph.call_function(torch.sub, (self._value(a), self._value(b)))

    def _div(self, a: str, b: str) -> fx.Node:
        return self._graph.call_function(torch.div, (self._value(a), self._value(b)))

    def _reducemean(self, x: str, *, axes: list[int], keepdims: int = 1) -> fx.Node:
        return self._graph.call_method("mean", (self._value(x), tuple(axes)), {"keepdim": bool(keepdims)})

    def _globalaveragepool(self, x: str) -> fx.Node:
        return self._layer(nn.AdaptiveAvgPool2d(1), self._value(x))

    def _flatten(self, x: str, *, axis: int = 1) -> fx.Node:
        if axis != 1:
            raise NotImplementedError("Flatten: axis 1 only")
        return self._layer(nn.Flatten(), self._value(x))

    def _reshape(self, x: str, shape: str, *, allowzero: int = 0) -> fx.Node:
        # In ONNX a 0 keeps the dimension.
        if allowzero or shape not in self._constants or self._numbers(shape) != [0, -1]:
            raise NotImplementedError("Reshape: to a row for each example only")
        return self._layer(nn.Flatten(), self._value(x))
