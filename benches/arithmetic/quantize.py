#!/usr/bin/env python3
"""Makes a model's int8 form, quantized statically: every scale is a constant, so rows do not influence one another.

    quantize.py MODEL DATA INPUT_SCALE SIGMA OUT

Scales are calibrated on noisy copies of a hundred images of DATA (.npz with `images`), as they will come: the model is
smoothed at SIGMA. Weights take a scale for each channel.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

IMAGES, BATCH = 100, 5


class NoisyImages(CalibrationDataReader):
    """Batches of noisy images."""

    def __init__(self, name: str, images: np.ndarray, sigma: float):
        self.batches = self.noisy(name, images, sigma)

    @staticmethod
    def noisy(name: str, images: np.ndarray, sigma: float) -> Iterator[dict[str, np.ndarray]]:
        random = np.random.default_rng(0)
        for start in range(0, len(images), BATCH):
            batch = images[start : start + BATCH]
            yield {name: batch + sigma * random.standard_normal(batch.shape, dtype=np.float32)}

    def get_next(self) -> dict[str, np.ndarray] | None:
        return next(self.batches, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("data", type=Path)
    parser.add_argument("input_scale", type=np.float32)
    parser.add_argument("sigma", type=np.float32)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    images = np.load(arguments.data)["images"][:IMAGES].astype(np.float32) / arguments.input_scale
    taken = onnx.load(arguments.model, load_external_data=False).graph.input[0]
    shape = [dimension.dim_value for dimension in taken.type.tensor_type.shape.dim][1:]
    if list(images.shape[1:]) != shape:
        images = images.transpose(0, 3, 1, 2)  # channels last to channels first
    with tempfile.TemporaryDirectory() as scratch:
        prepared = Path(scratch) / "prepared.onnx"
        quant_pre_process(arguments.model, prepared)
        quantize_static(
            prepared,
            arguments.out,
            NoisyImages(taken.name, images, arguments.sigma),
            quant_format=QuantFormat.QDQ,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            per_channel=True,
        )


if __name__ == "__main__":
    main()
