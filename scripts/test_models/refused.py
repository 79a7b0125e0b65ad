"""Models that cannot be smoothed as they are: each has a reason, and the test asks for that reason and its remedy."""

import numpy as np
from onnx import helper

from .cases import numbers, top_labels
from .graph import FLOAT, INT64, STRING, const, node, save, tensor
from .linear import BIAS, CLASSES, DIM, WEIGHTS, affine, rows, scores


def make(table):
    make_mixing(table)
    make_ambiguous(table)
    make_unsuitable(table)


def make_mixing(table):
    """Rows that influence one another, from plain to subtle."""
    inputs, outputs = [tensor("x", FLOAT, "batch", DIM)], [tensor("scores", FLOAT, "batch", CLASSES)]
    nodes, constants = affine("seen")

    def refused(file, what, steps, more=(), linear=(nodes, constants)):
        save(file, inputs, outputs, [*steps, *linear[0]], [*linear[1], *more])
        table.refused(
            file,
            what,
            reason="rows influence one another",
            input="x",
            output="scores",
            element_shape=[DIM],
            classes=CLASSES,
        )

    mean = node("ReduceMean", "x", "mean", axes=[0], keepdims=1)
    refused("batch_centred.onnx", "linear scores of x minus the batch's mean", [mean, node("Sub", "x mean", "seen")])
    refused(
        "batch_leak.onnx",
        "linear scores of x plus a thousandth of the batch's mean",
        [mean, node("Mul", "mean leak", "leaked"), node("Add", "x leaked", "seen")],
        [const("leak", np.float32(1e-3))],
    )
    refused(
        "row_position.onnx",
        "linear scores of x times one plus the row's place in the batch",
        [
            node("Shape", "x", "size", end=1),
            node("Squeeze", "size", "count"),
            node("Range", "zero count one", "place"),
            node("Unsqueeze", "place axis", "column"),
            node("Cast", "column", "place32", to=FLOAT),
            node("Add", "place32 unit", "factor"),
            node("Mul", "x factor", "seen"),
        ],
        [
            const("zero", np.array(0)),
            const("one", np.array(1)),
            const("axis", np.array([1])),
            const("unit", np.float32(1)),
        ],
    )

    refused(
        "batch_negative.onnx",
        "linear scores of x plus the batch's mean of its negative values, which pixels do not have",
        [
            node("Neg", "x", "minus"),
            node("Relu", "minus", "below"),
            node("ReduceMean", "below", "mean", axes=[0], keepdims=1),
            node("Add", "x mean", "seen"),
        ],
    )
    refused(
        "batch_size.onnx",
        "linear scores of x times the size of the batch less 7/2",
        [
            node("Shape", "x", "size", end=1),
            node("Cast", "size", "size32", to=FLOAT),
            node("Sub", "size32 centre", "factor"),
            node("Mul", "x factor", "seen"),
        ],
        [const("centre", np.float32(3.5))],
    )

    last, constants = affine(out="logits")
    refused(
        "batch_softmax.onnx",
        "linear scores with the softmax taken over the batch",
        [],
        linear=([*last, node("Softmax", "logits", "scores", axis=0)], constants),
    )

    vectors = [
        const(name, np.full(DIM, value, dtype=np.float32))
        for name, value in [("gain", 1), ("shift", 0), ("mean", 0), ("var", 1)]
    ]
    norm = node("BatchNormalization", "x gain shift mean var", "seen new_mean new_var", training_mode=1)
    refused("batch_norm_training.onnx", "linear scores after a batch normalisation in training mode", [norm], vectors)


def make_ambiguous(table):
    """Models that fit once the caller says which input or output is meant."""
    x = [tensor("x", FLOAT, "batch", DIM)]
    coarse, constants = affine(out="coarse")
    fine = [node("MatMul", "x fine_weights", "fine")]
    weights = np.random.default_rng(5).integers(-4, 5, size=(DIM, 5)).astype(np.float32) / 4
    save(
        "two_outputs.onnx",
        x,
        [tensor("coarse", FLOAT, "batch", CLASSES), tensor("fine", FLOAT, "batch", 5)],
        [*coarse, *fine],
        [*constants, const("fine_weights", weights)],
    )
    table.refused(
        "two_outputs.onnx",
        "two outputs that could both be scores: needs the output's name",
        reason="ambiguous output",
        input="x",
        element_shape=[DIM],
        rows=numbers(rows()),
        outputs={
            "coarse": {"classes": CLASSES, "labels": top_labels(scores(rows()))},
            "fine": {"classes": 5, "labels": top_labels(rows() @ weights)},
        },
    )

    nodes, constants = affine("masked")
    save(
        "two_candidates.onnx",
        [tensor("x", FLOAT, "batch", DIM), tensor("mask", FLOAT, "batch", DIM)],
        [tensor("scores", FLOAT, "batch", CLASSES)],
        [node("Mul", "x mask", "masked"), *nodes],
        constants,
    )
    table.refused(
        "two_candidates.onnx",
        "two inputs of the same type and shape, both with a batch: needs a choice",
        reason="ambiguous input",
        output="scores",
        element_shape=[DIM],
        classes=CLASSES,
    )


def make_unsuitable(table):
    """Models that are no classifiers of numbers."""
    scores_out = [tensor("scores", FLOAT, "batch", CLASSES)]
    x = [tensor("x", FLOAT, "batch", DIM)]

    encode = node(
        "LabelEncoder",
        "words",
        "codes",
        domain="ai.onnx.ml",
        keys_strings=["no", "yes"],
        values_floats=[0.0, 1.0],
        default_float=-1.0,
    )
    nodes, constants = affine("codes")
    save(
        "input_string.onnx",
        [tensor("words", STRING, "batch", DIM)],
        scores_out,
        [encode, *nodes],
        constants,
        domains=[("ai.onnx.ml", 3)],
    )
    table.refused("input_string.onnx", "strings in", reason="input type", input="words")

    nodes, constants = affine("codes")
    save(
        "input_int64.onnx",
        [tensor("tokens", INT64, "batch", DIM)],
        scores_out,
        [node("Cast", "tokens", "codes", to=FLOAT), *nodes],
        constants,
    )
    table.refused(
        "input_int64.onnx",
        "token numbers in, to which no Gaussian noise can be added",
        reason="input type",
        input="tokens",
    )

    save(
        "regression.onnx",
        [tensor("image", FLOAT, "batch", 3, 8, 8)],
        [tensor("map", FLOAT, "batch", 1, 8, 8)],
        [node("ReduceMean", "image", "map", axes=[1], keepdims=1)],
    )
    table.refused(
        "regression.onnx", "an image out, no scores [batch, c]", reason="output shape", input="image", output="map"
    )

    save(
        "no_batch.onnx",
        [tensor("x", FLOAT, DIM)],
        [tensor("scores", FLOAT, CLASSES)],
        affine()[0],
        [const("weights", WEIGHTS), const("bias", BIAS)],
    )
    table.refused(
        "no_batch.onnx",
        "scores [3] of one vector [16]: no batch dimension",
        reason="output shape",
        input="x",
        output="scores",
    )

    sequence = helper.make_value_info(
        "parts", helper.make_sequence_type_proto(helper.make_tensor_type_proto(FLOAT, ["batch", None]))
    )
    save("sequence_output.onnx", x, [sequence], [node("SplitToSequence", "x", "parts", axis=1)])
    table.refused("sequence_output.onnx", "a sequence of tensors out", reason="output type", input="x", output="parts")

    words = node(
        "LabelEncoder",
        "label",
        "word",
        domain="ai.onnx.ml",
        keys_int64s=[0, 1, 2],
        values_strings=["cat", "dog", "owl"],
    )
    nodes, constants = affine(out="logits")
    save(
        "label_string.onnx",
        x,
        [tensor("word", STRING, "batch")],
        [*nodes, node("ArgMax", "logits", "label", axis=1, keepdims=0), words],
        constants,
        domains=[("ai.onnx.ml", 3)],
    )
    table.refused(
        "label_string.onnx", "the label's name only, as a string", reason="output type", input="x", output="word"
    )
