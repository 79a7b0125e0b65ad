"""Makes the test models that need no framework: graphs built by hand, their expected scores computed in NumPy.

    pip install -r scripts/requirements-test-models.txt
    python3 scripts/make_test_models.py

Writes tests/models/*.onnx and this script's entries of tests/models/cases.json, the same bytes every time; checks each
accepted model against ONNX Runtime.
"""

import numpy as np
import onnx

from test_models import cases, exact, images, linear, refused

TYPES = {"float32": np.float32, "float16": np.float16, "float64": np.float64, "uint8": np.uint8}


def check(file, entry):
    """What ONNX Runtime answers must be what NumPy says."""
    kind = entry.get("input_type", "float32")
    if "bfloat16" in file:
        return  # ONNX Runtime's Python has no bfloat16: the Rust tests run these.
    rows = np.array(entry["rows"]).astype(TYPES[kind]).reshape(-1, *entry["element_shape"])
    fixed = entry.get("options", {}).get("constants", {})
    constants = {name: np.array(c["values"], dtype=c["type"]).reshape(c["shape"]) for name, c in fixed.items()}
    batch = entry.get("batch", "dynamic")
    step = len(rows) if batch == "dynamic" else batch
    names = [output.name for output in onnx.load(cases.MODELS / file, load_external_data=False).graph.output]
    which = names.index(entry["output"])
    parts = [
        cases.run_onnxruntime(file, {entry["input"]: rows[i : i + step], **constants})[which]
        for i in range(0, len(rows), step)
    ]
    found = np.concatenate(parts).reshape(len(rows), -1).astype(np.float64)
    if "scores" in entry:
        expected = np.array(entry["scores"], dtype=np.float64)  # null becomes NaN
        found = np.where(np.isfinite(found), found, np.nan)
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=file)
    else:
        assert found.ravel().astype(int).tolist() == entry["labels"], file


def main():
    table = cases.Table("scripts/make_test_models.py", f"onnx {onnx.__version__}, numpy")
    for room in (linear, exact, images, refused):
        room.make(table)
    for file, entry in table.entries.items():
        if entry["accept"]:
            check(file, entry)
    table.write()


if __name__ == "__main__":
    main()
