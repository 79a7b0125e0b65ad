# The report's page in a browser: Debian's Chromium, driven by Playwright.

PAGE_VENV := .venv/page

.PHONY: test-page

$(PAGE_VENV)/ready: tests/page/requirements.txt
	$(fresh_venv)

# The program is that of the tests where there is no other: make test-page SMOOTHTOPK_LIB_DIR=target/release
test-page: setup $(PAGE_VENV)/ready ## Click, type and filter in the report's page, in Chromium
	$(call need,chromium,chromium)
	$(if $(SMOOTHTOPK_LIB_DIR),,$(CARGO) build --locked $(HOOKS) --bin smoothtopk)
	SMOOTHTOPK_PROGRAM="$(abspath $(or $(SMOOTHTOPK_LIB_DIR),$(TARGET)/debug))/smoothtopk" \
		$(PAGE_VENV)/bin/python -m pytest --quiet tests/page
