#!/usr/bin/env bash
# A ResourceManager takes yarn.scheduler.maximum-allocation-mb from the files on its class path, not from the
# configuration that it is given: a static map of resource types is filled with the defaults before. Where a program
# starts YARN (as MiniYARNCluster does), larger containers are rejected, until the map is reset with that configuration.
set -eu -o pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check py4j==0.10.9.9
central=${MAVEN_REPOSITORY_URL:-https://repo1.maven.org/maven2}
for jar in org/apache/hadoop/hadoop-client-{minicluster,api,runtime}:3.4.1 junit/junit:4.13.2 \
    org/bouncycastle/bc{prov,pkix,util}-jdk18on:1.78.1 commons-logging/commons-logging:1.2 org/slf4j/slf4j-api:1.7.36 \
    org/slf4j/slf4j-reload4j:1.7.36 ch/qos/reload4j/reload4j:1.2.22 \
    jakarta/xml/bind/jakarta.xml.bind-api:2.3.3 jakarta/activation/jakarta.activation-api:1.2.2 \
    org/glassfish/jaxb/jaxb-runtime:2.3.9 com/sun/istack/istack-commons-runtime:3.0.12; do
    path=${jar%:*} version=${jar#*:}
    curl -sSf -o "${path##*/}.jar" "$central/$path/$version/${path##*/}-$version.jar"
done
cat > check.py <<'PY'
import logging
import subprocess
import sys
import time
from pathlib import Path

from py4j.java_gateway import GatewayParameters, JavaGateway

logging.disable()  # it reports each object that outlives Java
jars = [Path("hadoop-client-minicluster.jar"), *sorted(Path().glob("*.jar")), *Path("venv/share/py4j").glob("*.jar")]
Path("log4j.properties").write_text(
    "log4j.rootLogger=INFO, file\nlog4j.appender.file=org.apache.log4j.FileAppender\n"
    "log4j.appender.file.File=daemons.log\nlog4j.appender.file.layout=org.apache.log4j.SimpleLayout\n"
)
options = ["--add-opens=java.base/java.lang=ALL-UNNAMED", "-Dlog4j.configuration=file:log4j.properties"]
java = subprocess.Popen(
    ["java", *options, "-cp", ":".join(map(str, jars)), "py4j.GatewayServer", "--enable-auth", "0"],
    stdout=subprocess.PIPE, text=True,
)
port, token = int(java.stdout.readline()), java.stdout.readline().strip()
gateway = JavaGateway(gateway_parameters=GatewayParameters(port=port, auth_token=token, auto_convert=True))
yarn = gateway.jvm.org.apache.hadoop.yarn
gateway.jvm.org.apache.hadoop.metrics2.lib.DefaultMetricsSystem.setMiniClusterMode(True)


def configuration(folder, **more):
    """Return a configuration of a ResourceManager on free ports of loopback, with files in a folder."""
    made = yarn.conf.YarnConfiguration()
    parts = ("", "scheduler.", "resource-tracker.", "admin.", "webapp.")
    for key, value in {
        **{f"yarn.resourcemanager.{part}address": "127.0.0.1:0" for part in parts},
        "yarn.scheduler.capacity.root.queues": "default",
        "yarn.scheduler.capacity.root.default.capacity": "100",
        "hadoop.tmp.dir": str(Path(folder, "tmp").absolute()),
        **more,
    }.items():
        made.set(key, value)
    return made


MAXIMUM = "yarn.scheduler.maximum-allocation-mb"


def largest(folder, *, reset):
    """Return the configured limit, and the largest container in MiB that a ResourceManager with it grants."""
    given = configuration(folder, **{MAXIMUM: "16384"})
    if reset:
        yarn.util.resource.ResourceUtils.resetResourceTypes(given)
    manager = yarn.server.resourcemanager.ResourceManager()
    manager.init(given)
    manager.start()
    found = manager.getConfig().get(MAXIMUM), manager.getResourceScheduler().getMaximumResourceCapability().getMemorySize()
    manager.stop()
    return found


try:
    plain, reset = largest("plain", reset=False), largest("reset", reset=True)
finally:
    java.kill()
print("Hadoop 3.4.1: the largest container does not follow the configuration of the ResourceManager.")
print(f"configured {plain[0]} MiB: {plain[1]} MiB; after resetResourceTypes: {reset[1]} MiB")
sys.exit(0 if plain == ("16384", 8192) and reset == ("16384", 16384) else f"This has changed: {plain} {reset}")
PY
venv/bin/python check.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
