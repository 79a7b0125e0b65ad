# Speed: the yardstick against plain ONNX Runtime.
.PHONY: bench-yardstick resnet50

RESNET50 := .deps/resnet50/resnet50.onnx

# Random weights, of which nothing is kept in the repository.
resnet50: $(RESNET50)

$(RESNET50): scripts/make_resnet50.py scripts/requirements-resnet50.txt
	@$(PYTHON) -m venv .deps/resnet50/venv
	@.deps/resnet50/venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements-resnet50.txt
	.deps/resnet50/venv/bin/python $< $@

bench-yardstick: setup resnet50 ## Measure rows/s beside ONNX Runtime's best (about 8 minutes; wants a quiet machine)
	$(CARGO) bench --locked --bench yardstick -- --svg docs/benchmarks-cpu.svg
