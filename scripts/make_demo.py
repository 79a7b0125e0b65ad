"""Trains the demo's model and writes it with its held-out examples.

    pip install -r scripts/requirements-demo.txt
    python3 scripts/make_demo.py

Scikit-learn's digits are 1,797 scans of handwritten digits, 8x8 pixels from 0 to 16 (UCI, Alpaydin and Kaynak 1998).
200 of them, 20 of each digit, are held out; on the others, scaled to [0, 1], a 64-128-128-10 network is trained with
fresh Gaussian noise of sigma 0.25 in every epoch, which is what makes it hold up under the noise of smoothing. Writes

    demo/digits_mlp_sigma0.25.onnx   `image` float32 [batch, 1, 8, 8], pixels in [0, 1] -> `logits` float32 [batch, 10]
    demo/digits_test200.npz          `images` uint8 [200, 1, 8, 8] from 0 to 16, `labels` int64 [200]

and prints the accuracies that demo/README.md gives. One BLAS thread: on one machine the sums are then always the same.
"""

import io
import os
import pathlib
import zipfile

for threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[threads] = "1"

import numpy as np
import onnxruntime
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from mlp import export

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"
SIGMA, SEED, HELD_OUT = 0.25, 7, 200
WHITE = 16  # the value of a fully inked pixel
EPOCHS, LEARNING_RATE, WEIGHT_DECAY = 400, 2e-3, 1e-2


def split():
    """Train and held-out digits; the split is drawn once, and stratified by label."""
    digits = load_digits()
    images = digits.images.astype(np.uint8)[:, None]
    return train_test_split(images, digits.target, test_size=HELD_OUT, stratify=digits.target, random_state=SEED)


def train(images, labels):
    x = images.reshape(len(images), -1) / WHITE
    rng = np.random.default_rng(SEED)
    net = MLPClassifier(
        (128, 128), alpha=WEIGHT_DECAY, batch_size=128, learning_rate_init=LEARNING_RATE, random_state=SEED
    )
    for epoch in range(EPOCHS):
        net.partial_fit(x + SIGMA * rng.standard_normal(x.shape), labels, classes=np.arange(10))
        # Down to nothing over the run, so that the last epoch's noise does not decide the weights.
        net._optimizer.learning_rate_init = LEARNING_RATE * (1 - (epoch + 1) / EPOCHS)
    return net


def save_npz(path, **arrays):
    """`np.savez_compressed` with a fixed date on its members, so that the file is the same every time."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, np.ascontiguousarray(array), allow_pickle=False)
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            archive.writestr(entry, member.getvalue(), zipfile.ZIP_DEFLATED)


def accuracies(path, images, labels, samples=1000):
    """Top-k accuracy of the model itself, under one draw of noise, and of the smoothed model's vote."""
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    x = images.astype(np.float32) / WHITE
    rng = np.random.default_rng(SEED)
    logits = session.run(None, {"image": x})[0]
    counts = np.zeros_like(logits)
    for row, image in enumerate(x):
        noisy = image + SIGMA * rng.standard_normal((samples, *image.shape)).astype(np.float32)
        counts[row] = np.bincount(session.run(None, {"image": noisy})[0].argmax(axis=1), minlength=10)
    rank = lambda scores: (scores > scores[np.arange(len(labels)), labels][:, None]).sum(axis=1)
    noisy = counts[np.arange(len(labels)), labels].mean() / samples
    print(f"clean top-1 {np.mean(rank(logits) < 1):.1%}, noisy top-1 {noisy:.1%}")
    for k in (1, 2, 3):
        print(f"smoothed top-{k} {np.mean(rank(counts) < k):.1%}")


def main():
    train_images, test_images, train_labels, test_labels = split()
    net = train(train_images, train_labels)
    DEMO.mkdir(exist_ok=True)
    path = DEMO / "digits_mlp_sigma0.25.onnx"
    export(net, path, "logits")
    save_npz(DEMO / "digits_test200.npz", images=test_images, labels=test_labels.astype(np.int64))
    accuracies(path, test_images, test_labels)


if __name__ == "__main__":
    main()
