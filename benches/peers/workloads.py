"""The models, each with one real input, that every peer smooths."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

ROOT = Path(__file__).resolve().parents[2]
SHARED = Path(os.environ.get("SMOOTHTOPK_SHARED", ROOT.parent / "shared"))
SIGMA = 0.25


@dataclass(frozen=True)
class Workload:
    """A model and what is asked of it.

    Attributes:
        name: as in the tables and in PEERS_MODELS.
        model: path of the ONNX file.
        data: path of the .npz whose `images` hold the input.
        index, scale: the input is images[index] / scale: one whose noisy rows do not all get one label.
        n: noisy rows of one call.
        batches: rows per run to try in the search for a peer's best.
        target_cohen, target_onnxruntime: what ours is to reach, as a multiple of that peer at its best; None for none.
    """

    name: str
    model: Path
    data: Path
    index: int
    scale: float
    n: int
    batches: tuple[int, ...]
    target_cohen: float | None = None
    target_onnxruntime: float | None = None

    @property
    def missing(self) -> list[Path]:
        """The files that are not there."""
        return [path for path in (self.model, self.data) if not path.is_file()]

    def input(self) -> npt.NDArray[np.float32]:
        """The input, of the model's shape without the batch."""
        with np.load(self.data) as data:
            return np.ascontiguousarray(data["images"][self.index].astype(np.float32) / np.float32(self.scale))


WORKLOADS = {
    each.name: each
    for each in (
        Workload(
            "digits_mlp",
            ROOT / "demo" / "digits_mlp_sigma0.25.onnx",
            ROOT / "demo" / "digits_test200.npz",
            index=36,
            scale=16,
            n=20_000,
            batches=(100, 400, 1000, 4000, 10_000),
        ),
        Workload(
            "resnet20",
            SHARED / "models" / "cifar10_resnet20_sigma0.25.onnx",
            SHARED / "data" / "cifar10_test500.npz",
            index=2,
            scale=255,
            n=2000,
            batches=(8, 16, 32, 64, 128, 256),
            target_cohen=5,
            target_onnxruntime=1.35,
        ),
        Workload(
            "efficientnet_lite0",
            SHARED / "models" / "efficientnet_lite0.onnx",
            SHARED / "data" / "imagenet_photos.npz",
            index=2,
            scale=255,
            n=400,
            batches=(1, 2, 4, 8, 16, 32),
            target_cohen=10,
            target_onnxruntime=2,
        ),
    )
}
