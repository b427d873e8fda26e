#!/usr/bin/env bash
# report.sh [--open] COMMAND…: runs a command, shows its output, and adds it to the job's summary; also to the
# file that REPORT names, for a comment. With --open a reader need not unfold it.
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
  # No line of a log ends the block that it stands in.
  printf '```text\n%s\n```\n\n</details>\n' "$(tail -n 60 "$log" | sed -e $'s/\x1b\\[[0-9;]*m//g' -e 's/```/` ` `/g')"
} | tee -a "${REPORT:-/dev/null}" >>"${GITHUB_STEP_SUMMARY:-/dev/null}"
exit "$code"
