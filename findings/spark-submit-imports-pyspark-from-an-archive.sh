#!/usr/bin/env bash
# spark-submit puts its own pyspark.zip before the installed packages. Python keeps no bytecode of what it imports from
# an archive, so the driver and the workers of each job compile pyspark again, although the package is installed too.
set -eu -o pipefail
unset PYTHONDONTWRITEBYTECODE
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check pyspark==3.5.9
cat > where.py <<'PY'
import pyspark

print(pyspark.__file__)
PY
cat > compare.py <<'PY'
import os
import resource
import subprocess
import sys
from pathlib import Path

import pyspark

home = Path(pyspark.__file__).parent
environment = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "PYSPARK_PYTHON": sys.executable}
submitted = subprocess.run(
    [home / "bin" / "spark-submit", "where.py"], env=environment, capture_output=True, text=True, check=True
)
archives = os.pathsep.join(map(str, (home / "python" / "lib").glob("*.zip")))


def seconds(**more):
    """The least CPU seconds of an import, after one that writes what bytecode it may."""
    spent = []
    for _ in range(4):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", "import pyspark.sql"], env={**os.environ, **more}, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(spent[1:])


archive, installed = seconds(PYTHONPATH=archives), seconds()
from_archive = "pyspark.zip" in submitted.stdout
print(f"pyspark {pyspark.__version__}: spark-submit imports pyspark from {'an archive' if from_archive else 'a folder'}.")
print(f"import pyspark.sql: {archive:.2f} CPU seconds from the archive, {installed:.2f} from the installed package")
sys.exit(0 if from_archive and archive > 1.5 * installed else "It no longer costs that: this finding is out of date.")
PY
venv/bin/python compare.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
