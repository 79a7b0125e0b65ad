"""Makes the test models exported from PyTorch, with the labels PyTorch gives.

    pip install -r scripts/requirements-test-models-torch.txt
    python3 scripts/make_test_models_torch.py

Writes tests/models/torch_*.onnx and this script's entries of tests/models/cases.json, and checks each model against
ONNX Runtime. Weights are random, from a fixed seed: these models test the form of the export, not what was learnt.
"""

import numpy as np
import onnx
import torch
from torch import nn

from test_models import cases

SIDE, CLASSES = 8, 10


class Network(nn.Module):
    """Two convolutions with batch normalisation and a linear layer: the common shape of an image classifier, tiny."""

    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 16, 3, stride=2, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(16, CLASSES),
        )

    def forward(self, image):
        return self.body(image)


def network():
    torch.manual_seed(2020)
    net = Network()
    # Statistics as training would leave them, and scores far enough apart for labels to vary.
    net.train()
    with torch.no_grad():
        for _ in range(50):
            net(torch.rand(64, 1, SIDE, SIDE))
        net.eval()
        scores = net(torch.rand(256, 1, SIDE, SIDE))
        last = net.body[-1]
        gain = 1 / scores.std(dim=0)
        last.weight *= gain[:, None]
        last.bias.copy_((last.bias - scores.mean(dim=0)) * gain)
    return net


def export(net, file, **options):
    image = torch.rand(2, 1, SIDE, SIDE)
    path = cases.MODELS / file
    torch.onnx.export(net, (image,), str(path), input_names=["image"], output_names=["logits"], **options)
    # The exporter notes the source file of every node: no business of the model's users.
    model = onnx.load(path)
    for part in [
        model,
        model.graph,
        *model.graph.node,
        *model.graph.input,
        *model.graph.output,
        *model.graph.value_info,
    ]:
        part.ClearField("metadata_props")
        part.ClearField("doc_string")
    onnx.save(model, path)


def main():
    table = cases.Table("scripts/make_test_models_torch.py", f"torch {torch.__version__.split('+')[0]}")
    net = network()
    rows = np.random.default_rng(3).random((12, 1, SIDE, SIDE), dtype=np.float32)
    with torch.no_grad():
        scores = net(torch.from_numpy(rows)).numpy()
    margin = np.sort(scores, axis=1)
    assert (margin[:, -1] - margin[:, -2] > 1e-3).all(), "a row is too close to a tie"

    forms = [
        (
            "torch_cnn.onnx",
            "the default exporter",
            dict(dynamo=True, dynamic_shapes={"image": {0: torch.export.Dim("batch")}}),
        ),
        (
            "torch_cnn_torchscript.onnx",
            "the older TorchScript exporter",
            dict(dynamo=False, dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}}, opset_version=17),
        ),
        (
            "torch_cnn_fixed_batch.onnx",
            "the older exporter without dynamic axes: batch 2",
            dict(dynamo=False, opset_version=17),
        ),
    ]
    for file, what, options in forms:
        if options.get("dynamo"):
            options["external_data"] = False
        export(net, file, **options)
        fixed = "fixed" in file
        step = 2 if fixed else len(rows)
        found = np.concatenate(
            [cases.run_onnxruntime(file, {"image": rows[i : i + step]})[0] for i in range(0, len(rows), step)]
        )
        np.testing.assert_allclose(found, scores, rtol=0, atol=1e-5, err_msg=file)
        table.accepted(
            file,
            f"a convolutional network with batch normalisation in eval mode, by {what}",
            input="image",
            output="logits",
            element_shape=[1, SIDE, SIDE],
            classes=CLASSES,
            layout="nchw",
            rows=rows,
            batch=2 if fixed else "dynamic",
            scores=scores,
        )

    file = "torch_cnn_training.onnx"
    export(
        net.train(),
        file,
        dynamo=False,
        training=torch.onnx.TrainingMode.TRAINING,
        do_constant_folding=False,
        dynamic_axes={"image": {0: "batch"}, "logits": {0: "batch"}},
        opset_version=17,
    )
    together = cases.run_onnxruntime(file, {"image": rows})[0]
    alone = cases.run_onnxruntime(file, {"image": rows[:6]})[0]
    assert np.abs(together[:6] - alone).max() > 1e-3, "the export is not in training mode"
    table.refused(
        file,
        "the same network exported in training mode",
        reason="rows influence one another",
        input="image",
        output="logits",
        element_shape=[1, SIDE, SIDE],
        classes=CLASSES,
    )
    table.write()


if __name__ == "__main__":
    main()
