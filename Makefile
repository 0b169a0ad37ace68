# make run    serve the chat on port 7860        make test    run every test
# make check  lint and types only                make bench   measure speed
PYTHON ?= python3
PORT ?= 7860
VENV := .venv
BIN := $(VENV)/bin

.PHONY: run test check bench index test-wordpress clean

run: $(VENV)/.installed
	$(BIN)/python app.py --port $(PORT)

index: $(VENV)/.installed
	$(BIN)/python -m ingest index

test: $(VENV)/.test-installed
	tests/get_browser.sh $(BIN)
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m ingest index
	$(BIN)/python -m pytest -n 2 --dist loadfile

check: $(VENV)/.test-installed
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m ingest check

bench: $(VENV)/.installed
	$(BIN)/python -m tests.bench

test-wordpress: $(VENV)/.test-installed
	$(BIN)/python -m tests.wordpress.real

clean:
	rm -rf $(VENV) .index .data .pytest_cache .mypy_cache .ruff_cache

$(BIN)/python:
	tests/make_venv.sh $(PYTHON) $(VENV)

# The CPU build of torch first, where its index can be reached: Linux's default brings gigabytes of
# CUDA. Without it, pip takes what the machine's own settings offer.
$(VENV)/.installed: requirements.txt | $(BIN)/python
	$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(BIN)/python -c 'import torch' 2>/dev/null || [ "$$(uname -s)" != Linux ] || \
	  UV_HTTP_RETRIES=0 UV_HTTP_TIMEOUT=60 $(BIN)/uv pip install -q --python $(BIN)/python \
	  --torch-backend=cpu "$$(grep '^torch==' requirements.txt)" 2>/dev/null || true
	$(BIN)/python -m pip install -q --no-compile --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.test-installed: requirements-test.txt $(VENV)/.installed
	$(BIN)/python -m pip install -q --no-compile --disable-pip-version-check -r requirements-test.txt
	@touch $@
