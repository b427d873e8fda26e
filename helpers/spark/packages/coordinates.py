"""Maven coordinates in text form."""

import re

COORDINATE = re.compile(r"[A-Za-z0-9_.-]+:[A-Za-z0-9_.-]+:[A-Za-z0-9_.+-]+")
COORDINATE_HINT = "write Maven coordinates as io.delta:delta-spark_2.12:3.3.2"
