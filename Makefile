# make demo               take the voice out of a synthesised song
# make demo DATA=<folder> the same with MIR-1K, iKala, DSD100, MUSDB18-HQ or a folder of songs with stems
# make test               run the tests, but for those that take seconds each: make test-slow
# make lint, make docs    check the style and the types; build the documentation in docs/_build/html
#
# Each makes a virtual environment in $(VENV) first. Only Python, pip and make are needed.

PYTHON ?= python3
VENV ?= .venv
DATA ?=
OUT ?= separated
GALLERY ?= 1
INSTALLED = $(VENV)/installed

.PHONY: demo test test-slow lint docs clean

demo: $(INSTALLED)
	TF_CPP_MIN_LOG_LEVEL=2 MPLBACKEND=agg $(VENV)/bin/python benchmarks/demo.py --data "$(DATA)" --out "$(OUT)"

test: $(INSTALLED)
	MPLBACKEND=agg $(VENV)/bin/python -m pytest --numprocesses 2 --dist worksteal -m "not slow"

test-slow: $(INSTALLED)
	MPLBACKEND=agg $(VENV)/bin/python -m pytest --numprocesses 2 --dist worksteal -m slow

lint: $(INSTALLED)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/python -m mypy

docs: $(INSTALLED)
	MPLBACKEND=agg $(VENV)/bin/python -m sphinx -W --keep-going -b html \
		-D plot_gallery=$(GALLERY) docs docs/_build/html

# Without ensurepip, which not every Python brings: the pip at hand installs into the environment.
$(INSTALLED): setup.cfg pyproject.toml
	@echo "Installing into $(VENV): TensorFlow alone is a download of 600 MB; 2.5 GB on disk in all."
	$(PYTHON) -m venv --without-pip $(VENV)
	$(PYTHON) -m pip --python $(VENV)/bin/python install --quiet --editable '.[fit,test,docs]' \
		--config-settings editable_mode=compat
	touch $(INSTALLED)

clean:
	rm -rf $(VENV) docs/_build docs/auto_examples docs/reference/generated
