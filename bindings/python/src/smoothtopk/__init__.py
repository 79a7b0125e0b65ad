"""Smoothed top-k prediction and certified l2 radius (randomized smoothing) for any ONNX classifier.

    from smoothtopk import SmoothedClassifier

    with SmoothedClassifier("model.onnx", sigma=0.25) as g:
        certificate = g.certify(x, k=5, n=100_000)
        print(certificate.label, certificate.radius)

Statistics: Jia, Cao, Wang, Gong, "Certified Robustness for Top-k Predictions against Adversarial Perturbations via
Randomized Smoothing", ICLR 2020.
"""

from ._answers import Answer, Answers, Certificate, Certificates, Prediction, Predictions
from ._budget import AlphaBudget, Share
from ._classifier import SmoothedClassifier
from ._counts import Counts, certify_answer_counts, certify_counts, predict_counts
from ._errors import (
    CancelledError,
    DeadlineExceededError,
    ForkedError,
    InternalError,
    InvalidArgumentError,
    InvalidDataError,
    ModelError,
    NotFoundError,
    OnnxRuntimeError,
    PanicError,
    PoisonedError,
    ProviderError,
    ReadError,
    RunError,
    SmoothTopKError,
)
from ._guarantee import Guarantee, Guarantees
from ._jobs import Cancel
from ._library import build_info, version
from ._noise_cost import NoiseCost, RowNoise
from ._runtime import check_provider, load_runtime, runtime_path, runtime_version

__version__ = version()

__all__ = [
    "AlphaBudget",
    "Answer",
    "Answers",
    "Cancel",
    "CancelledError",
    "Certificate",
    "Certificates",
    "Counts",
    "DeadlineExceededError",
    "ForkedError",
    "Guarantee",
    "Guarantees",
    "InternalError",
    "InvalidArgumentError",
    "InvalidDataError",
    "ModelError",
    "NoiseCost",
    "NotFoundError",
    "OnnxRuntimeError",
    "PanicError",
    "PoisonedError",
    "Prediction",
    "Predictions",
    "ProviderError",
    "ReadError",
    "RowNoise",
    "RunError",
    "Share",
    "SmoothTopKError",
    "SmoothedClassifier",
    "build_info",
    "certify_answer_counts",
    "certify_counts",
    "check_provider",
    "load_runtime",
    "predict_counts",
    "runtime_path",
    "runtime_version",
    "version",
]
