"""Small convolutions in the layouts of images, and models with further inputs."""

import numpy as np

from .graph import FLOAT, const, node, save, tensor

CHANNELS, SIDE, CLASSES = 3, 8, 4
REJECT = 1.375


def filters():
    """Labels 0 to 2 answer to a channel's brightness, 3 to edges.

    Multiples of 1/4: with pixels on multiples of 1/8 every sum is exact.
    """
    taps = np.zeros((CLASSES, CHANNELS, 3, 3), dtype=np.float32)
    for channel in range(CHANNELS):
        taps[channel, channel] = 0.25
    taps[3, :, :, 0], taps[3, :, :, 2] = -1.25, 1.25
    return taps


def images(count=8, height=SIDE, width=SIDE):
    """Grey noise, each with one channel a little brighter or, every fourth, with a step in the middle."""
    x = np.random.default_rng(34).integers(1, 6, size=(count, CHANNELS, height, width))
    for row in range(count):
        if row % 4 == 3:
            x[row, :, :, width // 2 :] += 3
        else:
            x[row, row % 4] += 2
    return x.astype(np.float32) / 8


def scores(x):
    """ReLU of a valid 3x3 convolution, averaged over the image."""
    windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), axis=(2, 3))
    maps = np.einsum("bchwij,kcij->bkhw", windows, filters())
    return np.maximum(maps, 0).mean(axis=(2, 3)).astype(np.float32)


def convolution(x="image"):
    nodes = [
        node("Conv", [x, "filters"], "maps"),
        node("Relu", "maps", "kept"),
        node("GlobalAveragePool", "kept", "means"),
        node("Flatten", "means", "logits"),
    ]
    return nodes, [const("filters", filters())]


def make(table):
    x = images()
    nodes, constants = convolution()
    logits = [tensor("logits", FLOAT, "batch", CLASSES)]
    plain = dict(input="image", output="logits", classes=CLASSES, scores=scores(x))

    save("image_nchw.onnx", [tensor("image", FLOAT, "batch", CHANNELS, SIDE, SIDE)], logits, nodes, constants)
    table.accepted(
        "image_nchw.onnx",
        "a convolution on [3, 8, 8] images",
        element_shape=[CHANNELS, SIDE, SIDE],
        rows=x,
        layout="nchw",
        **plain,
    )

    inner, _ = convolution("channels_first")
    turn = node("Transpose", "image", "channels_first", perm=[0, 3, 1, 2])
    save("image_nhwc.onnx", [tensor("image", FLOAT, "batch", SIDE, SIDE, CHANNELS)], logits, [turn, *inner], constants)
    table.accepted(
        "image_nhwc.onnx",
        "image_nchw.onnx on [8, 8, 3] images",
        element_shape=[SIDE, SIDE, CHANNELS],
        rows=x.transpose(0, 2, 3, 1),
        layout="nhwc",
        **plain,
    )

    save("image_dynamic.onnx", [tensor("image", FLOAT, "batch", CHANNELS, "height", "width")], logits, nodes, constants)
    table.accepted(
        "image_dynamic.onnx",
        "image_nchw.onnx with height and width left open: the caller gives them",
        element_shape=[CHANNELS, SIDE, SIDE],
        rows=x,
        layout="nchw",
        options={"element_shape": [CHANNELS, SIDE, SIDE]},
        **plain,
    )
    make_inputs(table, x)


def make_inputs(table, x):
    """Further inputs that are fixed to constants, and what needs the caller's word."""
    image = tensor("image", FLOAT, "batch", CHANNELS, SIDE, SIDE)
    plain = dict(
        input="image", output="scores", element_shape=[CHANNELS, SIDE, SIDE], rows=x, classes=CLASSES, layout="nchw"
    )
    nodes, constants = convolution()

    # A label of its own for what no other label reaches: the constant's value shows in the labels.
    reject = np.float32(REJECT)
    steps = [
        node("Shape", "logits", "size", end=1),
        node("Concat", "size one", "column", axis=0),
        node("Expand", "reject column", "rejected"),
        node("Concat", "logits rejected", "scores", axis=1),
    ]
    save(
        "two_inputs.onnx",
        [image, tensor("reject", FLOAT)],
        [tensor("scores", FLOAT, "batch", CLASSES + 1)],
        [*nodes, *steps],
        [*constants, const("one", np.array([1]))],
    )
    table.accepted(
        "two_inputs.onnx",
        "an image and a scalar, the score of the label `none of these`: a constant fixes it",
        options={"constants": {"reject": {"type": "float32", "shape": [], "values": [REJECT]}}},
        scores=np.hstack([scores(x), np.full((len(x), 1), reject)]),
        **{**plain, "classes": CLASSES + 1},
    )

    # The offsets decide between labels 0 and 1 against 2 and 3: a constant left out or swapped shows in the labels.
    offsets = np.array([-0.28125, 0.28125], dtype=np.float32)
    save(
        "two_inputs_vector.onnx",
        [tensor("offsets", FLOAT, 2), image],
        [tensor("scores", FLOAT, "batch", CLASSES)],
        [*nodes, node("Gather", "offsets pairs", "spread"), node("Add", "logits spread", "scores")],
        [*constants, const("pairs", np.array([0, 0, 1, 1]))],
    )
    table.accepted(
        "two_inputs_vector.onnx",
        "a vector [2], listed first, and an image: the vector is fixed by a constant",
        options={"constants": {"offsets": {"type": "float32", "shape": [2], "values": offsets.tolist()}}},
        scores=scores(x) + offsets[[0, 0, 1, 1]],
        **plain,
    )

    save(
        "three_inputs.onnx",
        [image, tensor("temperature", FLOAT), tensor("label_mask", FLOAT, 1, CLASSES)],
        [tensor("scores", FLOAT, "batch", CLASSES)],
        [*nodes, node("Div", "logits temperature", "cooled"), node("Mul", "cooled label_mask", "scores")],
        constants,
    )
    mask = np.array([[0.0, 1.0, 0.0, 1.0]], dtype=np.float32)
    table.accepted(
        "three_inputs.onnx",
        "an image and two constants, a scalar and a [1, 4] mask over labels",
        options={
            "constants": {
                "temperature": {"type": "float32", "shape": [], "values": [0.5]},
                "label_mask": {"type": "float32", "shape": [1, 4], "values": mask.ravel().tolist()},
            }
        },
        scores=scores(x) / np.float32(0.5) * mask,
        **plain,
    )
