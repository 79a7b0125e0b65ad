# The documentation as a site. Links are checked: one to nothing fails the build, and `make lint` by itself.
.PHONY: docs

DOCS_VENV := .venv/docs
SITE := $(TARGET)/site

$(DOCS_VENV)/ready: scripts/requirements-docs.txt
	$(fresh_venv)

docs: $(DOCS_VENV)/ready setup-go ## Build the documentation as a site, in target/site
	$(GO_ENV) GO="$(GO)" $(DOCS_VENV)/bin/python scripts/site/assemble.py "$(TARGET)/site-pages"
	$(DOCS_VENV)/bin/sphinx-build --quiet --fail-on-warning --keep-going -c scripts/site "$(TARGET)/site-pages" "$(SITE)"
	@echo "Open $(SITE)/index.html"
