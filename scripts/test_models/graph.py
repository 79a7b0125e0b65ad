"""Short words to build ONNX graphs by hand."""

import onnx
from onnx import TensorProto, helper, numpy_helper

from .cases import MODELS

OPSET = 17
IR_VERSION = 8

FLOAT, FLOAT16, BFLOAT16 = TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16
DOUBLE, UINT8, INT64, STRING, BOOL = (
    TensorProto.DOUBLE,
    TensorProto.UINT8,
    TensorProto.INT64,
    TensorProto.STRING,
    TensorProto.BOOL,
)


def tensor(name, kind, *shape):
    """A graph input or output; a string in the shape is a dynamic dimension, None one without a name."""
    return helper.make_tensor_value_info(name, kind, list(shape))


def const(name, array):
    return numpy_helper.from_array(array, name)


def node(op, inputs, outputs, **attributes):
    split = lambda names: names.split() if isinstance(names, str) else names
    return helper.make_node(op, split(inputs), split(outputs), **attributes)


def save(file, inputs, outputs, nodes, constants=(), *, opset=OPSET, ir_version=IR_VERSION, domains=(), external=None):
    """Writes tests/models/FILE after onnx's own checker has passed it."""
    graph = helper.make_graph(list(nodes), pathless(file), list(inputs), list(outputs), list(constants))
    opsets = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, version) for domain, version in domains)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name="smoothtopk tests")
    onnx.checker.check_model(model, full_check=True)
    path = MODELS / file
    if external:
        (MODELS / external).unlink(missing_ok=True)
        onnx.save_model(model, path, save_as_external_data=True, location=external, size_threshold=0)
    else:
        onnx.save_model(model, path)


def pathless(file):
    return file.removesuffix(".onnx")
