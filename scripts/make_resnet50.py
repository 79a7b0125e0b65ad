"""Writes a ResNet-50 with random weights, for measuring speed: nothing about its answers means anything.

    pip install -r scripts/requirements-resnet50.txt
    python3 scripts/make_resnet50.py resnet50.onnx

The network of He et al. (2016) with the stride on the 3x3 convolutions, as torchvision has it, and its batch norms folded into
the convolutions, as exporters do: `image` float32 [batch, 3, 224, 224] -> `logits` float32 [batch, 1000], 25.5 million weights,
4.1 billion multiplications a row.
"""

import argparse

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SEED, CLASSES = 50, 1000
# Blocks, and the width of their 3x3 convolutions; a block's output has four times as many channels.
STAGES = [(3, 64), (4, 128), (6, 256), (3, 512)]
# What a block adds to its input stays small, so that the activations stay finite through 16 additions.
BRANCH = 0.2


class Graph:
    def __init__(self):
        self.nodes, self.constants, self.rng = [], [], np.random.default_rng(SEED)

    def constant(self, name, value):
        self.constants.append(numpy_helper.from_array(value.astype(np.float32), name))
        return name

    def node(self, operator, inputs, **attributes):
        name = f"{operator}_{len(self.nodes)}".lower()
        self.nodes.append(helper.make_node(operator, inputs, [name], name=name, **attributes))
        return name

    def conv(self, flow, inputs, outputs, size, stride=1, gain=1.0):
        number = len(self.nodes)
        std = gain * np.sqrt(2 / (inputs * size * size))
        weight = self.constant(f"w{number}", self.rng.normal(0, std, (outputs, inputs, size, size)))
        bias = self.constant(f"b{number}", self.rng.normal(0, 0.01, outputs))
        pads = [size // 2] * 4
        return self.node("Conv", [flow, weight, bias], kernel_shape=[size] * 2, strides=[stride] * 2, pads=pads)

    def block(self, flow, inputs, width, stride):
        outputs = 4 * width
        branch = self.node("Relu", [self.conv(flow, inputs, width, 1)])
        branch = self.node("Relu", [self.conv(branch, width, width, 3, stride)])
        branch = self.conv(branch, width, outputs, 1, gain=BRANCH)
        if inputs != outputs or stride != 1:
            flow = self.conv(flow, inputs, outputs, 1, stride, gain=np.sqrt(0.5))
        return self.node("Relu", [self.node("Add", [branch, flow])])


def resnet50():
    graph = Graph()
    flow = graph.node("Relu", [graph.conv("image", 3, 64, 7, 2)])
    flow = graph.node("MaxPool", [flow], kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4)
    channels = 64
    for stage, (blocks, width) in enumerate(STAGES):
        for block in range(blocks):
            flow = graph.block(flow, channels, width, 2 if stage > 0 and block == 0 else 1)
            channels = 4 * width
    flow = graph.node("Flatten", [graph.node("GlobalAveragePool", [flow])])
    weight = graph.constant("fc_w", graph.rng.normal(0, np.sqrt(1 / channels), (channels, CLASSES)))
    bias = graph.constant("fc_b", np.zeros(CLASSES))
    graph.nodes.append(helper.make_node("Gemm", [flow, weight, bias], ["logits"], name="fc"))
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["batch", 3, 224, 224])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", CLASSES])
    made = helper.make_graph(graph.nodes, "resnet50_random", [image], [logits], graph.constants)
    # The oldest IR and operators that hold all of it: any ONNX Runtime of these years takes them.
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return model


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("path", help="the file to write")
    onnx.save(resnet50(), parser.parse_args().path)
