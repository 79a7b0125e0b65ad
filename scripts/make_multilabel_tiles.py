"""Makes a multi-label data set of tiles of digits, and trains a classifier of it.

    pip install -r scripts/requirements-demo.txt
    python3 scripts/make_multilabel_tiles.py FOLDER

Each image is 2x2 tiles of scikit-learn's digits, 16x16 pixels from 0 to 16; its true labels are the digits on it, one to
four of them. The digits of test images are held out, as in scripts/make_demo.py. A 256-256-10 network with sigmoid
outputs is trained with fresh Gaussian noise of sigma 0.5 in every epoch. Writes, in some minutes,

    FOLDER/tiles_sigma0.5.onnx   `image` float32 [batch, 1, 16, 16], pixels in [0, 1] -> `scores` float32 [batch, 10]
    FOLDER/tiles_test.npz        `images` uint8 [200, 1, 16, 16], `labels` uint8 [200, 10]: 1 where the digit is there
"""

import pathlib
import sys

import numpy as np
from sklearn.neural_network import MLPClassifier

from make_demo import WHITE, save_npz, split  # One BLAS thread.
from mlp import export

SIGMA, SEED, TRAIN, TEST = 0.5, 7, 12_000, 200
EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 100, 2e-3, 1e-2


def tiles(images, labels, count, rng):
    """Images of 2x2 digits, and which digits are on each."""
    chosen = rng.integers(0, len(images), (count, 2, 2))
    rows = images[chosen][:, :, :, 0]  # count, 2, 2, 8, 8
    there = np.zeros((count, 10), np.uint8)
    there[np.arange(count)[:, None], labels[chosen].reshape(count, 4)] = 1
    return rows.transpose(0, 1, 3, 2, 4).reshape(count, 1, 16, 16), there


def train(images, there):
    x = images.reshape(len(images), -1) / WHITE
    rng = np.random.default_rng(SEED)
    net = MLPClassifier((256,), alpha=WEIGHT_DECAY, batch_size=128, learning_rate_init=LEARNING_RATE, random_state=SEED)
    for epoch in range(EPOCHS):
        net.partial_fit(x + SIGMA * rng.standard_normal(x.shape), there, classes=np.arange(10))
        net._optimizer.learning_rate_init = LEARNING_RATE * (1 - (epoch + 1) / EPOCHS)
    return net


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    train_images, test_images, train_labels, test_labels = split()
    rng = np.random.default_rng(SEED)
    net = train(*tiles(train_images, train_labels, TRAIN, rng))
    export(net, folder / "tiles_sigma0.5.onnx", "scores", side=16, last="Sigmoid")
    images, there = tiles(test_images, test_labels, TEST, rng)
    save_npz(folder / "tiles_test.npz", images=images, labels=there)
    x = images.reshape(TEST, -1) / WHITE
    scores = net.predict_proba(x + SIGMA * rng.standard_normal(x.shape))
    for k in (1, 2, 3, 4):
        top = np.argsort(-scores, axis=1)[:, :k]
        kept = np.take_along_axis(there, top, axis=1).sum(axis=1)
        print(f"noisy top-{k}: precision {np.mean(kept / k):.3f}, recall {np.mean(kept / there.sum(axis=1)):.3f}")


if __name__ == "__main__":
    main()
