"""Certifies five scans of digits with the demo's network. Run it in the repository's root."""

import numpy as np

from smoothtopk import SmoothedClassifier

digits = np.load("demo/digits_test200.npz")
images = digits["images"][:5].astype(np.float32) / 16  # [5, 1, 8, 8], pixels from 0 to 1

with SmoothedClassifier("demo/digits_mlp_sigma0.25.onnx", sigma=0.25) as g:
    for true, top3 in zip(digits["labels"], g.certify(images, k=3, n=10_000, seed=7)):
        print(f"a {true}: label {top3.label} stays in the top 3 within an l2 radius of {top3.radius:.3f}")
