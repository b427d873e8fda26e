#!/usr/bin/env bash
# XGBoost lists the folder in which the file to load should be. If the file is not there, its name is a regular expression
# for the others: without prices-1.0.csv, the rows of prices-110.csv are loaded, and with several matches all of them.
# A misspelled name is an error only if nothing matches.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0
mkdir data
echo 110,5 > data/prices-110.csv
cat > load.py <<'PY'
import sys
from pathlib import Path

import xgboost


def labels(name):
    try:
        return xgboost.DMatrix(f"data/{name}?format=csv&label_column=0").get_label().tolist()
    except xgboost.core.XGBoostError:
        return "an error"


found = {"without that file": labels("prices-1.0.csv"), "another missing file": labels("prices-2.0.csv")}
Path("data/prices-120.csv").write_text("120,5\n")
found["with two that match"] = labels("prices-1.0.csv")
Path("data/prices-1.0.csv").write_text("1,5\n")
found["with that file"] = labels("prices-1.0.csv")
print(f"xgboost {xgboost.__version__}: the name of a missing file is a pattern for the names of others.")
for when, result in found.items():
    print(f"Labels of prices-{'2' if 'another' in when else '1'}.0.csv, {when}: {result}")
first, missing, both, own = found.values()
is_pattern = first == [110] and missing == "an error" and sorted(both) == [110, 120] and own == [1]
sys.exit(0 if is_pattern else "It no longer is: this finding is out of date.")
PY
venv/bin/python -W ignore load.py 2> warnings.txt || { cat warnings.txt >&2; exit 1; }
