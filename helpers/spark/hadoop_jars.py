"""The jars of Hadoop's daemons, in the version of pyspark's Hadoop client.

`hadoop-client-minicluster` contains the NameNode, DataNode, ResourceManager and NodeManager in addition to
the client jars. It does not include JUnit, which its MiniDFSCluster calls, and Bouncy Castle, which the web
proxy of the ResourceManager calls.
"""

from collections.abc import Callable
from pathlib import Path

from helpers.spark import maven_jars
from helpers.spark.maven_jars import Jar

JARS = (
    Jar(
        "org.apache.hadoop",
        "hadoop-client-minicluster",
        "3.3.4",
        37033043,
        "cd8a1703393946c302bb3a52d0fcd23f6f8ded4554bc0dac5d2ee673dbe2b40e",
    ),
    Jar(
        "junit",
        "junit",
        "4.13.2",
        384581,
        "8e495b634469d64fb8acfa3495a065cbacc8a0fff55ce1e31007be4c16dc57d3",
    ),
    Jar(
        "org.hamcrest",
        "hamcrest-core",
        "1.3",
        45024,
        "66fdef91e9739348df7a096aa384a5685f4e875584cce89386a7a47251c4d8e9",
    ),
    Jar(
        "org.bouncycastle",
        "bcprov-jdk15on",
        "1.60",
        4189874,
        "7f1a0e6badab38666f8467a9a0ee96656b2f8ec8623867ed34f3cdc173b7ee07",
    ),
    Jar(
        "org.bouncycastle",
        "bcpkix-jdk15on",
        "1.60",
        796532,
        "a82ac5bc24bcbf6ba9eb70f334d6782e25245c8da36d9848ad553b5b7b68efd1",
    ),
)


def ensure(log: Callable[[str], None] | None = None) -> list[Path]:
    """Return the paths of the jars in the order of the class path.

    Raises:
        UserError: see `maven_jars.ensure`.
    """
    return maven_jars.ensure(JARS, cache=maven_jars.cache_folder("hadoop"), log=log)
