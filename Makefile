# Each target works on a bare checkout with python3 >= 3.11, pip and make.
# Another interpreter: make PYTHON=/path/to/python3.12 test

export PYTHON ?= python3
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help solve test bench clean

help:
	@echo "make solve   solve the shipped 30 MW training case and print its frontier"
	@echo "make test    style, types, architecture and all tests"
	@echo "make bench   every benchmark of benchmarks/, beside its peers, within an hour"
	@echo "make clean   remove the environment and caches (results stay)"

solve:
	@scripts/bootstrap run
	@$(BIN)/optimizer solve training-30mw

test:
	@scripts/bootstrap test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2

bench:
	@scripts/bootstrap test
	@$(BIN)/python benchmarks/run_all.py $(BENCH)

clean:
	rm -rf .venv .bench .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist
