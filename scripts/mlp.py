"""scikit-learn's networks as ONNX graphs."""

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


def export(net, path, output, *, side=8, last=None, image=False):
    """Writes `net`, whose input is `image`, float32 [batch, 1, side, side], and whose hidden layers are ReLU.

    Its last layer is linear, or followed by the operator `last`, and called `output`: a number for each class or, with
    `image`, one for each pixel, in the shape of the input.
    """
    nodes, constants, flow = [helper.make_node("Flatten", ["image"], ["pixels"])], [], "pixels"
    end = len(net.coefs_) - 1
    for layer, (weights, bias) in enumerate(zip(net.coefs_, net.intercepts_)):
        constants += [
            numpy_helper.from_array(weights.astype(np.float32), f"weights{layer}"),
            numpy_helper.from_array(bias.astype(np.float32), f"bias{layer}"),
        ]
        made = output if layer == end and not (last or image) else f"sum{layer}"
        nodes.append(helper.make_node("Gemm", [flow, f"weights{layer}", f"bias{layer}"], [made]))
        if layer < end:
            flow = f"hidden{layer}"
            nodes.append(helper.make_node("Relu", [made], [flow]))
    shape = [1, side, side]
    if image:
        constants.append(numpy_helper.from_array(np.array([-1, *shape], np.int64), "shape"))
        nodes.append(helper.make_node("Reshape", [f"sum{end}", "shape"], [output]))
    elif last:
        nodes.append(helper.make_node(last, [f"sum{end}"], [output]))
    graph = helper.make_graph(
        nodes,
        pathlib.Path(path).stem,
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", *shape])],
        [
            helper.make_tensor_value_info(
                output, TensorProto.FLOAT, ["batch", *(shape if image else [len(net.intercepts_[end])])]
            )
        ],
        constants,
    )
    model = helper.make_model(
        graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8, producer_name="smoothtopk"
    )
    onnx.checker.check_model(model, full_check=True)
    onnx.save(model, path)
