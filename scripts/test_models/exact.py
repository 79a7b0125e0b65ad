"""Models whose arithmetic does not depend on the batch's shape, so that counts must agree to the last row.

x is rounded to multiples of 1/64 and summed as integers below 2^24, which float32 adds exactly in any order.
"""

import numpy as np
from onnx import helper

from .graph import BOOL, FLOAT, INT64, const, node, save, tensor

CLASSES, TERMS = 6, 4
DIM = CLASSES * TERMS
SCALE = np.float32(64)


def scores(x):
    return np.rint(x * SCALE).reshape(len(x), CLASSES, TERMS).sum(axis=2, dtype=np.float32)


def rows(count=8):
    """Inputs whose labels are close to each other, so that noise of 0.25 gives every label a share."""
    return np.random.default_rng(6).integers(112, 145, size=(count, DIM)).astype(np.float32) / 256


def make(table):
    x = rows()
    plain = dict(input="x", output="scores", classes=CLASSES, rows=x, scores=scores(x))
    for file, batch, what in [
        ("exact_order.onnx", "batch", "sums of rounded inputs: no rounding error in any order"),
        ("fixed_batch.onnx", 8, "exact_order.onnx with its batch fixed to 8"),
        ("fixed_batch1.onnx", 1, "exact_order.onnx with its batch fixed to 1"),
    ]:
        steps = [
            node("Mul", "x scale", "scaled"),
            node("Round", "scaled", "whole"),
            node("Reshape", "whole split", "terms"),
            node("ReduceSum", "terms last", "scores", keepdims=0),
        ]
        constants = [const("scale", SCALE), const("split", np.array([0, CLASSES, TERMS])), const("last", np.array([2]))]
        save(file, [tensor("x", FLOAT, batch, DIM)], [tensor("scores", FLOAT, batch, CLASSES)], steps, constants)
        table.accepted(file, what, element_shape=[DIM], batch=batch if isinstance(batch, int) else "dynamic", **plain)
    make_image(table, x)
    make_failing(table, x)
    make_slow(table)


def make_image(table, x):
    """The same sums on [3, 2, 4] images: labels are pairs of rows of a channel, in the flat order."""
    steps = [
        node("Mul", "image scale", "scaled"),
        node("Round", "scaled", "whole"),
        node("Reshape", "whole split", "terms"),
        node("ReduceSum", "terms last", "scores", keepdims=0),
    ]
    constants = [const("scale", SCALE), const("split", np.array([0, CLASSES, TERMS])), const("last", np.array([2]))]
    save(
        "exact_order_image.onnx",
        [tensor("image", FLOAT, "batch", 3, 2, 4)],
        [tensor("scores", FLOAT, "batch", CLASSES)],
        steps,
        constants,
    )
    table.accepted(
        "exact_order_image.onnx",
        "exact_order.onnx on [3, 2, 4] images, NCHW",
        input="image",
        output="scores",
        element_shape=[3, 2, 4],
        classes=CLASSES,
        rows=x,
        scores=scores(x),
    )


def make_failing(table, x):
    """NaN for all scores where x[0] > 1/2, +Inf for label 2 where x[1] > 1/2."""
    steps = [
        node("Mul", "x scale", "scaled"),
        node("Round", "scaled", "whole"),
        node("Reshape", "whole split", "terms"),
        node("ReduceSum", "terms last", "sums", keepdims=0),
        node("Slice", "x zero one axis", "first"),
        node("Slice", "x one two axis", "second"),
        node("Greater", "first half", "is_nan"),
        node("Greater", "second half", "is_inf"),
        node("Where", "is_nan nan nothing", "nans"),
        node("Where", "is_inf inf nothing_row", "infs"),
        node("Add", "sums nans", "with_nan"),
        node("Add", "with_nan infs", "scores"),
    ]
    inf = np.where(np.arange(CLASSES) == 2, np.inf, 0).astype(np.float32)[None]
    constants = [
        const("scale", SCALE),
        const("split", np.array([0, CLASSES, TERMS])),
        const("last", np.array([2])),
        const("zero", np.array([0])),
        const("one", np.array([1])),
        const("two", np.array([2])),
        const("axis", np.array([1])),
        const("half", np.float32(0.5)),
        const("nan", np.float32(np.nan)),
        const("nothing", np.float32(0)),
        const("inf", inf),
        const("nothing_row", np.zeros_like(inf)),
    ]
    save(
        "nan_scores.onnx",
        [tensor("x", FLOAT, "batch", DIM)],
        [tensor("scores", FLOAT, "batch", CLASSES)],
        steps,
        constants,
    )
    x = x.copy()
    x[:, :2] = 0.4375
    x[[1, 3], 0] = 0.75
    x[[2, 3], 1] = 0.75
    x[4, :2] = 0.5
    expected = scores(x)
    expected[x[:, 0] > 0.5] = np.nan
    expected[x[:, 1] > 0.5, 2] += np.inf
    table.accepted(
        "nan_scores.onnx",
        "exact_order.onnx with NaN scores where x[0] > 1/2 and an infinite one where "
        "x[1] > 1/2: such a row has no label",
        input="x",
        output="scores",
        element_shape=[DIM],
        classes=CLASSES,
        rows=x,
        scores=expected,
    )


def make_slow(table):
    """A loop of products with the identity, long only where some input is above 100: quick to load, slow on demand."""
    dim, classes, turns = 64, 4, 10_000_000
    body = helper.make_graph(
        [node("Identity", "going", "going_on"), node("MatMul", "state identity", "next")],
        "turn",
        [tensor("turn", INT64), tensor("going", BOOL), tensor("state", FLOAT, "batch", dim)],
        [tensor("going_on", BOOL), tensor("next", FLOAT, "batch", dim)],
    )
    steps = [
        node("ConstantOfShape", "shape", "square"),
        node("EyeLike", "square", "identity"),
        node("ReduceMax", "x", "largest", keepdims=0),
        node("Greater", "largest limit", "is_slow"),
        node("Where", "is_slow many one", "turns"),
        node("Loop", ["turns", "", "x"], ["last"], body=body),
        node("Slice", "last zero classes axis", "scores"),
    ]
    constants = [
        const("shape", np.array([dim, dim])),
        const("limit", np.float32(100)),
        const("many", np.array(turns)),
        const("one", np.array(1)),
        const("zero", np.array([0])),
        const("classes", np.array([classes])),
        const("axis", np.array([1])),
    ]
    save("slow.onnx", [tensor("x", FLOAT, "batch", dim)], [tensor("scores", FLOAT, "batch", classes)], steps, constants)
    x = np.random.default_rng(4).integers(-8, 9, size=(4, dim)).astype(np.float32) / 8
    table.accepted(
        "slow.onnx",
        f"the first {classes} inputs; a batch with any input above 100 takes {turns:,} turns of a "
        "loop (seconds), to be cancelled",
        input="x",
        output="scores",
        element_shape=[dim],
        classes=classes,
        rows=x,
        scores=x[:, :classes],
    )
