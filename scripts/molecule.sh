#!/bin/sh
# Runs the Molecule scenarios (or those named as arguments), one after the other because they share the lab's addresses, and prints how
# long each took. Exit code: 0 when all passed.
set -eu
cd "$(dirname "$0")/.."
bin=$PWD/.venv/bin
PATH=$bin:$PATH
export PATH
[ "$#" -gt 0 ] || set -- source_linux source_windows assess landing_zone appliance wave report
times=''
failed=''
for scenario in "$@"; do
    began=$(date +%s)
    result=passed
    molecule test --scenario-name "$scenario" || result=FAILED
    [ "$result" = passed ] || failed="$failed $scenario"
    times="$times$(printf '%-16s %-7s %4s s' "$scenario" "$result" "$(($(date +%s) - began))")
"
done
printf '\n%s' "$times"
[ -z "$failed" ]
