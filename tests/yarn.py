"""A YARN cluster with HDFS for the spark-submit of a test."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pyspark

from helpers.local_aws.hadoop.cluster import HadoopCluster
from helpers.local_aws.hadoop.clusters import CLUSTERS
from helpers.local_aws.spark_container import configuration_files, yarn
from helpers.spark.instances import instance

SPARK = Path(pyspark.__file__).parent


@dataclass(frozen=True)
class Yarn:
    """A running cluster.

    Attributes:
        cluster: the cluster.
        settings: settings of spark-submit.
        environment: additional variables of spark-submit.
    """

    cluster: HadoopCluster
    settings: Mapping[str, str]
    environment: Mapping[str, str]


@contextmanager
def running(instance_type: str = "ml.m5.large", count: int = 2) -> Iterator[Yarn]:
    """Provide a YARN cluster with one node per instance."""
    hosts = tuple(f"algo-{number}" for number in range(1, count + 1))
    specification = yarn.specification(instance(instance_type), hosts, {})
    keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    with CLUSTERS.of_job(specification, keys) as cluster, tempfile.TemporaryDirectory() as folder:
        sites = {
            "core-site.xml": {"fs.defaultFS": cluster.default_file_system},
            "yarn-site.xml": cluster.yarn_site,
        }
        for name, properties in sites.items():
            Path(folder, name).write_text(configuration_files.render_site(properties))
        settings = {
            "spark.yarn.jars": f"local:{quote(str(SPARK / 'jars'))}/*",
            "spark.yarn.stagingDir": cluster.cluster.staging_folder.as_uri(),
            "spark.yarn.clientLaunchMonitorInterval": "100ms",
            "spark.yarn.appMasterEnv.SPARK_LOCAL_IP": "127.0.0.1",
        }
        archives = sorted((SPARK / "python" / "lib").glob("*.zip"))
        environment = {
            "HADOOP_CONF_DIR": folder,
            "HADOOP_USER_NAME": "root",
            "PYSPARK_ARCHIVES_PATH": ",".join(f"local:{quote(str(archive))}" for archive in archives),
        }
        yield Yarn(cluster.cluster, settings, environment)
