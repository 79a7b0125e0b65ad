"""Makes the test models exported from scikit-learn, LightGBM and XGBoost, with the labels those give.

    pip install -r scripts/requirements-test-models-sklearn.txt
    python3 scripts/make_test_models_sklearn.py

Writes tests/models/{sklearn,lightgbm,xgboost}_*.onnx and this script's entries of tests/models/cases.json, and checks
each model against ONNX Runtime. Zipmap is the form skl2onnx gives unless told otherwise: a sequence of one map a row.
"""

import lightgbm
import numpy as np
import sklearn
import xgboost
from onnxmltools import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as BoostedFloat
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_digits, load_iris
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from test_models import cases

OPSETS = {"": 17, "ai.onnx.ml": 3}
NAMES = np.array(["setosa", "versicolor", "virginica"])


def iris():
    x, y = load_iris(return_X_y=True)
    return x.astype(np.float32), y


def digits():
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype(np.float32), y


def some_rows(x, count=8):
    return x[np.random.default_rng(11).choice(len(x), size=count, replace=False)]


def add(table, file, what, framework, onnx_model, model, rows, zipmap, tolerance=1e-5, **fields):
    """Writes the model; its cases are the framework's own probabilities, in the order of its classes."""
    # The converters draw the graph's name at random and order these by hash: set, for a file that is always the same.
    onnx_model.graph.name = file.removesuffix(".onnx")
    for entries, key in [(onnx_model.opset_import, "domain"), *((n.attribute, "name") for n in onnx_model.graph.node)]:
        entries.sort(key=lambda entry: getattr(entry, key))
    (cases.MODELS / file).write_bytes(onnx_model.SerializeToString(deterministic=True))
    probabilities = model.predict_proba(rows)
    classes = np.asarray(model.classes_)
    labels = probabilities.argmax(axis=1)
    margin = np.sort(probabilities, axis=1)
    assert (margin[:, -1] - margin[:, -2] > 10 * tolerance).all(), f"{file}: a row is too close to a tie"

    name = onnx_model.graph.input[0].name
    found_labels, found = cases.run_onnxruntime(file, {name: rows})
    if zipmap:
        found = np.array([[row[label] for label in classes.tolist()] for row in found])
    np.testing.assert_allclose(found, probabilities, rtol=0, atol=tolerance, err_msg=file)
    assert np.asarray(found_labels).tolist() == classes[labels].tolist(), file
    table.accepted(
        file,
        what,
        input=name,
        output=onnx_model.graph.output[1].name,
        element_shape=[rows.shape[1]],
        classes=len(classes),
        zipmap=zipmap,
        class_labels=classes.tolist(),
        rows=rows,
        labels=labels,
        scores=probabilities.astype(np.float32),
        **{**fields, "framework": framework},
    )


def export(model, x, zipmap):
    kind = [("input", FloatTensorType([None, x.shape[1]]))]
    return to_onnx(model, initial_types=kind, target_opset=OPSETS, options={id(model): {"zipmap": zipmap}})


def make_sklearn(table):
    framework = f"scikit-learn {sklearn.__version__}"
    x, y = iris()
    digit_x, digit_y = digits()
    forest = RandomForestClassifier(n_estimators=8, max_depth=5, random_state=1).fit(digit_x, digit_y)
    linear = lambda labels, rows=slice(None): LogisticRegression(max_iter=1000).fit(x[rows], labels[rows])
    two = y > 0
    models = [
        ("logistic", linear(y), x, "a linear model of three irises"),
        ("binary", linear(y, two), x, "a linear model of two irises, labelled 1 and 2"),
        ("names", linear(NAMES[y]), x, "a linear model whose labels are names: the label output is strings"),
        ("gaps", linear(np.array([3, 5, 8])[y]), x, "a linear model whose labels are 3, 5 and 8: columns 0, 1 and 2"),
        ("forest", forest, digit_x, "a random forest of ten digits"),
    ]
    for name, model, data, what in models:
        rows = some_rows(data[two] if name == "binary" else data)
        for zipmap in (False, True):
            file = f"sklearn_{name}{'_zipmap' * zipmap}.onnx"
            form = "label and a sequence of maps" if zipmap else "label and probabilities [batch, c]"
            add(table, file, f"{what}; {form}", framework, export(model, data, zipmap), model, rows, zipmap)

    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000)).fit(x, y)
    add(
        table,
        "sklearn_pipeline_zipmap.onnx",
        "scaling and a linear model of three irises, as skl2onnx exports by default",
        framework,
        to_onnx(pipeline, x[:1], target_opset=OPSETS),
        pipeline,
        some_rows(x),
        True,
    )


def make_boosted(table):
    x, y = iris()
    two = y > 0
    kind = [("input", BoostedFloat([None, x.shape[1]]))]
    options = dict(n_estimators=6, max_depth=3, random_state=1)
    for name, rows, labels, what in [("iris", slice(None), y, "three irises"), ("binary", two, y - 1, "two irises")]:
        model = lightgbm.LGBMClassifier(verbose=-1, n_jobs=1, **options).fit(x[rows], labels[rows])
        for zipmap in (False, True):
            exported = convert_lightgbm(model, initial_types=kind, target_opset=15, zipmap=zipmap)
            add(
                table,
                f"lightgbm_{name}{'_zipmap' * zipmap}.onnx",
                f"a LightGBM classifier of {what}",
                f"lightgbm {lightgbm.__version__}",
                exported,
                model,
                some_rows(x[rows]),
                zipmap,
            )
        model = xgboost.XGBClassifier(n_jobs=1, **options).fit(x[rows], labels[rows])
        add(
            table,
            f"xgboost_{name}.onnx",
            f"an XGBoost classifier of {what}; label and probabilities",
            f"xgboost {xgboost.__version__}",
            convert_xgboost(model, initial_types=kind, target_opset=15),
            model,
            some_rows(x[rows]),
            False,
        )


def main():
    table = cases.Table("scripts/make_test_models_sklearn.py", f"scikit-learn {sklearn.__version__}")
    make_sklearn(table)
    make_boosted(table)
    table.write()


if __name__ == "__main__":
    main()
