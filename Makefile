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

# What each variant of the image holds. torch's CPU build stands in an index of its own; where that cannot be reached,
# TORCH_CPU="--find-links DIRECTORY" takes it from there.
CPU_EXTRAS := consumer onnx openvino otel torch
CUDA_EXTRAS := consumer nvimgcodec otel torch
TORCH_CPU ?= --torch-backend cpu
LOCK := $(TEST)/bin/uv pip compile --quiet --no-header --no-annotate --generate-hashes --constraint constraints.txt \
	--python-version 3.11 --python-platform x86_64-manylinux_2_28 --only-binary :all:

.PHONY: help demo test isolated chart faults faults-matrix soak bench bench-docs bench-gpu bench-precision lint types imports \
	schemas settings rights metrics dashboards pictures chart-docs drift locks sbom check clean
.DELETE_ON_ERROR:

help:
	@echo "make demo      watch photographs go through the pipeline; leaves demo-report/index.html"
	@echo "               IMAGES=folder  every file in it, instead of a few photographs"
	@echo "               MODEL=name     a Hugging Face checkpoint or its directory, through torch"
	@echo "               OLLAMA=url     a server to ask where tier one is unsure"
	@echo "make test      install into a fresh environment and run every test (PYTEST='-k word' for some)"
	@echo "make isolated  the tests again, in a network namespace with no way out (PYTEST as above); needs root or user namespaces"
	@echo "make chart     only the tests of the chart, the Dockerfile and the lock files"
	@echo "make faults    random faults on a real broker, SEEDS=200 runs; some twenty seconds each"
	@echo "make faults-matrix  each fault by itself, also those that make test leaves out"
	@echo "make soak      100,000 small uploads and 2,000 large ones; leaves docs/memory.svg"
	@echo "make bench     the limit, two peers and sluicegate on this machine, in ten minutes; leaves bench-report/"
	@echo "               BENCH='--only curves' measures less;  make bench-docs: into docs/;  make bench-gpu: on a GPU"
	@echo "make bench-precision  how far bfloat16 is off; BENCH='--model DIR --images DIR --policy FILE' for your own"
	@echo "make lint      style, format, and which room may import which"
	@echo "make types     mypy, strict"
	@echo "make schemas   write schemas/ from the event models;  make settings, make metrics: write docs/"
	@echo "make rights    write docs/kafka-rights.md from what the tests grant"
	@echo "make dashboards  write Grafana's files from dashboards/;  make pictures: draw them, docs/pictures/, from a"
	@echo "               real run of five minutes with Prometheus (Debian's package of that name)"
	@echo "make chart-docs  write the chart's table of values"
	@echo "make drift     fail where one of them is not what would be written"
	@echo "make locks     pin what the images hold, by hash, into locks/;  make sbom: write their bills of materials"
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

chart: $(TEST)/.ready
	$(TEST)/bin/python -m pytest tests/chart $(PYTEST)

faults: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python tests/faults/schedules.py --seeds $(SEEDS)

faults-matrix: $(TEST)/.ready
	$(TEST)/bin/python -m pytest tests/faults tests/integration/test_kafka_rights.py -m "long or not long" $(PYTEST)

soak: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python tests/faults/soak.py

bench: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/run.py --report $(BENCH_REPORT) $(BENCH)

bench-docs: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/publish.py $(BENCH_REPORT)

bench-gpu: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/gpu.py $(BENCH)

bench-precision: $(TEST)/.ready
	PYTHONPATH=tests $(TEST)/bin/python benchmarks/precision.py --report $(BENCH_REPORT) $(BENCH)

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

rights: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.delivery.rights_table

metrics: $(TEST)/.ready
	$(TEST)/bin/python -m sluicegate_consumer.operations.metrics_table

dashboards: $(TEST)/.ready
	$(TEST)/bin/python -m dashboards.grafana

pictures: $(TEST)/.ready
	PYTHONPATH=.:tests $(TEST)/bin/python -m dashboards.pictures

chart-docs: $(TEST)/.ready
	$(TEST)/bin/python helm/values_table.py

drift: $(TEST)/.ready
	$(TEST)/bin/python helm/values_table.py --check
	$(TEST)/bin/python -m sluicegate_schemas.export --check
	$(TEST)/bin/python -m sluicegate_consumer.operations.settings_table --check
	$(TEST)/bin/python -m sluicegate_consumer.delivery.rights_table --check
	$(TEST)/bin/python -m sluicegate_consumer.operations.metrics_table --check
	$(TEST)/bin/python -m dashboards.grafana --check

locks: $(TEST)/.ready
	@{ echo "# extras: $(CPU_EXTRAS)"; echo "--extra-index-url https://download.pytorch.org/whl/cpu"; \
	   $(LOCK) $(TORCH_CPU) $(CPU_EXTRAS:%=--extra %) pyproject.toml; } > locks/cpu.txt
	@{ echo "# extras: $(CUDA_EXTRAS)"; $(LOCK) $(CUDA_EXTRAS:%=--extra %) pyproject.toml; } > locks/cuda.txt
	@{ echo "# what builds the wheel"; echo hatchling | $(LOCK) -; } > locks/build.txt

sbom: $(TEST)/.ready
	@mkdir -p dist
	$(TEST)/bin/cyclonedx-py requirements locks/cpu.txt --pyproject pyproject.toml --output-reproducible -o dist/sbom-cpu.json
	$(TEST)/bin/cyclonedx-py requirements locks/cuda.txt --pyproject pyproject.toml --output-reproducible -o dist/sbom-cuda.json

check: test lint types drift

clean:
	rm -rf $(DEMO) $(TEST) examples/node/node_modules demo-report bench-report dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

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
# stand, so that no test need fetch anything, an environment of one who only publishes, one of the analyser of network
# policies (its pins contradict everybody else's), two versions of helm and the Node example's client.
$(TEST)/.ready: pyproject.toml constraints.txt
	@echo "installing into $(TEST), torch among it: some minutes"
	@$(PYTHON) -m venv --clear $(TEST)
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --upgrade pip
	@$(TEST)/bin/pip install $(PIP_OPTIONS) --editable '.[consumer,onnx,openvino,torch,embedded,otel]' \
		--group test --group lint --group chart --group bench
	@$(PYTHON) -m venv --clear $(TEST)/plain
	@$(TEST)/plain/bin/pip install $(PIP_OPTIONS) .
	@$(PYTHON) -m venv --clear $(TEST)/nca
	@$(TEST)/nca/bin/pip install --quiet --disable-pip-version-check network-config-analyzer==2.1.0
	@$(TEST)/bin/python tests/chart/helm_binaries.py || true
	@if command -v npm >/dev/null; then npm install --silent --no-audit --no-fund --prefix examples/node || true; fi
	@touch $@
