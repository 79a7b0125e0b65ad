"""The table `tests/models/cases.json`: what each test model is, and the labels its own framework gives to a few rows.

Every script replaces its own entries and leaves the others, so that each can be run alone. See tests/models/README.md
for the meaning of the fields.
"""

import json
import pathlib

import numpy as np

MODELS = pathlib.Path(__file__).resolve().parents[2] / "tests" / "models"
TABLE = MODELS / "cases.json"
NO_LABEL = -1


def top_labels(scores):
    """The top label of every row, ties to the lowest index; a row with a score that is not finite has none."""
    scores = np.asarray(scores, dtype=np.float64)
    labels = scores.argmax(axis=1)
    return np.where(np.isfinite(scores).all(axis=1), labels, NO_LABEL).tolist()


def numbers(array):
    """Nested lists of numbers, each the shortest that reads back as the same float; NaN and infinities are null."""
    array = np.asarray(array)
    if array.dtype.kind in "iub":
        return array.tolist()
    if array.dtype != np.float64:
        array = array.astype(np.float32)
    flat = [float(str(value)) if np.isfinite(value) else None for value in array.ravel()]
    return np.array(flat, dtype=object).reshape(array.shape).tolist()


class Table:
    """The entries of one script."""

    def __init__(self, script, framework):
        self.script = script
        self.framework = framework
        self.entries = {}

    def accepted(self, file, what, *, input, element_shape, rows, labels=None, scores=None, classes, **fields):
        """A model that can be smoothed: rows (before any mean, std or cast) with their top labels and scores."""
        if labels is None:
            labels = top_labels(scores)
        rows = np.asarray(rows)
        self._add(file, what, accept=True, input=input, element_shape=list(element_shape), classes=classes, **fields)
        self.entries[file]["rows"] = numbers(rows.reshape(len(rows), -1))
        self.entries[file]["labels"] = [int(label) for label in labels]
        if scores is not None:
            self.entries[file]["scores"] = numbers(np.asarray(scores).reshape(len(rows), -1))

    def refused(self, file, what, *, reason, **fields):
        """A model that cannot be smoothed, or not without a further option; `reason` is a word for the kind."""
        self._add(file, what, accept=False, reason=reason, **fields)

    def _add(self, file, what, **fields):
        self.entries[file] = {"what": what, "made_by": self.script, "framework": self.framework} | fields

    def write(self):
        table = json.loads(TABLE.read_text()) if TABLE.exists() else {}
        table = {file: entry for file, entry in table.items() if entry["made_by"] != self.script}
        table.update(self.entries)
        TABLE.write_text(_layout(table))
        for file in sorted(self.entries):
            print(f"{file:32} {(MODELS / file).stat().st_size:7,} bytes  labels {self.entries[file].get('labels')}")


def _layout(table):
    """One field a line, one row of numbers a line: a change to the table is a diff that can be read."""
    models = []
    for file in sorted(table):
        fields = []
        for name, value in table[file].items():
            if name in ("rows", "scores"):
                value = "[\n   " + ",\n   ".join(json.dumps(row) for row in value) + "]"
            else:
                value = json.dumps(value)
            fields.append(f'  "{name}": {value}')
        models.append(f" {json.dumps(file)}: {{\n" + ",\n".join(fields) + "}")
    return "{\n" + ",\n".join(models) + "\n}\n"


def run_onnxruntime(file, feeds):
    """Every output of the model, by ONNX Runtime on one CPU thread: the check that the export is what was meant."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(MODELS / file), options, providers=["CPUExecutionProvider"])
    return session.run(None, feeds)
