"""Trains networks for noise that hides, splits or is uniform, on scikit-learn's digits.

    pip install -r scripts/requirements-demo.txt
    python3 scripts/make_families.py FOLDER

The digits are those of scripts/make_demo.py: 8x8 pixels in [0, 1], 200 of them held out. Each network sees, in every
epoch, rows as its family makes them (docs/noise.md). Hidden pixels are -1, which no pixel is. Writes FOLDER/NAME.onnx, in
two minutes, and prints the noise that each is for:

    uniform.onnx   uniform:0.5                l1
    ablate.onnx    ablate:16:value=-1         pixels
    band.onnx      band:3:value=-1            columns of a patch
    block.onnx     block:4:value=-1           side of a patch
    split.onnx     split:32:levels=16         l1, multiples of 1/16
"""

import pathlib
import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

from make_demo import WHITE, split  # One BLAS thread.
from mlp import export

SEED, SIDE, HIDDEN = 7, 8, -1.0
EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 200, 2e-3, 1e-3
LAMBDA, KEEP, BAND, BLOCK, SPLITS = 0.5, 16, 3, 4, 32


def uniform(x, rng):
    return x + rng.uniform(-LAMBDA, LAMBDA, x.shape)


def ablate(x, rng):
    shown = rng.permuted(np.tile(np.arange(SIDE * SIDE) < KEEP, (len(x), 1)), axis=1)
    return np.where(shown, x, HIDDEN)


def window(x, rng, heights, widths):
    """A window at any place, which goes on at the other edge; of all rows where it is a band."""
    rows, columns = (np.arange(SIDE) + rng.integers(SIDE, size=(len(x), 1)) for _ in range(2))
    shown = ((rows % SIDE < heights)[:, :, None] & (columns % SIDE < widths)[:, None]).reshape(len(x), -1)
    return np.where(shown, x, HIDDEN)


def band(x, rng):
    return window(x, rng, SIDE, BAND)


def block(x, rng):
    return window(x, rng, BLOCK, BLOCK)


def pieces(x, rng):
    """The middle of the piece of [0, 1] that each pixel is in, where one cut in SPLITS sixteenths is at a random place."""
    cut = (rng.integers(SPLITS, size=x.shape) + 0.5) / WHITE
    return (np.minimum(cut, 1) + (x > cut)) / 2


NOISE = {
    "uniform": (uniform, f"uniform:{LAMBDA}"),
    "ablate": (ablate, f"ablate:{KEEP}:value={HIDDEN:g}"),
    "band": (band, f"band:{BAND}:value={HIDDEN:g}"),
    "block": (block, f"block:{BLOCK}:value={HIDDEN:g}"),
    "split": (pieces, f"split:{SPLITS}:levels={WHITE}"),
}


def train(x, labels, rows):
    rng = np.random.default_rng(SEED)
    net = MLPClassifier(
        (256, 128), alpha=WEIGHT_DECAY, batch_size=128, learning_rate_init=LEARNING_RATE, random_state=SEED
    )
    for epoch in range(EPOCHS):
        net.partial_fit(rows(x, rng), labels, classes=np.arange(10))
        net._optimizer.learning_rate_init = LEARNING_RATE * (1 - (epoch + 1) / EPOCHS)
    return net


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    train_images, test_images, train_labels, test_labels = split()
    x, y = (images.reshape(len(images), -1) / WHITE for images in (train_images, test_images))
    for name, (rows, noise) in NOISE.items():
        net = train(x, train_labels, rows)
        export(net, folder / f"{name}.onnx", "logits")
        print(f"{name}: {net.score(rows(y, np.random.default_rng(1)), test_labels):.3f} of rows right, --noise {noise}")


if __name__ == "__main__":
    main()
