#!/usr/bin/env bash
# In an event pattern, "exists" sees leaves only. For the matcher that AWS publishes, an object, an empty object and an
# empty list are absent, while null exists. A rule for steps that ran no job, written as the absence of an object with
# the job, would match the steps that ran one. moto agrees, except on empty values.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check py4j==0.10.9.9 'moto[events]==5.2.5' boto3==1.44.5
central=${MAVEN_REPOSITORY_URL:-https://repo1.maven.org/maven2}
for jar in software/amazon/event/ruler/event-ruler:2.1.0 ch/randelshofer/fastdoubleparser:2.0.1 \
    com/fasterxml/jackson/core/jackson-{core,databind}:2.22.2 com/fasterxml/jackson/core/jackson-annotations:2.22; do
    path=${jar%:*} version=${jar#*:}
    curl -sSf -o "${path##*/}.jar" "$central/$path/$version/${path##*/}-$version.jar"
done
cat > match.py <<'PY'
import json
import logging
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from moto.events.models import EventPattern
from py4j.java_gateway import GatewayParameters, JavaGateway

logging.disable()  # py4j reports each object that outlives Java
jars = [*Path().glob("*.jar"), *Path("venv/share/py4j").glob("*.jar")]
java = subprocess.Popen(
    ["java", "-cp", ":".join(map(str, jars)), "py4j.GatewayServer", "--enable-auth", "0"],
    stdout=subprocess.PIPE, text=True,
)
port, token = int(java.stdout.readline()), java.stdout.readline().strip()
gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token))

JOBS = {
    "no member": {},
    "an object": {"processingJob": {"arn": "arn:aws:sagemaker:us-east-1:123456789012:processing-job/clean"}},
    "an empty object": {"processingJob": {}},
    "an empty list": {"processingJob": []},
    "null": {"processingJob": None},
}


def answers(metadata):
    """Return whether the job exists and whether it does not, first for AWS's matcher and then for moto."""
    event = {"detail": {"stepName": "clean", "metadata": metadata}}
    patterns = [{"detail": {"metadata": {"processingJob": [{"exists": exists}]}}} for exists in (True, False)]
    ruler = gateway.jvm.software.amazon.event.ruler.Ruler
    return (
        tuple(bool(ruler.matchesRule(json.dumps(event), json.dumps(pattern))) for pattern in patterns),
        tuple(EventPattern(None, pattern).matches_event(event) for pattern in patterns),
    )


try:
    found = {name: answers(metadata) for name, metadata in JOBS.items()}
finally:
    java.kill()
EXISTS, ABSENT = (True, False), (False, True)
words = {EXISTS: "exists", ABSENT: "absent"}
print(f"event-ruler 2.1.0: an object is absent and null exists. moto {version('moto')} differs where the value is empty.")
for name, (ruler, moto) in found.items():
    print(f"{name}: {words.get(ruler, ruler)}; in moto {words.get(moto, moto)}")
expected = {
    "no member": (ABSENT, ABSENT),
    "an object": (ABSENT, ABSENT),
    "an empty object": (ABSENT, EXISTS),
    "an empty list": (ABSENT, EXISTS),
    "null": (EXISTS, EXISTS),
}
sys.exit(0 if found == expected else "It no longer is so: this finding is out of date.")
PY
venv/bin/python match.py || exit 1
