"""Smoothed top-k prediction and certified radii (randomized smoothing) for any ONNX classifier.

    from smoothtopk import SmoothedClassifier

    with SmoothedClassifier("model.onnx", sigma=0.25) as g:
        certificate = g.certify(x, k=5, n=100_000)
        print(certificate.label, certificate.radius)

Statistics: Jia, Cao, Wang, Gong, "Certified Robustness for Top-k Predictions against Adversarial Perturbations via
Randomized Smoothing", ICLR 2020.
"""

from ._arrays import Answers, Certificates, Guarantees, Predictions
from ._budget import AlphaBudget, Share
from ._classifier import SmoothedClassifier
from ._compose import compose
from ._dataset import certify_dataset
from ._diffusion import diffusion_denoiser, diffusion_step
from ._errors import (
    BusyError,
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
from ._job import Job
from ._jobs import Cancel
from ._library import build_info, version
from ._partial import Partial, partial_of
from ._run import Run, load_run
from ._runtime import check_provider, load_runtime, runtime_path, runtime_version
from ._same_noise import SameNoiseWarning
from ._statements import Answer, Certificate, Counts, Guarantee, Prediction
from ._stats import Stats

__version__ = version()

__all__ = [
    "AlphaBudget",
    "Answer",
    "Answers",
    "BusyError",
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
    "Job",
    "ModelError",
    "NotFoundError",
    "OnnxRuntimeError",
    "PanicError",
    "Partial",
    "PoisonedError",
    "Prediction",
    "Predictions",
    "ProviderError",
    "ReadError",
    "Run",
    "RunError",
    "SameNoiseWarning",
    "Share",
    "SmoothTopKError",
    "SmoothedClassifier",
    "Stats",
    "build_info",
    "certify_dataset",
    "check_provider",
    "compose",
    "diffusion_denoiser",
    "diffusion_step",
    "load_run",
    "load_runtime",
    "partial_of",
    "runtime_path",
    "runtime_version",
    "version",
]
