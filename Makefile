# The commands of this repository, for people, Git hooks and workflows. `make help` explains them.
.DEFAULT_GOAL := help
.ONESHELL:
SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-builtin-rules
# Keep compiled bytecode, even if a container disables it: to compile imports takes longer than the rest of a command.
unexport PYTHONDONTWRITEBYTECODE

#: ENV              the environment: a file of infra/parameters, or pr-<number>
#: PIPELINE         the pipeline, or `all`; by default the first one
#: STEP             a step of the pipeline
#: CACHE            `off`: execute every step, without the step cache
#: WAIT             `no`: start an execution and return immediately
#: ARGS             additional options of the command, see below
# begin: model life cycle
#: MODEL            the version of the model
#: WITH             the version to compare it with
# end: model life cycle
#: TO               the version to register, or to upgrade to
#: CODE             the content hash that the code must have
#: NAME             the name of the new pipeline or step
#: FORMAT           `markdown`: write the plan as a pull request comment
#: INSTANCE         the instance type
#: COUNT            the number of instances
#: DATA_GB          the size of the data in GB
#: SHAPE            the kind of job: `scan`, `shuffle` or `python`
#: DEADLINE_MINUTES the minutes within which the job must finish
#: RUNS             event logs of earlier runs, on disk or in S3
#: FILE             the file with the text of the comment
#: MARK             the mark that identifies the comment
#: REVIEWERS        users and teams who approve deployments
#: ROLE             the ARN of the role of previews
#: AUDIT            `required`: fail if the vulnerability database cannot be reached
#: SBOM             the file of the bill of materials
#: SHELL_NAME       the shell to complete: bash, zsh or fish
#: TEMPLATE         the repository of the template
#: FROM             the environment to promote from, or the version of the template that the fork has
#: FORK             the folder of the fork, if it is not this one
#: MOTO             a checkout of getmoto/moto
#: TEMPLATES        a checkout of aws-cloudformation/aws-cloudformation-templates
#: SCHEMA           a checkout of the JSON schema of pipeline definitions
#: CONTAINER        a checkout of aws/sagemaker-spark-container
# begin: sample data
#: ROWS             the number of rows
#: ROUNDS           the number of times that each measurement is repeated
#: RESULTS          the file of the measurements
#: KILLS            the number of times that the job is killed
# end: sample data
#: PYTHON           the Python of `.venv`
ENV ?= local
PIPELINE ?=
STEP ?=
CACHE ?= on
WAIT ?= yes
SBOM ?= sbom.cdx.json
FORMAT ?= text
# begin: sample data
ROWS ?= 20000000
ROUNDS ?= 3
RESULTS ?= docs/benchmarks.json
KILLS ?= 50
# end: sample data
PYTHON ?= $(shell for python in python3 python3.12 python3.11 python3.13; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$python && break; done)
VENV := .venv
PY := $(VENV)/bin/python
SECURITY := $(VENV)/security
CHECKOV := $(VENV)/checkov
WORKFLOWS := $(VENV)/workflows
# begin: sample data
BENCH := $(VENV)/bench
# end: sample data
JOB := $(VENV)/job
XGBOOST := $(VENV)/xgboost
PEERS := $(VENV)/peers

# Commands of the environment `local` use the embedded AWS; there is no other difference.
LOCAL_AWS = $(or $(LOCAL_AWS_HOME),$(CURDIR)/.local_aws)/environment.sh
ENTER = if [ ! -f '$(LOCAL_AWS)' ]; then printf '%s\n' 'Error: The embedded AWS does not run' \
	'Hint: Start it with: make up' >&2; exit 1; fi; . '$(LOCAL_AWS)';
ON_AWS = $(if $(filter local,$(ENV)),$(ENTER)) $(PY)
EXECUTION_OPTIONS = $(call ONE_OF,CACHE,$(CACHE),on,off)$(call ONE_OF,WAIT,$(WAIT),yes,no)
# The command line of the pipelines, and the options of most of its commands.
PIPELINES = $(ON_AWS) -m ml_pipeline
ENV_AND_PIPELINE = --env $(ENV) $(if $(PIPELINE),--pipeline $(PIPELINE))
WITHOUT_STEP = $(if $(findstring command,$(origin STEP)),$(error make $@ works on all steps of a pipeline: omit STEP=$(STEP)))
SELECTED = $(WITHOUT_STEP)$(ENV_AND_PIPELINE)
# begin: model life cycle
OF_MODEL = --model $(or $(MODEL),$(error MODEL is missing: name a version that `make models ENV=$(ENV)` shows, as MODEL=3))
# end: model life cycle
OF_STEP = $(ENV_AND_PIPELINE) $(if $(STEP),--step $(STEP))
# The lock files of the packages of steps.
STEP_LOCKS = $(patsubst %.in,%.txt,$(wildcard spark_jobs/*.in))
ONE_OF = $(if $(filter $2,$3 $4),,$(error $1 must be $3 or $4, not '$2'))

##@ Run
.PHONY: run doctor plan start status report verify stop logs
run: $(VENV)/run $(if $(filter local,$(ENV)),$(JOB)/ready $(XGBOOST)/ready)  ## Deploy, upsert and execute the pipeline; ENV=local needs no AWS account
	$(EXECUTION_OPTIONS)
	$(if $(filter local,$(ENV)),$(PY) -m helpers.local_aws up)
	$(PIPELINES) run $(SELECTED) --cache $(CACHE) $(if $(filter yes,$(WAIT)),--wait,--no-wait)
doctor: $(VENV)/run  ## Check an account before its first deployment, and list what to do; change nothing
	$(PIPELINES) doctor --env $(ENV)
plan: $(VENV)/run  ## Show what `deploy` and `upsert` would change and cost; FORMAT=markdown for a pull request comment
	$(call ONE_OF,FORMAT,$(FORMAT),text,markdown)
	$(PIPELINES) plan $(SELECTED) --format $(FORMAT)
start: $(VENV)/run  ## Execute the upserted pipeline; CACHE=on|off WAIT=yes|no ARGS='--since TIME --minutes N'
	$(EXECUTION_OPTIONS)
	$(PIPELINES) start $(SELECTED) --cache $(CACHE) $(if $(filter yes,$(WAIT)),--wait,--no-wait) $(ARGS)
verify: $(VENV)/run  ## Verify reports, files and encryption of the latest execution
	$(PIPELINES) verify $(SELECTED)
status: $(VENV)/run  ## Show the status of the latest execution
	$(PIPELINES) status $(SELECTED)
report: $(VENV)/run  ## Write the report of the latest execution, an HTML page; ARGS='--execution ARN --output FILE'
	$(PIPELINES) report $(SELECTED) $(ARGS)
stop: $(VENV)/run  ## Stop running executions; ARGS='--execution ARN'
	$(PIPELINES) stop $(SELECTED) $(ARGS)
logs: $(VENV)/run  ## Print the job logs of the latest execution; STEP=name ARGS='--execution ARN'
	$(PIPELINES) logs $(OF_STEP) $(ARGS)

##@ Spark
.PHONY: size choose prices events tune spark-ui
size: $(VENV)/run  ## Size Spark for a STEP, or for INSTANCE and COUNT; DATA_GB= SHAPE=scan|shuffle|python ARGS='--write FILE'
	$(PY) -m ml_pipeline size $(OF_STEP) $(if $(INSTANCE),--instance $(INSTANCE)) $(if $(COUNT),--count $(COUNT)) \
		$(if $(DATA_GB),--data-gb $(DATA_GB)) $(if $(SHAPE),--shape $(SHAPE)) $(ARGS)
choose: $(VENV)/run  ## Rank instances by cost for DATA_GB and DEADLINE_MINUTES; RUNS='event logs, on disk or s3://'
	$(if $(findstring s3,$(RUNS)),$(ON_AWS),$(PY)) -m helpers.spark.choice \
		--data-gb $(or $(DATA_GB),$(error DATA_GB is missing)) \
		--deadline-minutes $(or $(DEADLINE_MINUTES),$(error DEADLINE_MINUTES is missing)) \
		$(if $(RUNS),--runs $(RUNS)) $(ARGS)
prices: $(VENV)/run  ## Update helpers/pricing/prices.json from the AWS price list; ARGS='--region REGION'
	$(PY) -m helpers.pricing $(ARGS)
events: $(VENV)/run  ## Analyze the Spark event log of the latest execution, or of its STEP; ARGS='--write FILE'
	$(PIPELINES) events $(OF_STEP) $(ARGS)
tune: $(VENV)/run  ## Try recommended Spark settings of a STEP, and keep those that are faster; ARGS='--rounds 5 --pairs 2'
	$(PIPELINES) tune $(OF_STEP) $(ARGS)
spark-ui: $(VENV)/run  ## Open the Spark UI of the latest execution, or of its STEP, until Ctrl-C; ARGS='--execution ARN --port N'
	$(PIPELINES) spark-ui $(OF_STEP) $(ARGS)

# begin: model life cycle
##@ Models
.PHONY: models compare approve reject promote
models: $(VENV)/run  ## Show the versions of the model with approval and metrics, and the active version; ARGS=--all
	$(PIPELINES) models --env $(ENV) $(ARGS)
compare: $(VENV)/run  ## Show the metrics of two versions side by side, overall and by slice; MODEL=2 WITH=3
	$(PIPELINES) compare --env $(ENV) $(OF_MODEL) --with $(or $(WITH),$(error WITH is missing: make compare MODEL=2 WITH=3))
approve: $(VENV)/run  ## Approve a version that can be served; it becomes the active version; MODEL=3
	$(PIPELINES) approve --env $(ENV) $(OF_MODEL) $(ARGS)
reject: $(VENV)/run  ## Reject a version; if it was active, the previously approved version becomes active; MODEL=3
	$(PIPELINES) reject --env $(ENV) $(OF_MODEL)
promote: $(VENV)/run  ## Register in ENV a version that is approved in FROM, and score its sample; FROM=dev MODEL=3 ARGS=--approve
	$(PIPELINES) promote --env $(ENV) $(OF_MODEL) \
		--from $(or $(FROM),$(error FROM is missing: make promote ENV=staging FROM=dev MODEL=3)) $(ARGS)

# end: model life cycle
##@ Infrastructure and pipeline
.PHONY: deploy drift migrate outputs data code-hash upsert check-commit history rollback sweep teardown new-step new-pipeline
deploy: $(VENV)/run  ## Deploy the CloudFormation stacks
	$(ON_AWS) -m helpers.infra.stacks deploy --env $(ENV)
drift: $(VENV)/run  ## Detect drift: show what is not deployed, and manual changes; ARGS=--json
	$(PIPELINES) drift $(SELECTED) $(ARGS)
migrate: $(VENV)/run  ## Migrate keys and buckets from the single stack of an earlier version, after confirmation; ARGS=--yes
	$(ON_AWS) -m helpers.infra.stacks migrate --env $(ENV) $(ARGS)
outputs: $(VENV)/run  ## Show the outputs of the stacks; ARGS=--json
	$(ON_AWS) -m helpers.infra.stacks outputs --env $(ENV) $(ARGS)
data: $(VENV)/run  ## Upload sample data, if SampleData of the environment allows it
	$(PIPELINES) data $(SELECTED)
code-hash: $(VENV)/run  ## Print the content hash of the Spark code in this checkout
	$(PY) -m ml_pipeline code-hash $(SELECTED)
upsert: $(VENV)/run  ## Upload the Spark code, and create or update the pipeline; CODE=hash rejects other code
	$(PIPELINES) upsert $(SELECTED) $(if $(CODE),--code $(CODE))
check-commit: $(VENV)/run  ## Fail if this commit does not descend from the registered one
	$(PIPELINES) check-commit $(SELECTED)
history: $(VENV)/run  ## List the versions of the pipeline with author, commit and status; ARGS=--json|--all
	$(PIPELINES) history $(SELECTED) $(ARGS)
rollback: $(VENV)/run  ## Register an earlier version again; TO=version|commit|code-hash (default: the latest that succeeded)
	$(PIPELINES) rollback $(SELECTED) $(if $(TO),--to $(TO))
sweep: $(VENV)/run  ## Delete expired previews and unused code; ARGS='--dry-run --only previews|code --keep N'
	$(PIPELINES) sweep --env $(ENV) $(ARGS)
teardown: $(VENV)/run  ## Delete pipelines and stacks, after confirmation; ARGS='--yes --with-github' (GitHub roles are kept by default)
	$(PIPELINES) teardown --env $(ENV) $(ARGS)
new-pipeline: $(VENV)/run  ## Create the files of another pipeline, with a test; NAME=fares STEP=clean-fares
	$(PY) -m ml_pipeline new-pipeline --name $(or $(NAME),$(error NAME is missing: make new-pipeline NAME=fares)) \
		$(if $(STEP),--step $(STEP))
new-step: $(VENV)/run  ## Create the files of another Spark step, with a test; PIPELINE=fares NAME=summarize
	$(PY) -m ml_pipeline new-step $(if $(PIPELINE),--pipeline $(PIPELINE)) \
		--name $(or $(NAME),$(error NAME is missing: make new-step PIPELINE=fares NAME=summarize))

##@ GitHub
.PHONY: check-inputs comment drift-issue environments github-setup github-trust protect workflows
check-inputs: $(VENV)/run  ## Validate the inputs of a workflow: INPUT_ENVIRONMENT, INPUT_TO …
	$(PY) -m helpers.github check-inputs
comment: $(VENV)/run  ## Create or update the pull request comment marked MARK from FILE
	$(PY) -m helpers.github comment --file $(FILE) --mark $(MARK)
drift-issue: $(VENV)/run  ## Open, update or close the issue about drift in ENV
	{ $(PIPELINES) drift $(SELECTED) --json || [ $$? -eq 3 ]; } \
		| $(PY) -m helpers.github drift-issue
environments: $(VENV)/run  ## List the environments to which merges are deployed, in promotion order
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
up: $(VENV)/run $(JOB)/ready $(XGBOOST)/ready  ## Start the embedded AWS of this checkout, if it is not running
	$(PY) -m helpers.local_aws up
down: $(VENV)/run  ## Stop the embedded AWS and its jobs
	$(PY) -m helpers.local_aws down
env: $(VENV)/run  ## Print environment variables for the AWS CLI and SDKs: eval "$$(make -s env)"
	$(PY) -m helpers.local_aws env

##@ Security
.PHONY: security security-page check-pipeline secrets audit sbom
security: $(SECURITY)/ready $(CHECKOV)/ready $(VENV)/dev secrets audit  ## Check templates and policies, secrets and dependencies, with checkers and by simulation
	PATH="$(abspath $(SECURITY))/bin:$(abspath $(CHECKOV))/bin:$$PATH" $(VENV)/bin/pytest tests/security $(ARGS)
security-page: $(VENV)/dev  ## Regenerate the table of docs/security.md
	$(PY) tests/security/controls.py --write
check-pipeline: $(VENV)/run  ## Check the controls of every step, as upsert does; ARGS='--definition FILE' checks another
	$(PIPELINES) check $(SELECTED) $(ARGS)
secrets: $(SECURITY)/ready  ## Scan the history and staged files for secrets
	$(SECURITY)/bin/gitleaks git --no-banner --redact --log-level warn .
	$(SECURITY)/bin/gitleaks git --no-banner --redact --log-level warn --staged .
audit: $(SECURITY)/ready $(VENV)/run  ## Check dependencies for known vulnerabilities; AUDIT=required fails without network access
	$(PY) -m helpers.dependencies.audit $(if $(filter required,$(AUDIT)),--required) requirements.txt requirements-uv.txt \
		$(STEP_LOCKS) $(wildcard spark_jobs/jars.json)
sbom: $(SECURITY)/ready $(VENV)/run  ## Write a bill of materials with versions and hashes to sbom.cdx.json
	cat requirements.txt $(STEP_LOCKS) | $(SECURITY)/bin/cyclonedx-py requirements - --validate --output-file $(SBOM)
	$(if $(wildcard spark_jobs/jars.json),$(PY) -m helpers.dependencies.jar_components spark_jobs/jars.json $(SBOM))

##@ Template
.PHONY: init upgrade
init: $(VENV)/run  ## Create a fork: ask for names, environments and parts, and change the files; ARGS='--answers FILE --yes'
	$(PY) -m ml_pipeline init $(ARGS)
upgrade: $(VENV)/run  ## Merge version TO of the template into this fork; TEMPLATE=address FROM=version FORK=folder ARGS=--continue|--abort
	$(PY) -m helpers.template upgrade --to '$(TO)' --from '$(FROM)' --template '$(TEMPLATE)' $(if $(FORK),--fork '$(FORK)') $(ARGS)

##@ Develop
.PHONY: completion reference test test-faults coverage schemas test-browser test-fork test-peers test-workflows lint lint-workflows format hooks lock lock-packages clean help
PYTEST = pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder \
	$(addprefix --ignore tests/,security browser workflows fork)
test: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Run the tests, without those of security, test-browser, test-faults, test-fork and test-workflows
	$(PY) -m $(PYTEST) -m 'not faults' $(ARGS)
test-faults: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Test jobs and commands that are killed, throttled or interrupted
	$(PY) -m $(PYTEST) -m faults $(ARGS)
coverage: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Run `test` and `test-faults`, and check their coverage, like ci
	$(VENV)/bin/coverage erase
	$(VENV)/bin/coverage run -m $(PYTEST) $(ARGS)
	$(VENV)/bin/coverage combine --quiet
	$(VENV)/bin/coverage report
reference: $(VENV)/dev  ## Regenerate docs/reference
	$(PY) -m tests.docs.reference
schemas: $(VENV)/dev  ## Update the resource schemas of AWS for the embedded CloudFormation
	$(PY) -m helpers.local_aws.cloudformation.update_schemas
test-browser: $(VENV)/browser $(SECURITY)/ready  ## Test the Spark UI and reports in a headless Chromium; SCREENSHOTS=DIR
	PATH="$(abspath $(SECURITY))/bin:$$PATH" $(VENV)/bin/pytest tests/browser $(ARGS)
test-fork: $(VENV)/dev $(JOB)/ready $(XGBOOST)/ready  ## Fork the repository with the smallest and the largest set of answers, and test the forks
	$(VENV)/bin/pytest --numprocesses 2 --dist loadfile tests/fork $(ARGS)
test-peers: $(PEERS)/ready $(JOB)/ready  ## Compare the embedded AWS with independent code: MOTO= TEMPLATES= SCHEMA= CONTAINER=, a checkout each
	$(if $(MOTO)$(SCHEMA)$(CONTAINER),,$(error MOTO is missing: make test-peers MOTO=<checkout of getmoto/moto>, or SCHEMA= or CONTAINER=, see CONTRIBUTING.md))
	$(if $(CONTAINER),$(PY) -m tests.peers.spark_container $(CONTAINER) $(ARGS))
	$(if $(SCHEMA),PYTHONPATH=$(abspath $(PEERS)) $(PY) -m tests.peers.definition_schema $(SCHEMA))
	$(if $(MOTO),PYTHONPATH=$(abspath $(PEERS)) $(PY) -m tests.peers --moto $(MOTO) $(if $(TEMPLATES),--templates $(TEMPLATES)) $(ARGS))
lint: $(VENV)/dev  ## Check style, spelling, types, import layers and templates
	$(VENV)/bin/ruff format --check --quiet . || { echo 'Run: make format'; exit 1; }
	$(VENV)/bin/ruff check --quiet .
	$(VENV)/bin/codespell -D - -D tests/docs/words.txt *.md Makefile docs .github/workflows infra helpers ml_pipeline spark_jobs \
		tests/security/*.yaml tests/infra/*.yaml
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports > /dev/null || $(VENV)/bin/lint-imports
	$(VENV)/bin/cfn-lint -t infra/*.yaml infra/account/*.yaml
lint-workflows: $(WORKFLOWS)/ready  ## Check the GitHub workflows for errors and security issues
	$(WORKFLOWS)/bin/actionlint
	$(WORKFLOWS)/bin/zizmor --quiet --offline --persona pedantic .github
test-workflows: $(WORKFLOWS)/ready $(SECURITY)/ready $(CHECKOV)/ready $(JOB)/ready $(XGBOOST)/ready $(VENV)/browser  ## Execute the GitHub workflows, with act, against the embedded AWS; LOCAL_AWS_FAULTS='throttling=0.03 …'
	$(VENV)/bin/pytest tests/workflows $(ARGS)
# begin: sample data
.PHONY: bench bench-check faults
bench: $(BENCH)/ready $(VENV)/dev up deploy data upsert  ## Repeat the measurements of docs/benchmarks.md; ROWS=20000000 ROUNDS=3
	$(ON_AWS) -m tests.bench --rows $(ROWS) --rounds $(ROUNDS) --results $(RESULTS) $(ARGS)
	if [ $(RESULTS) = docs/benchmarks.json ]; then $(BENCH)/bin/python -m tests.bench.report; fi
bench-check: $(BENCH)/ready $(VENV)/dev  ## Fail if the job is slower than recorded, relative to other programs, by more than a quarter
	$(PY) -m tests.bench --rows $(ROWS) --rounds $(ROUNDS) --results docs/benchmarks.json \
		--only alternatives executors event_log --check $(ARGS)
faults: $(BENCH)/ready $(VENV)/dev  ## Kill the job at random times while a reader checks its outputs, on disk and on S3; KILLS=50 each
	$(PY) -m tests.faults.kills --kills $(KILLS) --results $(RESULTS) $(ARGS)
	if [ $(RESULTS) = docs/benchmarks.json ]; then $(BENCH)/bin/python -m tests.bench.report; fi
# end: sample data
format: $(VENV)/dev  ## Format the code and apply automatic fixes
	$(VENV)/bin/ruff check --quiet --fix --exit-zero .
	$(VENV)/bin/ruff format --quiet .
	$(VENV)/bin/ruff check --quiet .
hooks: $(VENV)/dev  ## Install the Git hooks, which call these targets
	$(VENV)/bin/pre-commit install --hook-type pre-commit --hook-type pre-push
lock: $(VENV)/uv  ## Pin the latest versions of all dependencies, with hashes
	$(LOCK) --group uv --no-deps -o requirements-uv.txt
	$(LOCK) pyproject.toml -o requirements.txt
	$(LOCK) pyproject.toml --group dev -c requirements.txt -o requirements-dev.txt
	$(LOCK) --group browser -c requirements-dev.txt -o requirements-browser.txt
	$(LOCK) --group security -o requirements-security.txt
	$(LOCK) --group bench -o requirements-bench.txt # part: sample data
	$(LOCK) --group peers -c requirements-dev.txt -o requirements-peers.txt
	$(LOCK) --group checkov -o requirements-checkov.txt
	$(LOCK) --group workflows -o requirements-workflows.txt
	$(LOCK) --group xgboost -c requirements.txt -o requirements-xgboost.txt
	$(PY) -m helpers.spark.image_packages | $(LOCK) - -o requirements-job.txt
	$(MAKE) --no-print-directory lock-packages
lock-packages: $(VENV)/run  ## Pin the Python packages and jars of steps only
	$(PY) -m ml_pipeline lock
completion:  ## Print the completion of targets and of ENV, PIPELINE and STEP: eval "$$(make -s completion)"; SHELL_NAME=bash|zsh|fish
	shell=$(or $(SHELL_NAME),$$(basename "$${SHELL:-bash}"))
	cat "ml_pipeline/completion/completion.$$shell" 2> /dev/null || { printf '%s\n' "Error: there is no completion for $$shell" \
		'Hint: Name a shell: make completion SHELL_NAME=bash, zsh or fish' >&2; exit 1; }
clean:  ## Stop the embedded AWS, and delete environments, caches and state
	if [ -x $(PY) ] && [ -d .local_aws ]; then $(PY) -m helpers.local_aws down; fi
	rm -rf $(VENV) .cache tests/browser/node_modules .local_aws .coverage* .hypothesis .mypy_cache .pytest_cache .ruff_cache
space := $() $()
ENVIRONMENTS = $(subst $(space),|,$(patsubst preview,pr-<number>,$(basename $(notdir $(wildcard infra/parameters/*.json)))))
help:  ## Explain the targets
	@awk 'BEGIN {FS = ":.*##"} /^##@/ {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*##/ {gsub(/\$$\$$/, "$$"); printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo; echo "All targets: ENV=$(ENVIRONMENTS) (now $(ENV)), PIPELINE=name|all. V=1 shows the commands."

# The virtual environment: uv from a pinned wheel, then packages with hashes. Stamp files record what is installed.
LOCK = $(VENV)/bin/uv pip compile --quiet --generate-hashes --universal --python-version 3.11 \
	--no-header --no-emit-index-url --upgrade
INSTALL = $(VENV)/bin/uv pip install --quiet --python $(PY) --require-hashes
$(VENV)/uv: requirements-uv.txt
	$(or $(PYTHON),$(error Python 3.11, 3.12 or 3.13 is needed; name one with: make PYTHON=/path/to/python3)) -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
	touch $@
$(VENV)/run: requirements.txt $(VENV)/uv
	echo 'Installing the packages of the pipeline into $(VENV) …' >&2
	$(INSTALL) -r requirements.txt
	touch $@
$(VENV)/dev: requirements-dev.txt $(VENV)/run
	echo 'Installing the packages of tests and checks …' >&2
	$(INSTALL) -r requirements-dev.txt
	touch $@
$(VENV)/browser: requirements-browser.txt tests/browser/package-lock.json $(VENV)/dev $(SECURITY)/ready
	echo 'Installing the packages of browser tests …' >&2
	$(INSTALL) -r requirements-browser.txt
	PATH="$(abspath $(SECURITY))/bin:$$PATH" npm ci --silent --prefix tests/browser
	touch $@
$(SECURITY)/ready: requirements-security.txt tests/security/package-lock.json $(VENV)/uv
	echo 'Installing the security tools …' >&2
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(SECURITY)
	$(VENV)/bin/uv pip install --quiet --python $(SECURITY)/bin/python --require-hashes -r $<
	PATH="$(abspath $(SECURITY))/bin:$$PATH" npm ci --silent --prefix tests/security
	touch $@
# begin: sample data
$(BENCH)/ready: requirements-bench.txt $(VENV)/uv
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(BENCH)
	$(VENV)/bin/uv pip install --quiet --python $(BENCH)/bin/python --require-hashes -r $<
	touch $@
# end: sample data
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
# The environment of Spark jobs: the Python version of the image, if this machine has it; no Python is downloaded.
$(JOB)/ready: requirements-job.txt $(VENV)/run
	echo 'Installing the packages of the Spark image, for jobs …' >&2
	python=$$($(VENV)/bin/uv python find --no-python-downloads --system 3.12 2> /dev/null) || python=$(PY)
	$(VENV)/bin/uv venv --quiet --clear --python "$$python" $(JOB)
	$(VENV)/bin/uv pip install --quiet --python $(JOB)/bin/python --require-hashes -r $<
	echo "Archiving the classes of Spark and Hadoop, so that jobs start faster …" >&2
	$(PY) -m helpers.spark.class_data_sharing
	$(PY) -m helpers.local_aws.hadoop.class_data_sharing
	touch $@
# The environment of the built-in XGBoost, for training jobs and models.
$(XGBOOST)/ready: requirements-xgboost.txt $(VENV)/run
	echo 'Installing the packages of the XGBoost image, for training jobs and models …' >&2
	$(VENV)/bin/uv venv --quiet --allow-existing --python $(PY) $(XGBOOST)
	$(VENV)/bin/uv pip install --quiet --python $(XGBOOST)/bin/python --require-hashes -r $<
	touch $@

ifndef V
.SILENT:
endif
