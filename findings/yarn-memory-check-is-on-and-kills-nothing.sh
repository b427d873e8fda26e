#!/usr/bin/env bash
# YARN's physical-memory check is on by default, and the NodeManager logs so. It kills nothing: by another default
# (yarn.nodemanager.resource.memory.enforced) YARN leaves limits to cgroups, which by a third default are not used
# (YARN-11967).
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
HOLD = "python3 -c 'import time; held = bytearray(range(256)) * 2**23; time.sleep(15)'"


def diagnostics(name, **more):
    """Return what YARN reports of an application whose container of 1 GiB holds 2 GiB for 15 seconds."""
    configuration = yarn.conf.YarnConfiguration()
    addresses = [f"resourcemanager.{part}address" for part in ("", "scheduler.", "resource-tracker.", "admin.", "webapp.")]
    addresses += [f"nodemanager.{part}address" for part in ("", "localizer.", "collector-service.", "webapp.")]
    for key, value in {
        **{f"yarn.{address}": "127.0.0.1:0" for address in addresses},
        "yarn.scheduler.capacity.root.queues": "default",
        "yarn.scheduler.capacity.root.default.capacity": "100",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "1",
        "yarn.resourcemanager.am.max-attempts": "1",
        "yarn.nodemanager.vmem-check-enabled": "false",
        "yarn.nodemanager.disk-health-checker.enable": "false",
        "yarn.nodemanager.local-dirs": str(Path(name, "local").absolute()),
        "yarn.nodemanager.log-dirs": str(Path(name, "logs").absolute()),
        "hadoop.tmp.dir": str(Path(name, "tmp").absolute()),
        **{key.replace("_", "."): value for key, value in more.items()},
    }.items():
        configuration.set(key, value)
    manager = yarn.server.resourcemanager.ResourceManager()
    node = yarn.server.nodemanager.NodeManager()
    for daemon in (manager, node):
        daemon.init(configuration)
        daemon.start()
    client = yarn.client.api.YarnClient.createYarnClient()
    client.init(configuration)
    client.start()
    submission = client.createApplication().getApplicationSubmissionContext()
    submission.setAMContainerSpec(yarn.api.records.ContainerLaunchContext.newInstance({}, {}, [HOLD], {}, None, {}))
    submission.setResource(yarn.api.records.Resource.newInstance(1024, 1))
    submission.setQueue("default")
    application = client.submitApplication(submission)
    while (report := client.getApplicationReport(application)).getYarnApplicationState().name() not in ("FAILED", "FINISHED"):
        time.sleep(0.5)
    for daemon in (client, node, manager):
        daemon.stop()
    return report.getDiagnostics()


def enabled():
    return "Physical memory check enabled: true" in Path("daemons.log").read_text()


try:
    by_default = diagnostics("default")
    logged = enabled()
    checked = diagnostics("checked", **{"yarn.nodemanager.resource.memory.enforced": "false"})
finally:
    java.kill()
line = next(line for line in checked.splitlines() if "limit" in line)
print("Hadoop 3.4.1: with YARN's defaults a container of 1 GiB that holds 2 GiB is not killed.")
print(f"by default: logged as enabled: {logged}; exit code {'0' if 'exitCode: 0' in by_default else 'another'}")
print("memory.enforced=false:", line.partition("is running")[1] + line.partition("is running")[2][:100])
same = logged and "exitCode: 0" in by_default and "memory limit" in line
sys.exit(0 if same else f"This has changed: {by_default!r} {checked!r}")
PY
venv/bin/python check.py 2> errors.txt || { cat errors.txt >&2; exit 1; }
