#!/usr/bin/env bash
# Booster.predict() of XGBoost scores rows that have fewer columns than the model has features: it takes the last features
# for missing values. Rows with more columns are an error, and inplace_predict() rejects both.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0
cat > score.py <<'PY'
import sys

import numpy as np
import xgboost

print(f"xgboost {xgboost.__version__}")
generator = np.random.default_rng(0)
rows = generator.random((500, 5))
booster = xgboost.train({"max_depth": 4}, xgboost.DMatrix(rows, label=rows @ np.arange(1, 6)), 20)


def outcome(score, columns):
    try:
        return f"{float(score(columns)[0]):.4f}"
    except Exception as error:
        return type(error).__name__


first_three = rows[:1, :3]
with_missing = np.hstack([first_three, np.full((1, 2), np.nan)])
found = {
    "3 columns": outcome(lambda columns: booster.predict(xgboost.DMatrix(columns)), first_three),
    "3 columns and 2 missing values": outcome(lambda columns: booster.predict(xgboost.DMatrix(columns)), with_missing),
    "6 columns": outcome(lambda columns: booster.predict(xgboost.DMatrix(columns)), np.hstack([rows[:1], rows[:1, :1]])),
    "3 columns, in place": outcome(booster.inplace_predict, first_three),
}
for rows_with, result in found.items():
    print(f"A model of 5 features, given {rows_with}: {result}")
scored, missing, more, in_place = found.values()
is_scored = scored == missing and more == "XGBoostError" and in_place == "ValueError"
sys.exit(0 if is_scored else "Rows that lack features are not scored as before: this finding is out of date.")
PY
venv/bin/python score.py || exit 1
