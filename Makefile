SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
VENV ?= .venv
PINS ?= -c requirements.lock
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
READY := $(VENV)/.ready
NODE_READY := js/node_modules/.ready
STATIC := lit_widget/widget/static

# Browsers are watched one at a time, so that none waits for another's processor.
WORKERS ?= 2

# The pocket model's layers are small: more threads mostly wait for each other, and on a busy machine much longer.
test hosts demo lab notebooks bench results: export OMP_NUM_THREADS ?= 1

.PHONY: help colab results demo docs figures links notebooks test hosts lab lint bundle bundle-is-fresh bench bench-gpu lock clean chromium

help: ## show this list
	@echo "make TARGET, where TARGET is one of"
	@sed -nE 's/^([a-z-]+):.*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12
	@echo "The first of them to run makes $(VENV) with the versions of requirements.lock (several GB, minutes)."

demo: $(READY) ## the simulated user on embedded clips: a table, a figure and demo/report.html
	@echo "== demo: a simulated user corrects embedded clips, with and without live training"
	$(BIN)/lit-widget demo

test: lint bundle-is-fresh chromium $(READY) ## everything CI checks: lint, fresh bundle, all tests
	@echo "== test: every test; those that need what this machine lacks say so"
	$(BIN)/python -m pytest -ra -m "not browser" --numprocesses $(WORKERS) --dist loadfile
	$(BIN)/python -m pytest -ra -m browser --numprocesses $(WORKERS) --dist loadfile

# The hosts that the environment has not: kept outside, since each brings versions of its own.
hosts: export LIT_WIDGET_HOSTS ?= $(HOME)/.cache/lit-widget-hosts
hosts: chromium $(READY) ## the widget in other hosts and kernels, in a browser; fills the table in docs/hosts.md (minutes)
	@echo "== hosts: installing them in $$LIT_WIDGET_HOSTS"
	$(BIN)/python tests/browser/host_packages.py
	@echo "== hosts: the whole loop in each"
	$(BIN)/python -m pytest -ra -m hosts tests/browser --junitxml=build/hosts.xml -o junit_family=xunit1
	$(BIN)/python docs/host_table.py build/hosts.xml

lab: $(READY) ## open JupyterLab on the first notebook
	@echo "== lab: JupyterLab on notebooks/01_first_video.ipynb, Ctrl-C ends it"
	@# In containers one is root, which Jupyter refuses unless told.
	$(BIN)/jupyter lab $(if $(filter 0,$(shell id -u)),--allow-root) notebooks/01_first_video.ipynb

notebooks: $(READY) ## run all notebooks and keep their outputs (minutes)
	$(BIN)/python notebooks/run.py notebooks/*.ipynb

colab: $(READY) ## once published: badges and first cells for Colab, make colab REPOSITORY=https://github.com/OWNER/lit-widget
	$(BIN)/python notebooks/colab.py "$(REPOSITORY)" notebooks/*.ipynb

docs: $(READY) ## build the documentation into site/, without a warning
	@echo "== docs: docs/ and docstrings -> site/"
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict

figures: $(READY) ## draw the figures of docs/method.md anew
	@echo "== figures: docs/figures/"
	$(BIN)/python docs/figures.py

links: ## ask every address that the pages link to (needs a network)
	@echo "== links: README, documentation, notebooks"
	$(PYTHON) docs/links.py

lint: $(READY) ## style, formatting, import rules and types of the Python code
	@echo "== lint: ruff, import-linter, pyright"
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/lint-imports
	$(BIN)/pyright

ifeq ($(shell command -v npm),)
bundle bundle-is-fresh:
	@echo "== $@: skipped, there is no Node.js here; the committed bundle is used as it is"
else
bundle: $(NODE_READY) ## build the browser view from js/ into the package
	@echo "== bundle: js/ -> $(STATIC)"
	npm --prefix js run build

bundle-is-fresh: $(NODE_READY)
	@echo "== bundle: check and test js/, then prove that the committed bundle is what it builds"
	npm --prefix js run check
	npm --prefix js run test
	$(MAKE) --no-print-directory bundle
	@if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then \
		git diff --exit-code --stat -- $(STATIC) \
			|| { echo "The bundle is stale: commit what 'make bundle' builds." >&2; exit 1; }; \
	fi
endif

SEQUENCES ?= ../shared/data
MAIN := original,token-0,previous-mask,close-up,lit-lora,lit-plus
ABLATIONS := lora-no-cl,replace-original,lit-ft,three-loras,memory-adapter

SPEED ?= bench

bench: $(READY) ## speed and memory on this CPU, beside the sam2 package's predictor and a plain trainer (10 minutes)
	$(BIN)/python -m benchmarks.cpu_update --pairs 3 --json $(SPEED)/cpu-update.json
	$(BIN)/python -m benchmarks.cpu_tracking --json $(SPEED)/cpu-tracking.json
	$(BIN)/python -m benchmarks.first_contact --json $(SPEED)/first-contact.json
	$(BIN)/python -m benchmarks.long_memory --frames 200 --json $(SPEED)/long-memory.json
	$(BIN)/python -m benchmarks.versus benchmarks/results $(SPEED)

results: $(READY) ## measure everything anew on embedded and on real videos, then update the pages (hours)
	@echo "== results: embedded clips"
	$(BIN)/python -m benchmarks.view_speed --json benchmarks/results/view-speed.json
	$(BIN)/python -m benchmarks.long_video --json benchmarks/results/long-video.json
	$(BIN)/python -m benchmarks.first_contact --json benchmarks/results/first-contact.json
	$(BIN)/python -m benchmarks.long_memory --json benchmarks/results/long-memory.json
	$(BIN)/python -m benchmarks.throughput --json benchmarks/results/throughput.json
	$(BIN)/python -m benchmarks.cpu_update --json benchmarks/results/cpu-update.json
	$(BIN)/python -m benchmarks.cpu_tracking --rounds 5 --json benchmarks/results/cpu-tracking.json
	$(BIN)/python -m benchmarks.update_time --json benchmarks/results/update-time.json
	$(BIN)/python -m benchmarks.learning_rate embedded:hard:0-2 --json benchmarks/results/learning-rate.json
	$(BIN)/python -m benchmarks.tracking embedded:all:110-117 --json benchmarks/results/tracking-embedded.json
	$(BIN)/python -m benchmarks.compare embedded:hard:110-116 --strategies $(MAIN),$(ABLATIONS) --json benchmarks/results/compare-embedded-0.5.json
	$(BIN)/python -m benchmarks.compare embedded:hard:110-116 --tau 0.75 --json benchmarks/results/compare-embedded-0.75.json
	$(BIN)/python -m benchmarks.horizon embedded:hard:110-116 --json benchmarks/results/horizon-embedded.json
	$(BIN)/python -m benchmarks.transfer embedded:hard:110-116 --json benchmarks/results/transfer-embedded.json
	$(BIN)/python -m benchmarks.monitoring embedded:hard:110-116 --no-modes --json benchmarks/results/monitoring-embedded.json
	@if [ -d "$(SEQUENCES)" ]; then \
		echo "== results: real sequences in $(SEQUENCES)"; \
		$(BIN)/python -m benchmarks.mask_bytes "$(SEQUENCES)" --json benchmarks/results/mask-bytes.json; \
		$(BIN)/python -m benchmarks.tracking "$(SEQUENCES)" --exclude caps --json benchmarks/results/tracking-real.json; \
		$(BIN)/python -m benchmarks.compare "$(SEQUENCES)" --exclude caps --strategies $(MAIN) --json benchmarks/results/compare-real-0.5.json; \
		$(BIN)/python -m benchmarks.horizon "$(SEQUENCES)" --exclude caps --json benchmarks/results/horizon-real.json; \
		$(BIN)/python -m benchmarks.monitoring "$(SEQUENCES)" --exclude caps --no-modes --json benchmarks/results/monitoring-real.json; \
	else \
		echo "== results: no real sequences at $(SEQUENCES) (set SEQUENCES=), skipped"; \
	fi
	$(BIN)/python -m benchmarks.publish

bench-gpu: $(READY) ## updates and tracking on one NVIDIA GPU, beside the plain trainer and SAM 2's own predictor (minutes)
	@echo "== bench-gpu: SAM 2.1-L with random weights"
	$(BIN)/python -m benchmarks.gpu --json benchmarks/results/gpu.json

lock: ## resolve the newest versions anew and write requirements.lock
	@echo "== lock: a fresh resolution in .venv-lock, then requirements.lock"
	rm -rf .venv-lock
	$(MAKE) --no-print-directory VENV=.venv-lock PINS= .venv-lock/.ready
	@# Left out: what torch pins exactly by itself and differs by platform.
	.venv-lock/bin/python -m pip freeze --exclude-editable \
		| grep -viE '^(cuda-|nvidia-|triton)' | LC_ALL=C sort -f > requirements.lock
	rm -rf .venv-lock

clean: ## remove the environment and everything built or cached, but not the bundle
	@echo "== clean"
	rm -rf $(VENV) .venv-lock js/node_modules build dist site .hypothesis .import_linter_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

chromium:
	@if command -v chromium >/dev/null; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "== chromium: installing it for the browser tests"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium fonts-dejavu-core >/dev/null || true; \
	fi; \
	if command -v chromium >/dev/null; then exit 0; fi; \
	echo "== chromium: there is none and it cannot be installed from here: browser tests will be skipped"; \
	[ -z "$${CI:-}" ]

$(READY): pyproject.toml requirements.lock
	@echo "== environment: $(VENV)"
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# sam2 is published as source only and names torch as a build requirement. Installing torch first and
	@# building without isolation spares a second download of several GB into a throw-away environment.
	@# Its optional CUDA kernel fills holes in masks, which is done here without it.
	$(PIP) install -q $(PINS) torch torchvision
	SAM2_BUILD_CUDA=0 $(PIP) install -q $(PINS) --no-build-isolation sam2
	$(PIP) install -q $(PINS) -e '.[dev]'
	touch $@

$(NODE_READY): js/package.json js/package-lock.json
	@echo "== node: packages of js/package-lock.json"
	npm --prefix js ci --no-fund --no-audit
	touch $@
