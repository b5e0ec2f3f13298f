# make demo    a sandbox hospital and the app on this machine; PORT= (hospital), APP_PORT=, RESET=1 starts afresh,
#              EHR=epic: the hospital answers as that EHR does (also oracle-health, meditech, openemr, dips)
# make test    all tests: with a real browser, a real FHIR server and the FHIR validator where they can be had
# make bench   the figures of benchmarks/RESULTS.md
PYTHON ?= python3
PORT ?= 8080
APP_PORT ?= 8081
DATA ?= .demo
EHR ?= generic
BIN := .venv/bin

.PHONY: demo test bench check lock messages clean

demo: .venv/.app
	@exec $(BIN)/imr-app demo --port $(PORT) --app-port $(APP_PORT) --data '$(DATA)' --ehr '$(EHR)' $(if $(RESET),--reset)

test: .venv/.dev
	@rm -rf .tools/written
	@$(BIN)/pytest --numprocesses 2 --dist loadgroup --ignore tests/after
	@$(BIN)/pytest tests/after

bench: .venv/.dev
	@$(BIN)/python -m benchmarks.run

check: .venv/.dev
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m tests.released

messages: .venv/.dev
	$(BIN)/pybabel compile --directory smart_app/translations

lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --group build -o requirements/app.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --extra postgres --extra pdf --extra reporting --group dev -o requirements/dev.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --extra postgres --group build -o requirements/app-postgres.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --no-annotate pyproject.toml --extra reporting --extra spark --constraint requirements/dev.txt -o requirements/spark.txt

clean:
	rm -rf .venv .tools

# the development packages hold those of the app
.venv/.dev: requirements/dev.txt pyproject.toml
	@requirements/install $(PYTHON) dev
	@touch $@

.venv/.app: requirements/app.txt pyproject.toml
	@if test -e .venv/.dev; then $(MAKE) -s .venv/.dev; else requirements/install $(PYTHON) app; fi
	@touch $@
