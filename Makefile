# The one vocabulary of this repository, for people, hooks and workflows. `make help` explains it.
.DEFAULT_GOAL := help
.ONESHELL:
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
# To compile what it imports takes each command longer than all else: it is kept, also where containers say no.
unexport PYTHONDONTWRITEBYTECODE

ENV ?= local
PIPELINE ?=
STEP ?=
CACHE ?= on
WAIT ?= yes
SBOM ?= sbom.cdx.json
FORMAT ?= text
ROWS ?= 20000000
ROUNDS ?= 3
RESULTS ?= docs/benchmarks.json
KILLS ?= 50
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.13; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
PY := $(VENV)/bin/python
SECURITY := $(VENV)/security
CHECKOV := $(VENV)/checkov
WORKFLOWS := $(VENV)/workflows
BENCH := $(VENV)/bench
JOB := $(VENV)/job
XGBOOST := $(VENV)/xgboost
PEERS := $(VENV)/peers

# Commands of the environment `local` reach the embedded AWS; everything else about them is as on AWS.
LOCAL_AWS = $(or $(LOCAL_AWS_HOME),$(CURDIR)/.local_aws)/environment.sh
ENTER = if [ ! -f '$(LOCAL_AWS)' ]; then echo 'Error: The embedded AWS does not run. Start it with: make up' >&2; \
	exit 1; fi; . '$(LOCAL_AWS)';
ON_AWS = $(if $(filter local,$(ENV)),$(ENTER)) $(PY)
EXECUTION_OPTIONS = $(call ONE_OF,CACHE,$(CACHE),on,off)$(call ONE_OF,WAIT,$(WAIT),yes,no)
# The command line of the pipelines, and the options that most of its commands take.
PIPELINES = $(ON_AWS) -m ml_pipeline
SELECTED = --env $(ENV) $(if $(PIPELINE),--pipeline $(PIPELINE))
OF_STEP = $(SELECTED) $(if $(STEP),--step $(STEP))
# The locks of the packages and jars that steps bring along.
STEP_LOCKS = $(patsubst %.in,%.txt,$(wildcard spark_jobs/*.in))
ONE_OF = $(if $(filter $2,$3 $4),,$(error $1 must be $3 or $4, not '$2'))

##@ Run
.PHONY: run doctor plan start status report verify stop logs
run: $(VENV)/run $(if $(filter local,$(ENV)),$(JOB)/ready)  ## Deploy, upsert and execute the pipeline; ENV=local needs no AWS account
	$(EXECUTION_OPTIONS)
	$(if $(filter local,$(ENV)),$(PY) -m helpers.local_aws up)
	$(PIPELINES) run $(SELECTED) --cache $(CACHE) $(if $(filter yes,$(WAIT)),--wait,--no-wait)
doctor: $(VENV)/run  ## Check an account before its first deployment, and list what to do; changes nothing
	$(PIPELINES) doctor --env $(ENV)
plan: $(VENV)/run  ## Show what `deploy` and `upsert` would change and cost; FORMAT=markdown for a comment
	$(call ONE_OF,FORMAT,$(FORMAT),text,markdown)
	$(PIPELINES) plan $(SELECTED) --format $(FORMAT)
start: $(VENV)/run  ## Execute the upserted pipeline; CACHE=on|off WAIT=yes|no ARGS='--since TIME --minutes N'
	$(EXECUTION_OPTIONS)
	$(PIPELINES) start $(SELECTED) --cache $(CACHE) $(if $(filter yes,$(WAIT)),--wait,--no-wait) $(ARGS)
verify: $(VENV)/run  ## Check the newest execution: its reports, files and encryption
	$(PIPELINES) verify $(SELECTED)
status: $(VENV)/run  ## Show how the newest execution stands, or how it ended
	$(PIPELINES) status $(SELECTED)
report: $(VENV)/run  ## Write a report of the newest execution as one HTML page; ARGS='--execution ARN --output FILE'
	$(PIPELINES) report $(SELECTED) $(ARGS)
stop: $(VENV)/run  ## Stop running executions; ARGS='--execution ARN'
	$(PIPELINES) stop $(SELECTED) $(ARGS)
logs: $(VENV)/run  ## Print the job logs of the newest execution; STEP=name ARGS='--execution ARN'
	$(PIPELINES) logs $(OF_STEP) $(ARGS)

##@ Spark
.PHONY: size choose prices events tune spark-ui
size: $(VENV)/run  ## Size Spark for a STEP, or for INSTANCE and COUNT; DATA_GB= SHAPE=scan|shuffle|python ARGS='--write FILE'
	$(PY) -m ml_pipeline size $(OF_STEP) $(if $(INSTANCE),--instance $(INSTANCE)) $(if $(COUNT),--count $(COUNT)) \
		$(if $(DATA_GB),--data-gb $(DATA_GB)) $(if $(SHAPE),--shape $(SHAPE)) $(ARGS)
choose: $(VENV)/run  ## Rank instances by cost for DATA_GB and DEADLINE_MINUTES; RUNS='event logs, s3:// too'
	$(if $(findstring s3,$(RUNS)),$(ON_AWS),$(PY)) -m helpers.spark.choice \
		--data-gb $(or $(DATA_GB),$(error DATA_GB is missing)) \
		--deadline-minutes $(or $(DEADLINE_MINUTES),$(error DEADLINE_MINUTES is missing)) \
		$(if $(RUNS),--runs $(RUNS)) $(ARGS)
prices: $(VENV)/run  ## Refresh helpers/pricing/prices.json from AWS's price list; ARGS='--region REGION'
	$(PY) -m helpers.pricing $(ARGS)
events: $(VENV)/run  ## Analyze the Spark event log of the newest execution, of a STEP; ARGS='--write FILE'
	$(PIPELINES) events $(OF_STEP) $(ARGS)
tune: $(VENV)/run  ## Run, change a setting of a STEP, run again, keep what is faster; ARGS='--rounds 5 --pairs 2'
	$(PIPELINES) tune $(OF_STEP) $(ARGS)
spark-ui: $(VENV)/run  ## Show the Spark UI of the newest execution, of a STEP, until Ctrl-C; ARGS='--execution ARN --port N'
	$(PIPELINES) spark-ui $(OF_STEP) $(ARGS)

##@ Infrastructure and pipeline
.PHONY: deploy drift migrate outputs data code-hash upsert check-commit history rollback sweep teardown new-step new-pipeline
deploy: $(VENV)/run  ## Deploy the CloudFormation stacks
	$(ON_AWS) -m helpers.infra.stacks deploy --env $(ENV)
drift: $(VENV)/run  ## Show what is not deployed and what was changed by hand; ARGS=--json
	$(PIPELINES) drift $(SELECTED) $(ARGS)
migrate: $(VENV)/run  ## Move keys and buckets out of a former version's single stack, after asking; ARGS=--yes
	$(ON_AWS) -m helpers.infra.stacks migrate --env $(ENV) $(ARGS)
outputs: $(VENV)/run  ## Show the stacks' outputs; ARGS=--json
	$(ON_AWS) -m helpers.infra.stacks outputs --env $(ENV) $(ARGS)
data: $(VENV)/run  ## Upload sample data, where SampleData of the environment allows it
	$(PIPELINES) data $(SELECTED)
code-hash: $(VENV)/run  ## Print the content hash of the Spark code in this checkout
	$(PY) -m ml_pipeline code-hash $(SELECTED)
upsert: $(VENV)/run  ## Upload the Spark code by its content hash, create or update the pipeline; CODE=hash rejects another
	$(PIPELINES) upsert $(SELECTED) $(if $(CODE),--code $(CODE))
check-commit: $(VENV)/run  ## Refuse a commit that does not descend from the registered one
	$(PIPELINES) check-commit $(SELECTED)
history: $(VENV)/run  ## Show what was upserted when, by whom, and how it ran; ARGS=--json|--all
	$(PIPELINES) history $(SELECTED) $(ARGS)
rollback: $(VENV)/run  ## Register an earlier version again; TO=version|commit|code hash (default: the last that succeeded)
	$(PIPELINES) rollback $(SELECTED) $(if $(TO),--to $(TO))
sweep: $(VENV)/run  ## Remove expired previews, and code that nothing uses; ARGS='--dry-run --only previews|code --keep N'
	$(PIPELINES) sweep --env $(ENV) $(ARGS)
teardown: $(VENV)/run  ## Delete pipelines and stacks after confirmation; ARGS='--yes --with-github' (GitHub's roles are kept by default)
	$(PIPELINES) teardown --env $(ENV) $(ARGS)
new-pipeline: $(VENV)/run  ## Create the files of another pipeline, with a test; NAME=fares STEP=clean-fares
	$(PY) -m ml_pipeline new-pipeline --name $(or $(NAME),$(error NAME is missing: make new-pipeline NAME=fares)) \
		$(if $(STEP),--step $(STEP))
new-step: $(VENV)/run  ## Create the files of another Spark step, with a test; PIPELINE=fares NAME=summarize
	$(PY) -m ml_pipeline new-step $(if $(PIPELINE),--pipeline $(PIPELINE)) \
		--name $(or $(NAME),$(error NAME is missing: make new-step PIPELINE=fares NAME=summarize))

##@ GitHub
.PHONY: check-inputs comment drift-issue environments github-setup github-trust protect workflows
check-inputs: $(VENV)/run  ## Validate what was typed to start a workflow: INPUT_ENVIRONMENT, INPUT_TO …
	$(PY) -m helpers.github check-inputs
comment: $(VENV)/run  ## Create or update the pull request comment marked MARK from FILE
	$(PY) -m helpers.github comment --file $(FILE) --mark $(MARK)
drift-issue: $(VENV)/run  ## Open, update or close the issue about drift in ENV
	{ $(PIPELINES) drift $(SELECTED) --json || [ $$? -eq 3 ]; } \
		| $(PY) -m helpers.github drift-issue
environments: $(VENV)/run  ## List the environments that a merge is deployed to, in promotion order
	$(PY) -m helpers.github environments
github-setup: $(VENV)/run  ## Create the GitHub environment ENV with its variables; REVIEWERS='user owner/team' ARGS=--dry-run
	$(if $(filter preview,$(ENV)),echo '{"DeployRoleArn": "$(or $(ROLE),$(error ROLE is not set))"}', \
		$(ON_AWS) -m helpers.infra.stacks outputs --env $(ENV) --json) \
		| $(PY) -m helpers.github setup --environment $(ENV) \
		$(foreach reviewer,$(REVIEWERS),--reviewer $(reviewer)) $(ARGS)
github-trust: $(VENV)/run  ## Write the OIDC subject of this repository into the trust parameters of ENV; ARGS=--dry-run
	$(PY) -m helpers.github trust --environment $(ENV) $(ARGS)
protect: $(VENV)/run  ## Apply .github/rulesets to the repository; ARGS=--dry-run
	$(PY) -m helpers.github protect $(ARGS)
workflows: $(VENV)/run  ## Generate the lists of environments in .github/workflows from infra/parameters; ARGS=--check
	$(PY) -m helpers.github workflows $(ARGS)

##@ Embedded AWS
.PHONY: up down env
up: $(VENV)/run $(JOB)/ready $(XGBOOST)/ready  ## Start the embedded AWS of this checkout, unless it runs
	$(PY) -m helpers.local_aws up
down: $(VENV)/run  ## End it, with all it runs
	$(PY) -m helpers.local_aws down
env: $(VENV)/run  ## Lead this shell to it: eval "$$(make -s env)"
	$(PY) -m helpers.local_aws env

##@ Security
.PHONY: security security-page check-pipeline secrets audit sbom
security: $(SECURITY)/ready $(CHECKOV)/ready $(VENV)/dev secrets audit  ## Check templates and policies, by checkers and by simulation, secrets, dependencies
	PATH="$(abspath $(SECURITY))/bin:$(abspath $(CHECKOV))/bin:$$PATH" $(VENV)/bin/pytest tests/security $(ARGS)
security-page: $(VENV)/dev  ## Regenerate the table of docs/security.md
	$(PY) tests/security/controls.py --write
check-pipeline: $(VENV)/run  ## Check the controls of every step, as upsert does; ARGS='--definition FILE' checks another
	$(PIPELINES) check $(SELECTED) $(ARGS)
secrets: $(SECURITY)/ready  ## Look for secrets in the history and in what is staged
	$(SECURITY)/bin/gitleaks git --no-banner --redact --log-level warn .
	$(SECURITY)/bin/gitleaks git --no-banner --redact --log-level warn --staged .
audit: $(SECURITY)/ready $(VENV)/run  ## Look for known vulnerabilities; AUDIT=required fails without the database
	$(PY) -m helpers.dependencies.audit $(if $(filter required,$(AUDIT)),--required) requirements.txt requirements-uv.txt \
		$(STEP_LOCKS) $(wildcard spark_jobs/jars.json)
sbom: $(SECURITY)/ready $(VENV)/run  ## Write sbom.cdx.json: what runs the pipeline and its jobs, with versions and hashes
	cat requirements.txt $(STEP_LOCKS) | $(SECURITY)/bin/cyclonedx-py requirements - --validate --output-file $(SBOM)
	$(if $(wildcard spark_jobs/jars.json),$(PY) -m helpers.dependencies.jar_components spark_jobs/jars.json $(SBOM))

##@ Template
.PHONY: init upgrade
init: $(VENV)/run  ## Make a fork: ask for its names, environments and parts, and change the files; ARGS='--answers FILE --yes'
	$(PY) -m ml_pipeline init $(ARGS)
upgrade: $(VENV)/run  ## Merge version TO of the template into this fork; TEMPLATE=address FROM=version FORK=folder ARGS=--continue|--abort
	$(PY) -m helpers.template upgrade --to '$(TO)' --from '$(FROM)' --template '$(TEMPLATE)' $(if $(FORK),--fork '$(FORK)') $(ARGS)

##@ Develop
.PHONY: test coverage schemas test-browser test-fork test-peers test-workflows lint lint-workflows bench bench-check faults format hooks lock lock-packages clean help
PYTEST = pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder \
	$(addprefix --ignore tests/,security browser workflows fork)
test: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Run all tests
	$(PY) -m $(PYTEST) $(ARGS)
coverage: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Run all tests and check their coverage, as ci does
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m $(PYTEST) $(ARGS)
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report
schemas: $(VENV)/dev  ## Write what AWS publishes about resource types, for the embedded CloudFormation
	$(PY) -m helpers.local_aws.cloudformation.update_schemas
test-browser: $(VENV)/browser $(SECURITY)/ready  ## Look at the Spark UI and reports in a headless Chromium; SCREENSHOTS=DIR
	PATH="$(abspath $(SECURITY))/bin:$$PATH" $(VENV)/bin/pytest tests/browser $(ARGS)
test-fork: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Fork the repository with other names, environments and jobs, and test the fork
	$(VENV)/bin/pytest tests/fork $(ARGS)
test-peers: $(PEERS)/ready $(JOB)/ready  ## Compare with independent code: MOTO= TEMPLATES= SCHEMA= CONTAINER=, a checkout each
	$(if $(MOTO)$(SCHEMA)$(CONTAINER),,$(error name a checkout: make test-peers MOTO=<of github.com/getmoto/moto>, or SCHEMA= or CONTAINER= as in CONTRIBUTING.md))
	$(if $(CONTAINER),$(PY) -m tests.peers.spark_container $(CONTAINER) $(ARGS))
	$(if $(SCHEMA),PYTHONPATH=$(abspath $(PEERS)) $(PY) -m tests.peers.definition_schema $(SCHEMA))
	$(if $(MOTO),PYTHONPATH=$(abspath $(PEERS)) $(PY) -m tests.peers --moto $(MOTO) $(if $(TEMPLATES),--templates $(TEMPLATES)) $(ARGS))
lint: $(VENV)/dev  ## Check style, types, layers of imports and templates
	$(VENV)/bin/ruff format --check --quiet . || { echo 'Run: make format'; exit 1; }
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports > /dev/null || $(VENV)/bin/lint-imports
	$(VENV)/bin/cfn-lint -t infra/*.yaml infra/account/*.yaml
lint-workflows: $(WORKFLOWS)/ready  ## Check the GitHub workflows, for faults and for openings
	$(WORKFLOWS)/bin/actionlint
	$(WORKFLOWS)/bin/zizmor --quiet --offline --persona pedantic .github
test-workflows: $(WORKFLOWS)/ready $(SECURITY)/ready $(CHECKOV)/ready $(JOB)/ready $(XGBOOST)/ready $(VENV)/browser  ## Execute the GitHub workflows, with act, against the embedded AWS; LOCAL_AWS_FAULTS='throttling=0.03 …'
	$(VENV)/bin/pytest tests/workflows $(ARGS)
bench: $(BENCH)/ready $(VENV)/dev up deploy data upsert  ## Measure all of docs/benchmarks.md again; ROWS=20000000 ROUNDS=3
	$(ON_AWS) -m tests.bench --rows $(ROWS) --rounds $(ROUNDS) --results $(RESULTS) $(ARGS)
	if [ $(RESULTS) = docs/benchmarks.json ]; then $(BENCH)/bin/python -m tests.bench.report; fi
bench-check: $(BENCH)/ready $(VENV)/dev  ## Compare the job's ratios with the kept ones, which may be worse by a quarter
	$(PY) -m tests.bench --rows $(ROWS) --rounds $(ROUNDS) --results docs/benchmarks.json \
		--only alternatives executors event_log --check $(ARGS)
faults: $(BENCH)/ready $(VENV)/dev  ## Kill the job at random moments while a reader looks, on disk and on S3; KILLS=50 each
	$(PY) -m tests.faults.kills --kills $(KILLS) --results $(RESULTS) $(ARGS)
	if [ $(RESULTS) = docs/benchmarks.json ]; then $(BENCH)/bin/python -m tests.bench.report; fi
format: $(VENV)/dev  ## Format the code and fix what can be fixed
	$(VENV)/bin/ruff check --quiet --fix --exit-zero .
	$(VENV)/bin/ruff format --quiet .
	$(VENV)/bin/ruff check --quiet .
hooks: $(VENV)/dev  ## Install the Git hooks, which call these targets
	$(VENV)/bin/pre-commit install --hook-type pre-commit --hook-type pre-push
lock: $(VENV)/uv  ## Pin the newest versions of everything, with hashes
	$(LOCK) --group uv --no-deps -o requirements-uv.txt
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group browser -c requirements-dev.txt -o requirements-browser.txt
	$(LOCK) --group security -o requirements-security.txt
	$(LOCK) --group bench -o requirements-bench.txt
	$(LOCK) --group peers -c requirements-dev.txt -o requirements-peers.txt
	$(LOCK) --group checkov -o requirements-checkov.txt
	$(LOCK) --group workflows -o requirements-workflows.txt
	$(LOCK) --group xgboost -c requirements.txt -o requirements-xgboost.txt
	$(PY) -m helpers.spark.image_packages | $(LOCK) - -o requirements-job.txt
	$(MAKE) --no-print-directory lock-packages
lock-packages: $(VENV)/run  ## Pin the Python packages and jars of steps only
	$(PY) -m ml_pipeline lock
clean: ## End the embedded AWS and remove everything that is made here
	if [ -x $(PY) ] && [ -d .local_aws ]; then $(PY) -m helpers.local_aws down; fi
	rm -rf $(VENV) .cache tests/browser/node_modules .local_aws .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
space := $() $()
ENVIRONMENTS = $(subst $(space),|,$(patsubst preview,pr-<number>,$(basename $(notdir $(wildcard infra/parameters/*.json)))))
help:  ## Explain the targets
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {gsub(/\$$\$$/, "$$"); printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "Everywhere: ENV=$(ENVIRONMENTS) (now $(ENV)); PIPELINE=name|all. V=1 shows the commands."

# The virtual environment: uv from a pinned wheel, then what is needed with hashes. Stamps keep it current.
LOCK = $(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-emit-index-url --upgrade
INSTALL = $(VENV)/bin/uv pip install --quiet --python $(PY) --require-hashes
$(VENV)/uv: requirements-uv.txt
	$(or $(PYTHON),$(error Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=/path/to/python3)) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	touch $@
$(VENV)/run: requirements.txt $(VENV)/uv
	echo 'Installing what runs the pipeline into $(VENV) …' >&2
	$(INSTALL) -r requirements.txt
	touch $@
$(VENV)/dev: requirements-dev.txt $(VENV)/run
	echo 'Installing what tests and checks it …' >&2
	$(INSTALL) -r requirements-dev.txt
	touch $@
$(VENV)/browser: requirements-browser.txt tests/browser/package-lock.json $(VENV)/dev $(SECURITY)/ready
	echo 'Installing what drives a browser …' >&2
	$(INSTALL) -r requirements-browser.txt
	PATH="$(abspath $(SECURITY))/bin:$$PATH" npm ci --silent --prefix tests/browser
	touch $@
$(SECURITY)/ready: requirements-security.txt tests/security/package-lock.json $(VENV)/uv
	echo 'Installing the security tools …' >&2
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(SECURITY)
	$(VENV)/bin/uv pip install --quiet --python $(SECURITY)/bin/python --require-hashes -r $<
	PATH="$(abspath $(SECURITY))/bin:$$PATH" npm ci --silent --prefix tests/security
	touch $@
$(BENCH)/ready: requirements-bench.txt $(VENV)/uv
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(BENCH)
	$(VENV)/bin/uv pip install --quiet --python $(BENCH)/bin/python --require-hashes -r $<
	touch $@
$(PEERS)/ready: requirements-peers.txt $(VENV)/dev
	$(VENV)/bin/uv pip install --quiet --python $(PY) --target $(PEERS) --require-hashes -r $<
	touch $@
$(CHECKOV)/ready: requirements-checkov.txt $(VENV)/uv
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(CHECKOV)
	$(VENV)/bin/uv pip install --quiet --python $(CHECKOV)/bin/python --require-hashes -r $<
	touch $@
$(WORKFLOWS)/ready: requirements-workflows.txt $(VENV)/uv
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(WORKFLOWS)
	$(VENV)/bin/uv pip install --quiet --python $(WORKFLOWS)/bin/python --require-hashes -r $<
	touch $@
# The Python of Spark jobs: the image's version where this machine has it; nothing is downloaded for that.
$(JOB)/ready: requirements-job.txt $(VENV)/run
	echo 'Installing what the Spark image has, for jobs …' >&2
	python=$$($(VENV)/bin/uv python find --no-python-downloads --system 3.12 2> /dev/null) || python=$(PY)
	$(VENV)/bin/uv venv --quiet --clear --python "$$python" $(JOB)
	$(VENV)/bin/uv pip install --quiet --python $(JOB)/bin/python --require-hashes -r $<
	echo "Archiving Spark's and Hadoop's classes, with which jobs start faster …" >&2
	$(PY) -m helpers.spark.class_data_sharing
	$(PY) -m helpers.local_aws.hadoop.class_data_sharing
	touch $@
# The Python of the built-in XGBoost, for training jobs and models.
$(XGBOOST)/ready: requirements-xgboost.txt $(VENV)/run
	echo "Installing what SageMaker's XGBoost image has, for training jobs and models …" >&2
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(XGBOOST)
	$(VENV)/bin/uv pip install --quiet --python $(XGBOOST)/bin/python --require-hashes -r $<
	touch $@

ifndef V
.SILENT:
endif
