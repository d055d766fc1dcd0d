# `make`       the environment, then the default studies, from raw files to reports
# `make test`  the environment, then all tests
.DEFAULT_GOAL := studies
SHELL := bash
PYTHON ?= python3
CORES ?= 2
BIN := .venv/bin
READY := .venv/ready

export PATH := $(CURDIR)/$(BIN):$(PATH)
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
# Each of the many interpreters of a run would compile the library again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: api studies assignment test test-browser test-slow test-studies test-trials lint docs picture lock reference reference-live validate benchmark clean resilience pages same-bytes

$(READY): requirements.lock pyproject.toml workflow/build_environment.py
	@command -v $(PYTHON) >/dev/null || { echo "make: $(PYTHON) was not found; install Python 3.11, 3.12 or 3.13, or give its path: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) workflow/build_environment.py

studies: $(READY)
	@$(BIN)/snakemake --cores $(CORES)

assignment: $(READY) ## randomise the units of a trial: make assignment PROTOCOL=trial.yaml
	@test -n "$(PROTOCOL)" || { echo "make: name the protocol: make assignment PROTOCOL=path/to/trial.yaml" >&2; exit 1; }
	@$(BIN)/snakemake assignments --cores 1 --forcerun draw_assignment \
		--config protocols="$(PROTOCOL)"

test: $(READY)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not r_live and not browser"

test-studies: $(READY) ## every study of the project from raw files to report, and runs of a small one (minutes)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/e2e tests/cli -m slow

test-trials: $(READY) ## small studies, each of another shape or with another difficulty, to their reports (minutes)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/trials tests/shapes -m slow

test-browser: $(READY) ## every page of the default studies in Chromium: accessible, on a phone, printed (minutes)
	@$(BIN)/snakemake --cores $(CORES) --quiet all
	@$(BIN)/python -m pytest -n 0 tests/browser -m browser

test-slow: $(READY) ## Monte Carlo and property tests with all their trials, every bad input, and notebooks in Jupyter (minutes)
	@SCHOOLTRIAL_EXAMPLES=many $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder tests/unit tests/studies tests/rules tests/bad_input tests/benchmarking -m "slow or hypothesis"

resilience: $(READY) ## kills of a small study at random moments, and faults of the machine (half an hour)
	@$(BIN)/python -m pytest -n 0 tests/resilience tests/e2e/test_changed_files.py -m "slow or not slow" -q

same-bytes: ## every study with each Python of the path, or with PYTHONS="python3.11 python3.13" (minutes each)
	@$(PYTHON) workflow/compare_pythons.py $(PYTHONS)

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/snakefmt --check Snakefile workflow/rules
	@$(BIN)/mypy
	@$(BIN)/python workflow/lint_workflow.py

docs: $(READY) ## the generated parts of docs/, and config/README.md
	@$(BIN)/python workflow/write_documentation.py
	@$(BIN)/python workflow/write_refusals.py

pages: $(READY) ## the pages of the project as HTML, in site/ (needs no network)
	@$(BIN)/python workflow/build_pages.py
	@$(BIN)/python workflow/write_api.py

api: $(READY) ## the library's public names, from their docstrings, in site/api (needs no network)
	@$(BIN)/python workflow/write_api.py

picture: $(READY) ## the first screen of a report that README.md shows (needs Chromium)
	@$(BIN)/snakemake --cores $(CORES) --config studies=chicago_collaborative
	@$(BIN)/python workflow/picture_report.py results/chicago_collaborative/report/report.html

lock: ## needs uv; writes requirements.lock from requirements.in
	@env -u UV_INDEX_URL -u UV_DEFAULT_INDEX -u PIP_INDEX_URL uv pip compile --universal --generate-hashes \
		--no-header --python-version 3.11 requirements.in --output-file requirements.lock

reference: $(READY) ## the agreement with R, entry by entry
	@$(BIN)/python -m pytest -n 0 tests/reference -m "not r_live" -q --agreement

reference-live: $(READY) ## the same, R being run now (needs R and its packages)
	@$(BIN)/python -m pytest -n 0 tests/reference -m r_live -q -rs

validate: $(READY) ## coverage and type I error on simulated trials, synthetic studies at 200 seeds, panels (about an hour)
	@$(BIN)/python benchmarks/validate.py

benchmark: $(READY) ## speed compared with the other packages that are installed (minutes)
	@$(BIN)/python benchmarks/benchmark.py
	@$(BIN)/python benchmarks/obtain.py --write
	@$(BIN)/python benchmarks/workflow.py --all --write
	@$(BIN)/python benchmarks/outputs.py --write

clean:
	find results -mindepth 1 -type f ! -name plan_first.json -delete
	find results -mindepth 1 -type d -empty -delete
	rm -rf .snakemake
