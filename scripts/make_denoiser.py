"""Trains a classifier of digits that never sees noise, and a denoiser to put before it.

    pip install -r scripts/requirements-demo.txt
    python3 scripts/make_denoiser.py FOLDER

Both are scikit-learn's networks on its digits (8x8 pixels), trained on the images that scripts/make_demo.py trains on.
The denoiser is a 64-512-64 network that is shown fresh Gaussian noise of sigma 0.25 in every epoch, and gives the image.
Writes, in a minute,

    FOLDER/clean.onnx      `image` float32 [batch, 1, 8, 8], pixels in [0, 1] -> `logits` float32 [batch, 10]
    FOLDER/denoiser.onnx   `image` -> `denoised`, of the same shape
"""

import pathlib
import sys

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from make_demo import WHITE, split  # One BLAS thread.
from mlp import export

SIGMA, SEED = 0.25, 7
EPOCHS, LEARNING_RATE = 150, 2e-3


def train_classifier(x, labels):
    return MLPClassifier((128,), alpha=1e-3, max_iter=300, random_state=SEED).fit(x, labels)


def train_denoiser(x):
    rng = np.random.default_rng(SEED)
    net = MLPRegressor(hidden_layer_sizes=(512,), batch_size=128, learning_rate_init=LEARNING_RATE, random_state=SEED)
    for epoch in range(EPOCHS):
        net.partial_fit(x + SIGMA * rng.standard_normal(x.shape), x)
        net._optimizer.learning_rate_init = LEARNING_RATE * (1 - (epoch + 1) / EPOCHS)
    return net


def main():
    folder = pathlib.Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    train_images, test_images, train_labels, test_labels = split()
    x, y = (images.reshape(len(images), -1) / WHITE for images in (train_images, test_images))
    classifier, denoiser = train_classifier(x, train_labels), train_denoiser(x)
    export(classifier, folder / "clean.onnx", "logits")
    export(denoiser, folder / "denoiser.onnx", "denoised", image=True)
    noisy = y + SIGMA * np.random.default_rng(SEED).standard_normal(y.shape)
    for name, pixels in [("clean", y), ("noisy", noisy), ("denoised", denoiser.predict(noisy))]:
        print(f"{name}: {classifier.score(pixels, test_labels):.3f} of {len(y)} test images right")


if __name__ == "__main__":
    main()
