"""The jars of the S3A connector.

With Spark's own `--packages`, each new machine would download the aws-java-sdk-bundle of 280 MB instead of
these 5 MB. Other dependencies are part of pyspark: HTTP client, Jackson, Joda-Time.
"""

from collections.abc import Callable
from pathlib import Path

from helpers.spark import maven_jars
from helpers.spark.maven_jars import Jar

# hadoop-aws must have the version of pyspark's hadoop-client-api; it was built with this SDK version.
# Signatures of S3A contain DynamoDB's classes, so they must load although nothing calls them.
JARS = (
    Jar(
        "org.apache.hadoop",
        "hadoop-aws",
        "3.3.4",
        962685,
        "53f9ae03c681a30a50aa17524bd9790ab596b28481858e54efd989a826ed3a4a",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-core",
        "1.12.262",
        1045128,
        "06fed99f929c389e168278c1b111aaf1afb270d07202fbbce92e73d1e4279678",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-s3",
        "1.12.262",
        1256738,
        "a0cb7580178bc0d4d3558295a5bb890008478da8a6b3241989c71238b0ed3be5",
    ),
    Jar(
        "com.amazonaws",
        "aws-java-sdk-dynamodb",
        "1.12.262",
        1997350,
        "7af4ba06d0d9b3c2ab435089caecd0567810d203aa285f7aa72861f1964d442e",
    ),
    Jar(
        "com.amazonaws",
        "jmespath-java",
        "1.12.262",
        27590,
        "9001ea993a45d82a2d3086edcbda8a40b4e012d049a70fbf071fd329c0fbd777",
    ),
)


def ensure(log: Callable[[str], None] | None = None) -> list[Path]:
    """Return the paths of the jars; download missing ones.

    Raises:
        UserError: see `maven_jars.ensure`.
    """
    return maven_jars.ensure(JARS, cache=maven_jars.cache_folder("s3a"), log=log)
