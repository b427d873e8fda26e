#!/usr/bin/env bash
# recover.sh: adds to the job's summary what was deployed to the environment $ENV before, and how to go on after a failure.
set -u -o pipefail

"$(dirname "$0")/report.sh" --open make history || true
cat >>"${GITHUB_STEP_SUMMARY:-/dev/null}" <<EOF
### $ENV stays as this run left it; the environments after it are unchanged

- If the input is missing, deliver it, then *Re-run failed jobs*.
- If the code is at fault, run the workflow **rollback** with environment \`$ENV\` and a version listed above,
  or \`gh workflow run rollback.yml -f environment=$ENV -f to=VERSION\`. Then revert the commit.
- If the stacks are at fault, revert the commit; its deployment restores them.
EOF
