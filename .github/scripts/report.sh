#!/usr/bin/env bash
# report.sh [--open] COMMAND…: runs a command, shows its output, and adds it to the summary of the job, and to the file
# in REPORT for a comment. With --open it is unfolded.
set -u -o pipefail

open=""
if [ "$1" = --open ]; then
  open=" open"
  shift
fi
log=$(mktemp)
trap 'rm -f "$log"' EXIT

"$@" 2>&1 | tee "$log"
code=${PIPESTATUS[0]}

sign=✅
if [ "$code" -ne 0 ]; then
  sign=❌ open=" open"
fi
{
  printf '<details%s><summary>%s <code>%s</code> · %s s</summary>\n\n' "$open" "$sign" "$*" "$SECONDS"
  # No line of the log must end the code block.
  printf '```text\n%s\n```\n\n</details>\n' "$(tail -n 60 "$log" | sed -e $'s/\x1b\\[[0-9;]*m//g' -e 's/```/` ` `/g')"
} | tee -a "${REPORT:-/dev/null}" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
