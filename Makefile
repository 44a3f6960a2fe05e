# Each target is one verb. What a target needs is installed into its own environment, .venv-demo or .venv-test, and
# nowhere else; an environment is built anew when pyproject.toml or constraints.txt has changed.

PYTHON ?= python3
DEMO := .venv-demo
TEST := .venv-test
PIP_OPTIONS := --quiet --disable-pip-version-check --constraint constraints.txt

# As the shell's variables, so that folders may have any name.
export IMAGES MODEL OLLAMA

SEEDS ?= 200
BENCH_REPORT ?= bench-report

.PHONY: help demo test faults bench bench-docs bench-gpu lint types imports schemas settings drift check clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      watch photographs go through the pipeline; leaves demo-report/index.html"
	@echo "               IMAGES=folder  every file in it, instead of a few photographs"
	@echo "               MODEL=name     a Hugging Face checkpoint or its directory, through torch"
	@echo "               OLLAMA=url     a server to ask where tier one is unsure"
	@echo "make test      install into a fresh environment and run every test (PYTEST='-k word' for some)"
	@echo "make faults    random faults on a real broker, SEEDS=200 runs; some ten seconds each"
	@echo "make bench     the limit, two peers and sluicegate on this machine, in ten minutes; leaves bench-report/"
	@echo "               BENCH='--only curves' measures less;  make bench-docs: into docs/;  make bench-gpu: on a GPU"
	@echo "make lint      style, format, and which room may import which"
	@echo "make types     mypy, strict"
	@echo "make schemas   write schemas/ from the event models;  make settings: write docs/settings.md"
	@echo "make drift     fail where either is not what would be written"
	@echo "make check     all of it"
	@echo "make clean     remove environments, caches and the report"

demo: $(DEMO)/.ready$(if $(MODEL),-torch)
	@if [ -n "$$MODEL" ] && [ ! -d "$$MODEL" ]; then $(DEMO)/bin/sluicegate model pull "$$MODEL"; fi
	@$(DEMO)/bin/sluicegate demo $${IMAGES:+--images "$$IMAGES"} $${MODEL:+--model "$$MODEL"} $${OLLAMA:+--ollama "$$OLLAMA"}

test: $(TEST)/.ready
	$(TEST)/bin/python -m pytest $(PYTEST)

faults: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python tests/faults/schedules.py --seeds $(SEEDS)

bench: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/run.py --report $(BENCH_REPORT) $(BENCH)

bench-docs: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/publish.py $(BENCH_REPORT)

bench-gpu: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/gpu.py $(BENCH)

lint: $(TEST)/.ready
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/lint-imports

types: $(TEST)/.ready
	$(TEST)/bin/mypy
	$(TEST)/bin/mypy benchmarks/*.py

schemas: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_schemas.export

settings: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.operations.settings_table

drift: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_schemas.export --check
	$(TEST)/bin/python -m sluicegate_consumer.operations.settings_table --check

check: test lint types drift

clean:
	rm -rf $(DEMO) $(TEST) examples/node/node_modules demo-report bench-report .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

$(DEMO)/.ready: pyproject.toml constraints.txt
	@echo "installing into $(DEMO): half a minute on a fast line"
	@$(PYTHON) -m venv --clear $(DEMO)
	@$(DEMO)/bin/pip install $(PIP_OPTIONS) --editable '.[consumer,onnx,embedded]'
	@touch $@

$(DEMO)/.ready-torch: $(DEMO)/.ready
	@echo "installing torch into $(DEMO)"
	@$(DEMO)/bin/pip install $(PIP_OPTIONS) --editable '.[consumer,torch,embedded]'
	@touch $@

# pip is brought up to date first: the one that Debian 12 ships knows no dependency groups. Beside the tests' own packages
# stand, so that no test need fetch anything, an environment of one who only publishes and the Node example's client.
$(TEST)/.ready: pyproject.toml constraints.txt
	@echo "installing into $(TEST), torch among it: some minutes"
	@$(PYTHON) -m venv --clear $(TEST)
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --upgrade pip
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --editable '.[consumer,onnx,openvino,torch,embedded]' --group test --group lint --group bench
	@$(PYTHON) -m venv --clear $(TEST)/plain
	@$(TEST)/plain/bin/pip install $(PIP_OPTIONS) .
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix examples/node || true; fi
	@touch $@
