# Everything runs through .ci/uv, which brings uv if there is none; uv brings
# the rest, as uv.lock records it, into .venv.
UV := sh .ci/uv
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help run test test-all test-browser studies mutants crash fuzz lint types docs bench build clean dev

# What is being done goes to stderr: stdout is the answer.
# Quoted for the shell, since ARGS may hold its own quotes, as in --given "tai_year<2035".
say = @echo 'aligntax: $(subst ','\'',$(1))' >&2

# Asking first whether .venv is up to date takes 40 ms; a sync would look at
# the bytecode of every package again, which takes a second.
# The first line brings uv, so that failing to is told once.
sync = @$(UV) --version >/dev/null || exit 1; \
	$(UV) sync --frozen $(1) --check -qq || { \
	echo "aligntax: preparing .venv (the first time takes a minute or more)" >&2; \
	$(UV) sync --frozen $(1) --quiet; }

# --inexact keeps the developers' tools where `make test` has brought them.
run: ## run the model of the whole argument (ARGS="--view FILE --seed 1")
	$(call sync,--no-dev --inexact)
	$(call say,aligntax run $(ARGS))
	@$(UV) run --frozen --no-sync aligntax run $(ARGS)

# A worker for each core, each with one thread for linear algebra. Tests of a file share fixtures.
pytest = OPENBLAS_NUM_THREADS=1 $(UV) run --frozen --no-sync pytest
share = -n auto --dist loadfile --no-loadscope-reorder

test: dev ## run the tests of every function, in minutes (ARGS="-k scaling")
	$(call say,pytest $(ARGS))
	@$(pytest) $(share) $(ARGS)

test-all: test ## and the long scenarios, and the pages where Chromium is installed
	$(call sync,--group crosscheck)
	$(call say,pytest -m "slow or browser")
	@$(pytest) $(share) -m "slow or browser" -r s

test-browser: dev ## test the pages in a headless Chromium, which must be installed
	$(call say,pytest -m browser $(ARGS))
	@$(pytest) -m browser $(ARGS)

studies: dev ## sample and refit many times: what docs/trust.md quotes (ARGS="-k shared")
	$(call say,pytest -m study $(ARGS))
	@$(pytest) -m study $(ARGS)

mutants: dev ## make each listed mistake in a copy and see the tests notice it (ARGS="budget --json")
	$(call say,mutants $(ARGS))
	@$(UV) run --frozen --no-sync python -m tests.mutants $(ARGS)

crash: dev ## kill run, refit, sweep and calibrate 50 times each, then look at what is left (ARGS="killed --count 10")
	$(call say,crash $(ARGS))
	@OPENBLAS_NUM_THREADS=1 $(UV) run --frozen --no-sync python -m tests.crash $(ARGS)

fuzz: dev ## give hostile input to everything that reads, 24,000 in at most ten minutes (ARGS="--seed 1 --target view")
	$(call say,fuzz $(ARGS))
	@OPENBLAS_NUM_THREADS=1 $(UV) run --frozen --no-sync python -m tests.fuzz $(ARGS)

lint: dev ## check style, formatting and that uv.lock is in step
	$(call say,ruff check; ruff format --check; uv lock --check)
	@$(UV) run --frozen --no-sync ruff check
	@$(UV) run --frozen --no-sync ruff format --check
	@$(UV) lock --check --quiet --default-index https://pypi.org/simple

types: dev ## check the types, strictly
	$(call say,mypy)
	@$(UV) run --frozen --no-sync mypy

# Offline, and every warning is an error. Notebooks run again only where they have changed;
# ALIGNTAX_NOTEBOOKS=off leaves their outputs out.
docs: ## build the site into docs/_build/html and check its links
	$(call sync,--group docs --inexact)
	$(call say,sphinx-build $(ARGS))
	@$(UV) run --frozen --no-sync sphinx-build --fail-on-warning --keep-going --quiet $(ARGS) docs docs/_build/html
	@$(UV) run --frozen --no-sync python docs/links.py docs/_build/html

# --inexact keeps the developers' tools; `make test` takes the baselines out again.
bench: ## measure speed and memory beside baselines (ARGS="start_up refit --repeats 5", ARGS=--list)
	$(call sync,--group bench --inexact)
	$(call say,benchmarks $(ARGS))
	@$(UV) run --frozen --no-sync python -m tests.benchmarks $(ARGS)

build: ## build the wheel and the source distribution into dist/
	$(call say,uv build $(ARGS))
	@$(UV) build --quiet $(ARGS)

clean: ## remove what was built and cached (not .venv, .uv or results)
	$(call say,removing dist/ and caches)
	@rm -rf dist build docs/_build .mypy_cache .pytest_cache .ruff_cache .hypothesis
	@find aligntax/ models analysis tests -name __pycache__ -type d -prune -exec rm -rf {} +

dev: # no line of its own in the list: the others need it
	$(call sync)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-13s %s\n", $$1, $$2 }' Makefile
