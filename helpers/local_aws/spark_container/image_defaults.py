"""The default configuration of the Spark image, and settings of a job that cannot apply to this machine."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

DEFAULT_PROVIDER = "com.amazonaws.auth.DefaultAWSCredentialsProviderChain"
S3A = "org.apache.hadoop.fs.s3a.S3AFileSystem"

SPARK_DEFAULTS: Mapping[str, str] = {
    "spark.hadoop.mapreduce.fileoutputcommitter.algorithm.version": "2",
    "spark.rpc.askTimeout": "300s",
}
CORE_SITE: Mapping[str, str] = {
    "fs.s3a.aws.credentials.provider": DEFAULT_PROVIDER,
    "fs.s3.impl": S3A,
    "fs.s3a.connection.maximum": "100",
}
HDFS_SITE: Mapping[str, str] = {
    "dfs.client.block.write.replace-datanode-on-failure.enable": "true",
    "dfs.client.block.write.replace-datanode-on-failure.policy": "ALWAYS",
}

_ADDRESSES = re.compile(
    r"fs\.s3a\.(bucket\..+\.)?(endpoint(\.region)?|path\.style\.access|connection\.ssl\.enabled|proxy\..+)"
    r"|fs\.s3a\.assumed\.role\.sts\.endpoint(\.region)?"
)
_PROVIDERS = re.compile(r"fs\.s3a\.(bucket\..+\.)?aws\.credentials\.provider")
# These need services of an EC2 instance or of a container, which a laptop does not have.
_INSTANCE_PROVIDER = re.compile(
    r"(software\.amazon\.awssdk\.auth\.credentials\.(Default|Container|InstanceProfile)CredentialsProvider"
    r"|[\w.]*\.(InstanceProfileCredentialsProvider|IAMInstanceCredentialsProvider"
    r"|(EC2)?ContainerCredentialsProvider(Wrapper)?))"
)
_ENCRYPTION = re.compile(
    r"fs\.s3a\.(?:bucket\..+\.)?(?:server-side-encryption|encryption)[-.](?P<part>algorithm|key)"
)
_LOOPBACK = re.compile(r"spark\.driver\.(host|bindAddress)")


@dataclass(frozen=True)
class Localized:
    """Properties that can apply here, and a sentence about each change."""

    properties: dict[str, str]
    messages: tuple[str, ...] = ()


def localize(properties: Mapping[str, str], prefix: str = "") -> Localized:
    """Return a job's Hadoop or Spark properties without those that would bypass the embedded AWS.

    Args:
        properties: properties of core-site, or of spark-defaults.
        prefix: the prefix of Hadoop's names, which is `spark.hadoop.` in spark-defaults.
    """
    kept: dict[str, str] = {}
    messages: list[str] = []
    for name, value in properties.items():
        hadoop = name.removeprefix(prefix) if name.startswith(prefix) else ""
        if _ADDRESSES.fullmatch(hadoop) or _LOOPBACK.fullmatch(name):
            messages.append(f"{name} {value} → not used: jobs stay on the embedded AWS of this machine")
        elif (setting := _ENCRYPTION.fullmatch(hadoop)) and _asks_for_kms(setting["part"], value):
            messages.append(
                f"{name} {value} → not used: the SDK sends a KMS key by https only; "
                "the bucket's default encryption applies"
            )
        elif hadoop == "fs.defaultFS" and value.startswith("hdfs:"):
            messages.append(f"{name} {value} → not used: this machine decides where HDFS is")
        elif hadoop == "fs.s3.impl" and value != S3A:
            messages.append(f"{name} {value} → {S3A}: the other is not part of Spark")
        elif _PROVIDERS.fullmatch(hadoop):
            kept[name] = _local_provider(value)
            if kept[name] != value:
                messages.append(f"{name} {value} → {kept[name]}: the role's credentials come by environment")
        else:
            kept[name] = value
    return Localized(kept, tuple(messages))


def _asks_for_kms(part: str, value: str) -> bool:
    return (
        value.endswith("-KMS")
        if part == "algorithm"
        else bool(re.match(r"arn:|alias/|[0-9a-f-]{36}$", value))
    )


def _local_provider(value: str) -> str:
    names = [
        DEFAULT_PROVIDER if _INSTANCE_PROVIDER.fullmatch(name.strip()) else name.strip()
        for name in value.split(",")
    ]
    return ",".join(dict.fromkeys(names))


def s3a_addresses(endpoint: str, region: str) -> dict[str, str]:
    """Return the properties that direct S3A to an endpoint."""
    return {
        "fs.s3a.endpoint": endpoint,
        "fs.s3a.endpoint.region": region,
        "fs.s3a.path.style.access": "true",
        "fs.s3a.connection.ssl.enabled": str(endpoint.startswith("https:")).lower(),
    }


LOG4J2: Mapping[str, str] = {
    "rootLogger.level": "warn",
    "rootLogger.appenderRef.stderr.ref": "stderr",
    "appender.console.type": "Console",
    "appender.console.name": "stderr",
    "appender.console.target": "SYSTEM_ERR",
    "appender.console.layout.type": "PatternLayout",
    "appender.console.layout.pattern": "%d{yy/MM/dd HH:mm:ss} %p %c{1}: %m%n%ex",
    # Logs the port of the Spark UI, and little else.
    "logger.ui.name": "org.apache.spark.util.Utils",
    "logger.ui.level": "info",
    # Our Spark has no native Hadoop library, unlike the image.
    "logger.native.name": "org.apache.hadoop.util.NativeCodeLoader",
    "logger.native.level": "error",
    # It looks for a file of metrics settings that no Spark distribution includes.
    "logger.metrics.name": "org.apache.hadoop.metrics2.impl.MetricsConfig",
    "logger.metrics.level": "error",
}


def log4j2(properties: Mapping[str, str]) -> Localized:
    """Return the Log4j 2 configuration for a job's `spark-log4j`.

    The image appends this classification to log4j.properties, a file for Log4j 1, but Spark 3.5 uses Log4j 2.
    Here, Log4j 2 properties are used unchanged, and the logger levels of Log4j 1 are translated.
    """
    result = dict(LOG4J2)
    messages: list[str] = []
    if properties:
        messages.append(
            "spark-log4j is applied to Log4j 2 here; the image writes it to log4j.properties, "
            "which Spark 3.5 does not read by itself"
        )
    for index, (name, value) in enumerate(properties.items()):
        level = value.split(",")[0].strip().lower()
        if name in {"log4j.rootLogger", "log4j.rootCategory"}:
            result["rootLogger.level"] = level
        elif match := re.fullmatch(r"log4j\.(?:logger|category)\.(.+)", name):
            result[f"logger.job{index}.name"] = match[1]
            result[f"logger.job{index}.level"] = level
        elif name.startswith("log4j."):
            messages.append(f"spark-log4j: {name} is not used: of Log4j 1 only levels are translated")
        else:
            result[name] = value
    return Localized(result, tuple(messages))
