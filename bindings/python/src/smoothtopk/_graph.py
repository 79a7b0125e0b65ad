"""ONNX graphs that grow at their end, by the `onnx` package (the extra `smoothtopk[compose]`)."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import numpy.typing as npt

from ._errors import InvalidArgumentError, ModelError, NotFoundError
from ._model import Model

# Resize has had `axes` and `antialias` since then, and nothing else used here is newer.
OLDEST_OPSET = 18


def load(model: Model, field: str) -> Any:
    """A copy of a model as an `onnx.ModelProto`, with its weights inside."""
    import onnx

    try:
        if isinstance(model, (str, os.PathLike)):
            return onnx.load(os.fspath(model))
        if isinstance(model, (bytes, bytearray, memoryview)):
            return onnx.load_from_string(bytes(model))
        return onnx.load_from_string(model.SerializeToString())
    except FileNotFoundError as error:
        raise NotFoundError(str(error), field) from None
    except Exception as error:
        raise ModelError(f"cannot be read as ONNX: {error}", field) from None


def inputs(model: Any) -> list[Any]:
    """The inputs that a host gives, without those that have a value in the file."""
    given = {tensor.name for tensor in model.graph.initializer}
    return [value for value in model.graph.input if value.name not in given]


def only_input(model: Any, field: str) -> Any:
    """The input of a model that has one."""
    found = inputs(model)
    if len(found) != 1:
        names = ", ".join(value.name for value in found) or "none"
        raise InvalidArgumentError(f"must have one input, and has {names}", field)
    return found[0]


def kind(value: Any) -> int:
    """The element type of an input or output."""
    return int(value.type.tensor_type.elem_type)


def dims(value: Any) -> list[int | None]:
    """The shape of an input or output: None where a dimension is open."""
    shape = value.type.tensor_type.shape.dim
    return [dim.dim_value if dim.HasField("dim_value") and dim.dim_value > 0 else None for dim in shape]


def same_opset(models: list[Any]) -> list[Any]:
    """The models, all for the newest operator set among them."""
    import onnx
    from onnx import version_converter

    newest = max([OLDEST_OPSET] + [opset(model) for model in models])
    found = []
    for model in models:
        if opset(model) != newest:
            try:
                model = version_converter.convert_version(model, newest)
            except Exception as error:
                message = f"cannot be converted from opset {opset(model)} to {newest}: export both for one ({error})"
                raise ModelError(message, "model") from None
        found.append(model)
    others: dict[str, int] = {}
    for model in found:
        for used in model.opset_import:
            if used.domain not in ("", "ai.onnx") and others.setdefault(used.domain, used.version) != used.version:
                message = f"use versions {others[used.domain]} and {used.version} of the operators of {used.domain}"
                raise ModelError(f"{message}: export both for one", "model")
    assert all(isinstance(model, onnx.ModelProto) for model in found)
    return found


def opset(model: Any) -> int:
    """The version of ONNX's own operators that a model uses."""
    return max((int(used.version) for used in model.opset_import if used.domain in ("", "ai.onnx")), default=1)


class Chain:
    """A graph with one input that grows at its end: `at` is the tensor that was made last."""

    def __init__(self, name: str, element_type: int, shape: list[int | None]) -> None:
        from onnx import helper

        batch: list[Any] = ["batch" if dim is None and axis == 0 else dim for axis, dim in enumerate(shape)]
        self.input = helper.make_tensor_value_info(name, element_type, batch)
        self.at, self.type, self.shape = name, element_type, shape
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._models: list[Any] = []

    def constant(self, array: npt.NDArray[Any]) -> str:
        """A constant's name."""
        from onnx import numpy_helper

        self._constants.append(numpy_helper.from_array(array, f"smoothtopk/constant{len(self._constants)}"))
        return str(self._constants[-1].name)

    def node(self, operator: str, *inputs: str, **attributes: Any) -> str:
        """Adds a node, and gives the name of what it makes."""
        from onnx import helper

        made = f"smoothtopk/{operator}{len(self._nodes)}"
        self._nodes.append(helper.make_node(operator, list(inputs), [made], name=made, **attributes))
        return made

    def then(self, operator: str, *more: str, **attributes: Any) -> None:
        """Adds a node behind the last tensor, whose other inputs are `more`."""
        self.at = self.node(operator, self.at, *more, **attributes)

    def numbers(self, values: Any) -> str:
        """A constant of the last tensor's type."""
        from onnx import helper

        return self.constant(np.asarray(values, helper.tensor_dtype_to_np_dtype(self.type)))

    def cast(self, element_type: int) -> None:
        """Has the last tensor's elements of another type."""
        if element_type != self.type:
            self.then("Cast", to=element_type)
            self.type = element_type

    def model(self, model: Any, prefix: str, more: dict[str, str] | None = None) -> Any:
        """Has a model read the last tensor, and `more` by its inputs' names; gives the model as it stands here."""
        from onnx import compose

        fed = more or {}
        [image] = [value.name for value in inputs(model) if value.name not in fed]
        part = compose.add_prefix(model, prefix)
        for source, name in [(self.at, image), *((made, name) for name, made in fed.items())]:
            self._nodes.append(_named(source, prefix + name))
        self._nodes.extend(part.graph.node)
        self._models.append(part)
        output = part.graph.output[0]
        self.at, self.type, self.shape = output.name, kind(output), dims(output) or self.shape
        return part

    def finish(self, outputs: list[Any], taken: list[str]) -> Any:
        """The whole as a model whose outputs are `outputs`, by the names `taken`."""
        import onnx
        from onnx import helper

        made = []
        for value, name in zip(outputs, taken):
            self._nodes.append(_named(value.name, name))
            value = onnx.ValueInfoProto.FromString(value.SerializeToString())
            value.name = name
            made.append(value)
        parts = [part.graph for part in self._models]
        graph = helper.make_graph(
            self._nodes,
            "smoothtopk",
            [self.input],
            made,
            [*self._constants, *(tensor for part in parts for tensor in part.initializer)],
            sparse_initializer=[tensor for part in parts for tensor in part.sparse_initializer],
        )
        domains = {used.domain: used.version for part in self._models for used in part.opset_import}
        model = helper.make_model(
            graph,
            producer_name="smoothtopk",
            opset_imports=[helper.make_opsetid(domain, version) for domain, version in domains.items()],
            functions=[function for part in self._models for function in part.functions],
        )
        model.ir_version = max(part.ir_version for part in self._models)
        return model


def _named(source: str, name: str) -> Any:
    """A node that gives a tensor another name."""
    from onnx import helper

    return helper.make_node("Identity", [source], [name], name=f"smoothtopk/{name}")


def save(model: Any, out: str | os.PathLike[str] | None) -> Any:
    """Checks a model, writes it where `out` says, with weights beside it where it is large, and gives it back."""
    import onnx

    large = model.ByteSize() >= 2**31 - 2**20
    if not large:
        onnx.checker.check_model(model, full_check=True)
    if out is not None:
        path = os.fspath(out)
        # onnx.save empties the model of what it writes beside it.
        whole = onnx.ModelProto.FromString(model.SerializeToString()) if not large else model
        onnx.save(
            whole, path, save_as_external_data=large, location=f"{os.path.basename(path)}.data" if large else None
        )
    return model
