# Speed: the yardstick against plain ONNX Runtime, and the instructions that a row costs beside the model.
.PHONY: bench-yardstick resnet50 test-instructions count-instructions instructions-program

RESNET50 := .deps/resnet50/resnet50.onnx

# Random weights, of which nothing is kept in the repository.
resnet50: $(RESNET50)

$(RESNET50): scripts/make_resnet50.py scripts/requirements-resnet50.txt
	@$(PYTHON) -m venv .deps/resnet50/venv
	@.deps/resnet50/venv/bin/python -m pip install --quiet --disable-pip-version-check -r scripts/requirements-resnet50.txt
	.deps/resnet50/venv/bin/python $< $@

bench-yardstick: setup resnet50 ## Measure rows/s beside ONNX Runtime's best (about 8 minutes; wants a quiet machine)
	$(CARGO) bench --locked --bench yardstick -- --svg docs/benchmarks-cpu.svg

# Built as the tests are, so that they share what is built.
instructions-program: setup
	$(call need,valgrind,valgrind)
	$(CARGO) test --locked $(HOOKS) --no-run --bench instructions

INSTRUCTIONS = $$(ls -t $(TARGET)/debug/deps/instructions-* | grep -v '\.d$$' | head -n 1)
COUNT = SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" \
	$(PYTHON) scripts/count_instructions.py "$(INSTRUCTIONS)" benches/instructions.txt

test-instructions: instructions-program ## Count the instructions of a row beside the model; fails where they grew by a tenth
	$(COUNT)

count-instructions: instructions-program ## Write the counts of test-instructions to benches/instructions.txt
	$(COUNT) --write
