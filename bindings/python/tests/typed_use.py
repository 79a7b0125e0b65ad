"""Uses every public part with types; mypy --strict and pyright read it, nothing runs it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import onnx
import tqdm

from smoothtopk import (
    AlphaBudget,
    Answer,
    Cancel,
    Certificate,
    Certificates,
    Counts,
    DeadlineExceededError,
    Guarantee,
    Guarantees,
    Partial,
    Prediction,
    Predictions,
    Share,
    SmoothedClassifier,
    partial_of,
)


def use(x: npt.NDArray[np.float32], proto: onnx.ModelProto) -> float:
    SmoothedClassifier(proto, 0.5).close()
    SmoothedClassifier(b"bytes", sigma=np.float64(0.5), mean=[0.5, 0.5, 0.5], std=np.ones(3)).close()
    cancel = Cancel()
    with SmoothedClassifier("model.onnx", sigma=0.25, provider="cuda:0", threads=2, batch=np.int64(3)) as g:
        certificate = g.certify(x, k=5, n=100_000, label=np.int64(3), timeout=1.5, progress=True, cancel=cancel)
        certificates = g.certify(x, k=[1, 5], label=np.array([1, 2]), progress=tqdm.tqdm(), allocation="simuem")
        prediction = g.predict(x, k=np.arange(3).tolist(), progress=tqdm.tqdm)
        counts: Counts = g.sample(x, 100, progress=print) + g.sample(x, 100, first=100)
        shape: tuple[int, ...] = g.element_shape
        g.certify(x, rule="radius:0.5", allocation="auto", generator="chacha12", chacha12_key=bytes(32))
        g.predict(x, rule="predict", timeout=0.05, generator="philox", seed=1)
        answer: Guarantee | Guarantees = g.certify_answer(x, k=3, n0=0, n=np.int64(100))
    one_k: Certificate = certificate
    several_k: Certificates = certificates
    first: Certificates = certificates[:, 0]
    masked: Certificates = certificates[certificates.radius > 0.5][:10]
    costs: npt.NDArray[np.float64] = first.radius_cost + masked.p_upper[:1] + one_k.radius + several_k.largest_k
    radii: npt.NDArray[np.float64] = certificates.radius
    one: Certificate = certificates.flat[0]
    also: Certificate = certificates[0, 1]
    part: Certificates = certificates[1:][0]
    print(costs, part, masked.to_pandas(), masked.to_arrow(), masked.columns()["radius"])
    assert isinstance(prediction, Predictions)
    each: Prediction = prediction.flat[0]
    labels: tuple[int, ...] | None = each.labels
    with SmoothedClassifier("model.onnx", 0.25, exact_levels=255, generator="chacha12") as exact:
        levels: int | None = exact.exact_levels
    assert isinstance(answer, Guarantees)
    whole: npt.NDArray[np.float64] = answer.set_radius
    guarantee: Guarantee = answer.flat[0]
    stated: Counts = Counts.assuming([1, 2], noise="uniform:0.5", n=np.int64(4), validity="anytime")
    every: tuple[float, ...] = guarantee.label_radii + stated.guarantee(pilot=one.counts).kept_radii
    budget: AlphaBudget = AlphaBudget.open(AlphaBudget(0.01, "even:500").save())
    share: Share = budget.draw()
    alpha: float = share.alpha + budget.draw_many(np.int64(3))[0].alpha + budget.draw_of(0.1).alpha
    common: Answer = one
    secret: str = common.to_json_with_secret() + counts.to_json_with_secret()
    decided: str | None = one.decision or one.early_stop or one.allocation
    print(levels, whole, every, alpha, secret, decided, one.n_certified, one.samples_drawn)
    try:
        radius: float = counts.certify(1, 1, allocation="pooled:0.5").radius + stated.certify(0, randomized=0.5).radius
    except DeadlineExceededError as error:
        partial: Partial | None = error.partial
        print(error.field, partial, error.status, partial_of(error))
        if isinstance(error.partial, (Guarantee, Guarantees)):
            print(error.partial.set_radius)
        raise
    total: Counts = Counts.sum([counts, Counts.from_json(counts.to_json())])
    numbers: npt.NDArray[np.uint64] = total.labels + np.asarray(total)
    pilot: Counts | None = common.selection
    print(numbers, pilot, total.noise, total.n, total.invalid, total.assumed, total.assumptions)
    print(radii, one.to_json(), also.label, labels, shape)
    return radius
