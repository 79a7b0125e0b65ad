"""Decides a radius with few samples, then says how long three labels stay. Run it in the repository's root."""

import numpy as np

from smoothtopk import AlphaBudget, SmoothedClassifier

images = np.load("demo/digits_test200.npz")["images"][:5].astype(np.float32) / 16  # multiples of 1/16 from 0 to 1
budget = AlphaBudget(0.01, "even:10")  # all ten statements are true with probability 0.99

with SmoothedClassifier("demo/digits_mlp_sigma0.25.onnx", sigma=0.25, exact_levels=16, generator="chacha12") as g:
    for x in images:
        one = g.certify(x, k=1, n=100_000, rule="radius:0.25", allocation="auto", alpha=budget.draw().alpha)
        three = g.certify_answer(x, k=3, n=10_000, alpha=budget.draw().alpha)
        stay = [f"{label} to {radius:.3f}" for label, radius in zip(three.labels, three.label_radii)]
        print(f"{one.label} at radius 0.25: {one.decision} by {one.n} samples. In the top 3 stay {', '.join(stay)}.")
