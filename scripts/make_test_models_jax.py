"""Makes the test model exported from JAX, with the labels JAX gives.

    pip install -r scripts/requirements-test-models-jax.txt
    python3 scripts/make_test_models_jax.py

Writes tests/models/jax_*.onnx and this script's entries of tests/models/cases.json, and checks the model against ONNX
Runtime. Weights are random, drawn from a fixed seed.
"""

import jax
import jax.numpy as jnp
import numpy as np
import onnx
from jax2onnx import to_onnx

from test_models import cases

SIDE, CHANNELS, CLASSES = 8, 3, 5


def parameters():
    rng = np.random.default_rng(2020)
    filters = rng.normal(size=(3, 3, CHANNELS, 8)).astype(np.float32) / 4
    weights = rng.normal(size=(8, CLASSES)).astype(np.float32)
    return filters, weights - weights.mean(axis=1, keepdims=True)


FILTERS, WEIGHTS = parameters()


def classify(image, centre):
    """Channels last, as JAX's and Keras's layers have it: convolution, ReLU, mean, linear, softmax."""
    maps = jax.lax.conv_general_dilated(image, FILTERS, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return jax.nn.softmax(8 * (jnp.maximum(maps, 0).mean(axis=(1, 2)) @ WEIGHTS - centre), axis=-1)


def main():
    table = cases.Table("scripts/make_test_models_jax.py", f"jax {jax.__version__}")
    rng = np.random.default_rng(3)
    rows = rng.random((12, SIDE, SIDE, CHANNELS), dtype=np.float32) ** rng.uniform(0.2, 5, (12, 1, 1, CHANNELS))
    rows = rows.astype(np.float32)
    maps = np.asarray(
        jax.lax.conv_general_dilated(rows, FILTERS, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC"))
    )
    centre = (np.maximum(maps, 0).mean(axis=(1, 2)) @ WEIGHTS).mean(axis=0)
    model = lambda image: classify(image, centre)
    scores = np.asarray(model(rows))
    margin = np.sort(scores, axis=1)
    assert (margin[:, -1] - margin[:, -2] > 1e-3).all(), "a row is too close to a tie"

    file = "jax_cnn.onnx"
    exported = to_onnx(model, [("batch", SIDE, SIDE, CHANNELS)], model_name="jax_cnn", opset=21)
    for part in [exported, exported.graph, *exported.graph.node, *exported.graph.value_info]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(exported, cases.MODELS / file)
    name, output = exported.graph.input[0].name, exported.graph.output[0].name
    found = cases.run_onnxruntime(file, {name: rows})[0]
    np.testing.assert_allclose(found, scores, rtol=0, atol=1e-5, err_msg=file)
    table.accepted(
        file,
        "a convolutional network on [8, 8, 3] images, softmax probabilities",
        input=name,
        output=output,
        element_shape=[SIDE, SIDE, CHANNELS],
        classes=CLASSES,
        layout="nhwc",
        rows=rows,
        scores=scores,
    )
    table.write()


if __name__ == "__main__":
    main()
