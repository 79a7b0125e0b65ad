"""Models over one linear score, in every input and output form that is accepted.

The score is t = v.x with |v| = 1, so under Gaussian noise t is normal with deviation sigma, and the label is the number
of cuts below t: every smoothed label probability is a difference of two normal cdfs.
"""

import ml_dtypes
import numpy as np

from .graph import BFLOAT16, DOUBLE, FLOAT, FLOAT16, INT64, UINT8, const, node, save, tensor

DIM = 16
# Entries of +-1/4: the norm is exactly 1, and products with floats are exact.
DIRECTION = np.where(np.arange(DIM) % 3 == 0, -0.25, 0.25).astype(np.float32)
CUTS = np.array([-0.25, 0.5], dtype=np.float32)
CLASSES = len(CUTS) + 1
# Label i scores i t - (cut_1 + .. + cut_i), the upper envelope of which changes label at every cut.
WEIGHTS = np.outer(DIRECTION, np.arange(CLASSES)).astype(np.float32)
BIAS = -np.concatenate([[0.0], np.cumsum(CUTS)]).astype(np.float32)


def rows(count=8):
    """Inputs on a coarse grid (multiples of 1/8 in [-1, 1]), exact in every input type."""
    return np.random.default_rng(2020).integers(-8, 9, size=(count, DIM)).astype(np.float32) / 8


def scores(x):
    return x @ WEIGHTS + BIAS


def closed_form(direction=DIRECTION, cuts=CUTS):
    return {"direction": direction.tolist(), "cuts": cuts.tolist()}


def affine(x="x", out="scores", weights=WEIGHTS, bias=BIAS, kind=np.float32):
    nodes = [node("MatMul", [x, "weights"], "product"), node("Add", "product bias", [out])]
    return nodes, [const("weights", weights.astype(kind)), const("bias", bias.astype(kind))]


def make(table):
    x = rows()
    plain = dict(input="x", element_shape=[DIM], classes=CLASSES, rows=x, scores=scores(x))
    nodes, constants = affine()
    inputs, outputs = [tensor("x", FLOAT, "batch", DIM)], [tensor("scores", FLOAT, "batch", CLASSES)]

    save("linear.onnx", inputs, outputs, nodes, constants)
    table.accepted(
        "linear.onnx",
        "three labels cut by two parallel planes: closed-form smoothed probabilities",
        output="scores",
        closed_form=closed_form(),
        **plain,
    )
    make_two_labels(table, x)
    make_types(table, plain)
    make_outputs(table, x, plain)

    save("external_data.onnx", inputs, outputs, nodes, constants, external="external_data.bin")
    table.accepted("external_data.onnx", "linear.onnx with its weights in external_data.bin", output="scores", **plain)

    # Exporters before ONNX 1.4 list the weights among the inputs; they are no inputs to be given.
    listed = inputs + [tensor("weights", FLOAT, DIM, CLASSES), tensor("bias", FLOAT, CLASSES)]
    save("initializer_inputs.onnx", listed, outputs, nodes, constants, opset=8, ir_version=3)
    table.accepted(
        "initializer_inputs.onnx", "linear.onnx in the old form that lists weights as inputs", output="scores", **plain
    )


def make_two_labels(table, x):
    cut = np.array([0.25], dtype=np.float32)
    weights, bias = np.outer(DIRECTION, [0, 1]), np.array([0.0, -cut[0]])
    nodes, constants = affine(weights=weights, bias=bias)
    save("linear2.onnx", [tensor("x", FLOAT, "batch", DIM)], [tensor("scores", FLOAT, "batch", 2)], nodes, constants)
    table.accepted(
        "linear2.onnx",
        "two labels cut by one plane: the radius of the theorem is the exact distance",
        output="scores",
        input="x",
        element_shape=[DIM],
        classes=2,
        rows=x,
        scores=(x @ weights + bias).astype(np.float32),
        closed_form=closed_form(cuts=cut),
    )


def make_types(table, plain):
    """Every input type, and every type of the scores."""
    scores_out = tensor("scores", FLOAT, "batch", CLASSES)
    nodes, constants = affine("x32")
    cast_in = node("Cast", "x", "x32", to=FLOAT)
    for name, kind in [("float16", FLOAT16), ("bfloat16", BFLOAT16)]:
        save(f"input_{name}.onnx", [tensor("x", kind, "batch", DIM)], [scores_out], [cast_in, *nodes], constants)
        table.accepted(
            f"input_{name}.onnx", f"linear.onnx with a {name} input", output="scores", input_type=name, **plain
        )

    nodes64, constants64 = affine(kind=np.float64)
    save(
        "input_float64.onnx",
        [tensor("x", DOUBLE, "batch", DIM)],
        [tensor("scores", DOUBLE, "batch", CLASSES)],
        nodes64,
        constants64,
    )
    table.accepted(
        "input_float64.onnx", "linear.onnx in float64 throughout", output="scores", input_type="float64", **plain
    )

    pixels = np.random.default_rng(8).integers(0, 256, size=(8, DIM)).astype(np.uint8)
    scaled = (pixels.astype(np.float32) - 128) / 64
    shift = [const("middle", np.float32(128)), const("unit", np.float32(64))]
    steps = [cast_in, node("Sub", "x32 middle", "centred"), node("Div", "centred unit", "scaled")]
    nodes8, _ = affine("scaled")
    save("input_uint8.onnx", [tensor("x", UINT8, "batch", DIM)], [scores_out], [*steps, *nodes8], [*constants, *shift])
    table.accepted(
        "input_uint8.onnx",
        "linear scores of (pixel - 128) / 64, uint8 pixels",
        output="scores",
        input="x",
        input_type="uint8",
        element_shape=[DIM],
        classes=CLASSES,
        rows=pixels,
        scores=scores(scaled),
    )

    for name, kind in [("float16", FLOAT16), ("bfloat16", BFLOAT16)]:
        nodes32, _ = affine(out="scores32")
        cast_out = node("Cast", "scores32", "scores", to=kind)
        save(
            f"output_{name}.onnx",
            [tensor("x", FLOAT, "batch", DIM)],
            [tensor("scores", kind, "batch", CLASSES)],
            [*nodes32, cast_out],
            constants,
        )
        rounded = plain["scores"].astype(np.float16 if name == "float16" else ml_dtypes.bfloat16)
        table.accepted(
            f"output_{name}.onnx", f"linear.onnx with {name} scores", output="scores", **{**plain, "scores": rounded}
        )

    nodes16, constants16 = affine(kind=np.float16)
    save(
        "float16.onnx",
        [tensor("x", FLOAT16, "batch", DIM)],
        [tensor("scores", FLOAT16, "batch", CLASSES)],
        nodes16,
        constants16,
    )
    table.accepted("float16.onnx", "linear.onnx in float16 throughout", output="scores", input_type="float16", **plain)


def make_outputs(table, x, plain):
    """The forms scores come in."""
    inputs = [tensor("x", FLOAT, "batch", DIM)]
    nodes, constants = affine(out="flat")
    expand = node("Unsqueeze", "flat axes", "scores")
    save(
        "scores_4d.onnx",
        inputs,
        [tensor("scores", FLOAT, "batch", CLASSES, 1, 1)],
        [*nodes, expand],
        [*constants, const("axes", np.array([2, 3]))],
    )
    table.accepted("scores_4d.onnx", "linear.onnx with scores [batch, 3, 1, 1]", output="scores", **plain)

    # Compress keeps every label, but no shape inference can know it.
    save(
        "scores_unnamed.onnx",
        [tensor("x", FLOAT, None, DIM)],
        [tensor("scores", FLOAT, None, None)],
        [*nodes, node("Compress", "flat every", "scores", axis=1)],
        [*constants, const("every", np.ones(CLASSES, bool))],
    )
    table.accepted(
        "scores_unnamed.onnx",
        "linear.onnx with unnamed dimensions: the number of labels shows in a run only",
        output="scores",
        **plain,
    )

    # Chosen so that no row of the cases sits on the threshold.
    cut = np.float32(0.0625 / 2)
    logit = x @ DIRECTION - cut
    column = [const("column", DIRECTION[:, None]), const("cut", cut)]
    steps = [node("MatMul", "x column", "t"), node("Sub", "t cut", "shifted")]
    binary = dict(
        input="x",
        element_shape=[DIM],
        classes=2,
        rows=x,
        labels=(logit > 0).astype(int),
        output="score",
        closed_form=closed_form(cuts=np.array([cut])),
    )
    save(
        "binary_logit.onnx",
        inputs,
        [tensor("score", FLOAT, "batch")],
        [*steps, node("Squeeze", "shifted axes", "score")],
        [*column, const("axes", np.array([1]))],
    )
    table.accepted(
        "binary_logit.onnx",
        "one logit a row [batch]: label 1 above the threshold 0",
        options={"threshold": 0.0},
        scores=logit,
        **binary,
    )
    save(
        "binary_prob.onnx",
        inputs,
        [tensor("score", FLOAT, "batch", 1)],
        [*steps, node("Sigmoid", "shifted", "score")],
        column,
    )
    table.accepted(
        "binary_prob.onnx",
        "one probability a row [batch, 1]: label 1 above the threshold 1/2",
        options={"threshold": 0.5},
        scores=1 / (1 + np.exp(-logit)),
        **binary,
    )

    argmax = node("ArgMax", "flat", "label", axis=1, keepdims=0)
    save("label_int64.onnx", inputs, [tensor("label", INT64, "batch")], [*nodes, argmax], constants)
    table.accepted(
        "label_int64.onnx",
        "the label itself, int64 [batch]; the model does not say how many there are",
        output="label",
        options={"classes": CLASSES},
        **{**plain, "scores": None, "labels": plain["scores"].argmax(axis=1)},
    )
