#!/usr/bin/env bash
# XGBoost reads the header of a CSV file as a row: its label is 0 and all its features are missing. It does the same with
# a field that is text. Neither is reported, so a model is trained with one wrong row per file.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check xgboost-cpu==3.2.0 scipy==1.16.3
printf 'label,width,height\n1,2,3\n4,wide,6\n' > train.csv
cat > read.py <<'PY'
import sys

import xgboost

data = xgboost.DMatrix("train.csv?format=csv&label_column=0")
labels = data.get_label().tolist()
rows = data.get_data()
stored = [dict(zip(row.indices.tolist(), row.data.tolist(), strict=True)) for row in rows]
print(f"xgboost {xgboost.__version__}")
print(f"A header, and two rows of which one has text in a numeric column: {data.num_row()} rows")
print(f"Labels {labels}; features {stored}")
is_row = data.num_row() == 3 and labels[0] == 0 and not stored[0]
sys.exit(0 if is_row else "A header is not a row any more: this finding is out of date.")
PY
venv/bin/python -W ignore read.py 2> warnings.txt || { cat warnings.txt >&2; exit 1; }
