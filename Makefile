# Each target is one verb. What a target needs is installed into its own environment, .venv-demo or .venv-test, and
# nowhere else; an environment is built anew when pyproject.toml or constraints.txt has changed.

PYTHON ?= python3
DEMO := .venv-demo
TEST := .venv-test
PIP_OPTIONS := --quiet --disable-pip-version-check --constraint constraints.txt

# As the shell's variables, so that folders may have any name.
export IMAGES MODEL OLLAMA

SEEDS ?= 200

.PHONY: help demo test isolated faults faults-matrix soak lint types imports schemas settings rights metrics dashboards pictures drift check clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      watch photographs go through the pipeline; leaves demo-report/index.html"
	@echo "               IMAGES=folder  every file in it, instead of a few photographs"
	@echo "               MODEL=name     a Hugging Face checkpoint or its directory, through torch"
	@echo "               OLLAMA=url     a server to ask where tier one is unsure"
	@echo "make test      install into a fresh environment and run every test (PYTEST='-k word' for some)"
	@echo "make isolated  the tests again, in a network namespace with no way out (PYTEST as above); needs root or user namespaces"
	@echo "make faults    random faults on a real broker, SEEDS=200 runs; some twenty seconds each"
	@echo "make faults-matrix  each fault by itself, also those that make test leaves out"
	@echo "make soak      100,000 small uploads and 2,000 large ones; leaves docs/memory.svg"
	@echo "make lint      style, format, and which room may import which"
	@echo "make types     mypy, strict"
	@echo "make schemas   write schemas/ from the event models;  make settings, make metrics: write docs/"
	@echo "make rights    write docs/kafka-rights.md from what the tests grant"
	@echo "make dashboards  write Grafana's files from dashboards/;  make pictures: draw them, docs/pictures/, from a"
	@echo "               real run of five minutes with Prometheus (Debian's package of that name)"
	@echo "make drift     fail where one of them is not what would be written"
	@echo "make check     all of it"
	@echo "make clean     remove environments, caches and the report"

demo: $(DEMO)/.ready$(if $(MODEL),-torch)
	@if [ -n "$$MODEL" ] && [ ! -d "$$MODEL" ]; then $(DEMO)/bin/sluicegate model pull "$$MODEL"; fi
	@$(DEMO)/bin/sluicegate demo $${IMAGES:+--images "$$IMAGES"} $${MODEL:+--model "$$MODEL"} $${OLLAMA:+--ollama "$$OLLAMA"}

test: $(TEST)/.ready
	$(TEST)/bin/python -m pytest $(PYTEST)

# What is installed is installed before the way out is gone.
isolated: $(TEST)/.ready
	$(TEST)/bin/python tests/isolated.py $(TEST)/bin/python -m pytest $(PYTEST)

faults: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python tests/faults/schedules.py --seeds $(SEEDS)

faults-matrix: $(TEST)/.ready
	$(TEST)/bin/python -m pytest tests/faults tests/integration/test_kafka_rights.py -m "long or not long" $(PYTEST)

soak: $(TEST)/.ready
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --group bench
	PYTHONPATH=tests $(TEST)/bin/python tests/faults/soak.py

lint: $(TEST)/.ready
	$(TEST)/bin/ruff check
	$(TEST)/bin/ruff format --check
	$(TEST)/bin/lint-imports

types: $(TEST)/.ready
	$(TEST)/bin/mypy

schemas: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_schemas.export

settings: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.operations.settings_table

rights: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.delivery.rights_table

metrics: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.operations.metrics_table

dashboards: $(TEST)/.ready
	$(TEST)/bin/python -m dashboards.grafana

pictures: $(TEST)/.ready
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --group pictures
	PYTHONPATH=.:tests $(TEST)/bin/python -m dashboards.pictures

drift: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_schemas.export --check
	$(TEST)/bin/python -m sluicegate_consumer.operations.settings_table --check
	$(TEST)/bin/python -m sluicegate_consumer.delivery.rights_table --check
	$(TEST)/bin/python -m sluicegate_consumer.operations.metrics_table --check
	$(TEST)/bin/python -m dashboards.grafana --check

check: test lint types drift

clean:
	rm -rf $(DEMO) $(TEST) examples/node/node_modules demo-report .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

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
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --editable '.[consumer,onnx,openvino,torch,embedded,otel]' --group test --group lint
	@$(PYTHON) -m venv --clear $(TEST)/plain
	@$(TEST)/plain/bin/pip install $(PIP_OPTIONS) .
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix examples/node || true; fi
	@touch $@
