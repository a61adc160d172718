# Everything a user or a contributor types. All targets set up .venv/ by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
KAFKA_JARS := $(CURDIR)/.kafka-jars
SPRING := clients/spring-boot

.PHONY: up down test property-long faults conformance compatibility spring check format generate bench bench-storage \
  compose chaos exactly-once simulate-quorum clean help

help: ## What can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

$(READY): pyproject.toml clients/pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Ottla needs Python 3.11 or newer; choose one with 'make PYTHON=python3.11 …'"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check 'pip>=25.1'
	$(BIN)/python -m pip install -q -c constraints.txt -e ./clients -e . --group dev
	@touch $@

up: $(READY) ## Start three brokers on loopback; data stays in .ottla/
	@$(BIN)/ottla up --detach

down: $(READY) ## Stop them; the data stays
	@$(BIN)/ottla down

check: $(READY) ## Format, lint, types, layers, generated code
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

format: $(READY) ## Format and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# protoc looks for its plugins on the PATH. A virtual path (package/generated=proto) makes the imports
# inside generated code right.
CONTRACTS := controller/control controller/metadata controller/raft broker/replication broker/transactions broker/high_watermarks
generate: $(READY) ## Write the code made from proto/ and from Kafka's message tables
	@for contract in $(CONTRACTS); do \
	  folder=$${contract%/*}/generated; name=$${contract##*/}; \
	  PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m grpc_tools.protoc -I$$folder=proto \
	    --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. \
	    $$folder/$$name.proto || exit 1; \
	done
	@$(BIN)/python -m ottla.protocol.generator
	@PYTHONPATH=. $(BIN)/python -m deploy.grafana.dashboards

PLAIN := not root and not apache_kafka and not compose
# Two runs side by side: those that wait for processes and clients, and those that only compute.
test: $(READY) ## All tests that need neither root nor packages of the system
	@pure="tests/unit tests/property tests/simulation"; log=$$(mktemp); \
	nice $(BIN)/python -m pytest -m "$(PLAIN)" $$pure >"$$log" 2>&1 & \
	$(BIN)/python -m pytest -m "$(PLAIN)" tests $$(printf -- '--ignore %s ' $$pure) -p no:cacheprovider; \
	real=$$?; wait $$!; pure=$$?; cat "$$log"; rm -f "$$log"; exit $$((real | pure))

# Without logging: pytest would keep every line of 10,000 examples, and the tracebacks in them.
property-long: $(READY) ## Property tests with 10,000 examples a machine; TESTS=path for some of them
	$(BIN)/python -m pytest --hypothesis-profile=ottla-long -p no:logging --durations=0 \
	  -o faulthandler_timeout=0 \
	  $(or $(TESTS),tests/property)

faults: $(READY) ## The tests that break real disks and networks; as root
	@test "$$(id -u)" = 0 || { echo "make faults mounts file systems and makes network namespaces: run it as root"; exit 1; }
	$(BIN)/python -m pytest -m root tests

compose: $(READY) ## Build the image, run docker-compose.yml and break it; as root where no Docker engine answers
	$(BIN)/python -m pytest -m compose -o faulthandler_timeout=900 --durations=0 tests/compose

conformance: $(READY) $(KAFKA_JARS)/.ready $(SPRING)/target/.fetched ## Compare with Apache Kafka itself: its tools, its files; needs java and mvn
	OTTLA_KAFKA_JARS=$(KAFKA_JARS) $(BIN)/python -m pytest tests/conformance tests/chaos/test_exactly_once.py -m apache_kafka

compatibility: $(READY) $(KAFKA_JARS)/.ready ## Run every client × scenario, write clients/COMPATIBILITY.md; needs java, mvn, node, go, cargo, kcat; CLIENTS=a,b SCENARIOS=x,y for some of it
	@OTTLA_KAFKA_JARS=$(KAFKA_JARS) PYTHONPATH=. $(BIN)/python -m tests.conformance.compatibility \
	  $(if $(CLIENTS)$(SCENARIOS),$(if $(CLIENTS),--clients $(CLIENTS)) $(if $(SCENARIOS),--scenarios $(SCENARIOS)),--out clients/COMPATIBILITY.md)

KAFKA_POM := tests/conformance/kafka/pom.xml
$(KAFKA_JARS)/.ready: $(KAFKA_POM)
	mvn -q -B -f $(KAFKA_POM) dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory=$(KAFKA_JARS)
	@touch $@

spring: $(READY) $(SPRING)/target/.fetched ## Run the tests of the Spring Boot application on a cluster of their own; needs java and mvn
	$(BIN)/python -m pytest --durations=1 tests/conformance/test_spring_boot.py

# A test that needs no cluster makes Maven fetch all that the others need; those then run offline.
$(SPRING)/target/.fetched: $(SPRING)/pom.xml
	mvn -q -B -f $(SPRING)/pom.xml test -Dtest=WarehouseTest
	@touch $@

bench: $(READY) ## Measure this machine: start, memory, throughput, latency, fail-over; ONLY=one (also groups, scrape, small) TRIES=n
	@PYTHONPATH=. $(BIN)/python -m tests.benchmark.bench $(if $(ONLY),--only $(ONLY)) $(if $(TRIES),--tries $(TRIES))

bench-storage: $(READY) ## Measure recovery after a crash, and 2,000 partitions
	@PYTHONPATH=. $(BIN)/python -m tests.benchmark.bench_storage

# The library that draws is of no use to anything else, and so is installed where it is first needed.
$(VENV)/.benchmark-ready: $(READY) pyproject.toml
	$(BIN)/python -m pip install -q --disable-pip-version-check -c constraints.txt --group benchmark
	@touch $@

.PHONY: bench-compare
bench-compare: $(VENV)/.benchmark-ready $(KAFKA_JARS)/.ready ## Ottla and Apache Kafka side by side; ONLY=a,b ROUNDS=n MINUTES=n AIMS=1 SHORT=1 RENDER=1; needs java and mvn
	@OTTLA_KAFKA_JARS=$(KAFKA_JARS) PYTHONPATH=. $(BIN)/python -m tests.benchmark.compare $(if $(ONLY),--only $(ONLY)) $(if $(ROUNDS),--rounds $(ROUNDS)) $(if $(SHORT),--short) $(if $(AIMS),--aims) $(if $(MINUTES),--minutes $(MINUTES)) $(if $(RENDER),--render)

chaos: $(READY) ## Break a cluster at random under load and account for everything; MINUTES=n SEED=s
	@PYTHONPATH=. $(BIN)/python -m tests.chaos $(if $(SECONDS),--seconds $(SECONDS),--minutes $(or $(MINUTES),2)) $(if $(SEED),--seed $(SEED)) $(if $(CLOCK),--clock)

exactly-once: $(READY) $(if $(filter java,$(CLIENT)),$(KAFKA_JARS)/.ready) ## Consume-transform-produce under kills; SECONDS=n SEED=s CLIENT=confluent|java
	@OTTLA_KAFKA_JARS=$(KAFKA_JARS) PYTHONPATH=. $(BIN)/python -m tests.chaos.exactly_once --client $(or $(CLIENT),confluent) --seconds $(or $(SECONDS),60) $(if $(SEED),--seed $(SEED))

.PHONY: reassign
reassign: $(READY) ## Move a loaded topic of 100 partitions to other brokers and back under kills; RATE=bytes/s WRITE=file
	@PYTHONPATH=. $(BIN)/python -m tests.chaos.moves $(if $(RATE),--rate $(RATE)) $(if $(RECORDS),--records $(RECORDS)) $(if $(WRITE),--write $(WRITE))

simulate-quorum: $(READY) ## Random faults against the controller quorum; SEEDS=n, PLANTED=1
	@PYTHONPATH=. $(BIN)/python -m $(if $(PLANTED),tests.simulation.quorum_planted,tests.simulation.quorum_campaign --seeds $(or $(SEEDS),100))

simulate: $(READY) ## A cluster on virtual time under faults, everything checked; SEEDS=n, or SEED=s
	@PYTHONPATH=. $(BIN)/python -m tests.simulation $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),200))

simulate-planted: $(READY) ## Take one rule out at a time: the simulation must find each; NAME=n
	@PYTHONPATH=. $(BIN)/python -m tests.simulation --planted '$(NAME)'

clean: ## Remove the virtual environment and caches (never data)
	rm -rf $(VENV) $(KAFKA_JARS) .conformance-clients $(SPRING)/target .mypy_cache .ruff_cache .pytest_cache .hypothesis
