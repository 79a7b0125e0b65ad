# The scripts of examples/cluster on a real Slurm of this machine alone (Debian: slurm-wlm and munge; root). Not part of `make test`,
# which runs the scripts' shell, and reads the manifests of Kubernetes: Slurm waits two minutes before it starts a job again.

.PHONY: test-cluster

test-cluster: setup ## Run the Slurm scripts on a Slurm of this machine (root; about four minutes)
	$(call need,slurmctld,slurm-wlm munge)
	$(CARGO) build --locked $(HOOKS) --bin smoothtopk
	SMOOTHTOPK_ONNXRUNTIME="$${SMOOTHTOPK_ONNXRUNTIME:-$(CURDIR)/.deps/onnxruntime}" \
		$(PYTHON) tests/cluster/slurm.py "$(TARGET)/debug/smoothtopk" "$(TARGET)/test-cluster"
