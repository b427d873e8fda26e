#!/usr/bin/env bash
# recover.sh: adds the history of the environment $ENV to the summary of the job, and how to recover from a failure.
set -u -o pipefail

"$(dirname "$0")/report.sh" --open make history || true
cat >>"${GITHUB_STEP_SUMMARY:-/dev/null}" <<EOF
### $ENV stays as this run left it; later environments are unchanged

- If the input is missing, upload it, then choose *Re-run failed jobs*.
- If the code is the cause, run the workflow **rollback** with environment \`$ENV\` and a version listed above,
  or \`gh workflow run rollback.yml -f environment=$ENV -f to=VERSION\`. Then revert the commit.
- If the stacks are the cause, revert the commit; its deployment restores them.
EOF
