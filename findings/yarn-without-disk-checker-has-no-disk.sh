#!/usr/bin/env bash
# yarn.nodemanager.disk-health-checker.enable=false stops the timer of the disk checker, not the check at the start of a
# NodeManager. On a disk fuller than 90 % the node then has no local directory left for containers, and reports itself
# as healthy, because health no longer depends on its disks.
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
    """Return a configuration of a NodeManager on free ports of loopback, with files in a folder."""
    made = yarn.conf.YarnConfiguration()
    parts = ("", "localizer.", "collector-service.", "webapp.")
    for key, value in {
        **{f"yarn.nodemanager.{part}address": "127.0.0.1:0" for part in parts},
        "yarn.nodemanager.local-dirs": str(Path(folder, "local").absolute()),
        "yarn.nodemanager.log-dirs": str(Path(folder, "logs").absolute()),
        "hadoop.tmp.dir": str(Path(folder, "tmp").absolute()),
        **more,
    }.items():
        made.set(key, value)
    return made


def started(folder, limit):
    """Return the health of a NodeManager without a disk checker, and its numbers of usable and full directories."""
    node = yarn.server.nodemanager.NodeManager()
    node.init(configuration(folder, **{
        "yarn.nodemanager.disk-health-checker.enable": "false",
        "yarn.nodemanager.disk-health-checker.max-disk-utilization-per-disk-percentage": limit,
    }))
    checker = node.getNodeHealthChecker()
    disks = checker.getDiskHandler()
    found = bool(checker.isHealthy()), len(disks.getLocalDirs()), len(disks.getDiskFullLocalDirs())
    node.close()
    return found


try:
    full, usable = started("full", "0"), started("usable", "100")
finally:
    java.kill()
print("Hadoop 3.4.1: a NodeManager without a disk health checker leaves out full disks, and is healthy without any.")
for limit, (healthy, directories, left_out) in (("0", full), ("100", usable)):
    print(f"limit {limit:>3} %: healthy: {healthy}, local directories: {directories}, full ones: {left_out}")
sys.exit(0 if (full, usable) == ((True, 0, 1), (True, 1, 0)) else "This has changed.")
PY
venv/bin/python check.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
