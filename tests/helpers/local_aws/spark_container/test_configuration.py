"""configuration.json and the files of Spark that come of it."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.spark_container import configuration_files, image_defaults
from helpers.local_aws.spark_container.configuration import (
    CONTAINER_PATH,
    TARGETS,
    ConfigurationError,
    parse,
    read,
)

TEXT = st.text(st.characters(blacklist_categories=["Cs"]))
XML_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"))


@given(st.dictionaries(TEXT.filter(bool), TEXT.map(lambda text: text.strip("".join(map(chr, range(33)))))))
def test_properties_are_read_as_they_were_written(properties: dict[str, str]) -> None:
    assert (
        configuration_files.parse_properties(configuration_files.render_properties(properties)) == properties
    )


@given(st.dictionaries(XML_TEXT.map(str.strip).filter(bool), XML_TEXT))
def test_a_site_file_is_read_as_it_was_written(properties: dict[str, str]) -> None:
    assert configuration_files.parse_site(configuration_files.render_site(properties)) == properties


def test_properties_are_read_as_java_reads_them() -> None:
    text = "# a comment\n! another\n\n a=1\nb : 2\nc 3 \nd=x\\\n   y\ne=\\u00e4\\t\\q\\\\\nf\n\\ =g\\"
    assert configuration_files.parse_properties(text) == {
        "a": "1",
        "b": "2",
        "c": "3",
        "d": "xy",
        "e": "ä\tq\\",
        "f": "",
        " ": "g",
    }


def one(classification: str, properties: object, **more: object) -> str:
    return json.dumps([{"Classification": classification, "Properties": properties, **more}])


def test_a_list_and_one_object_are_both_taken() -> None:
    document = {"Classification": "spark-defaults", "Properties": {"spark.executor.cores": "2"}}
    expected = {"spark-defaults": {"spark.executor.cores": "2"}}
    assert parse(json.dumps(document)) == parse(json.dumps([document])) == expected


def test_values_become_text_and_the_last_of_two_counts() -> None:
    first = {"Classification": "spark-defaults", "Properties": {"a": 1, "b": True, "c": 0.5}}
    second = {"Classification": "spark-defaults", "Properties": {"a": 2}}
    assert parse(json.dumps([first, second])) == {"spark-defaults": {"a": "2", "b": "True", "c": "0.5"}}


@pytest.mark.parametrize("classification", sorted(TARGETS))
def test_every_classification_of_the_image_is_known(classification: str) -> None:
    export = {"Classification": "export", "Properties": {"A": "x"}}
    more = {"Configurations": [export]} if classification.endswith("-env") else {}
    properties = {} if more else {"A": "x"}
    assert parse(one(classification, properties, **more)) == {classification: {"A": "x"}}


def test_values_have_the_meaning_that_the_images_file_gives_them() -> None:
    assert parse(one("spark-defaults", {"spark.x": "a\\tb "})) == {"spark-defaults": {"spark.x": "a\tb"}}
    assert parse(one("core-site", {"x": "a &amp; b"})) == {"core-site": {"x": "a & b"}}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            '[{"Classification": "core-site"\n "Properties": {}}]',
            "is not JSON: line 2, column 2: Expecting ','",
        ),
        (one("spark-default", {}), "unknown classification 'spark-default'; the image allows core-site, "),
        (one("spark", {}), "yarn-env, yarn-site"),
        ('[{"Properties": {}}]', r"\[0\]: Classification is missing"),
        ('{"Classification": "spark-defaults"}', "Properties is missing"),
        ("[1]", r"\[0\]: must be an object with Classification and Properties, not 1"),
        (one("spark-defaults", []), r"\(spark-defaults\): Properties must be an object"),
        (
            one("spark-defaults", {"a": None}),
            "the value of a must be a string, a number or a boolean, not null",
        ),
        (one("spark-defaults", {"a": {}}), "the value of a must be"),
        (one("spark-defaults", {"a": "1\nb 2"}), "a holds a line break"),
        (one("spark-defaults", {"a": "C:\\users"}), r"a = .* breaks the file"),
        (
            one("core-site", {"a": "b & c"}),
            "breaks the file, as the image writes it unescaped.*Write &amp; for &",
        ),
        (
            one("spark-env", {"A": "1"}),
            r'\(spark-env\): Configurations must hold one with "Classification": "exp',
        ),
        (
            one("spark-env", {}, Configurations=[{"Classification": "spark-env", "Properties": {}}]),
            r"\(spark-env\)\.Configurations\[0\]: Classification must be \"export\", not 'spark-env'",
        ),
        (one("spark-env", {}, Configurations=[{"Classification": "export"}]), "Properties is missing"),
    ],
)
def test_what_the_image_refuses_is_refused_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ConfigurationError, match=f"^{CONTAINER_PATH}.*{problem}"):
        parse(text)


def test_a_job_without_the_file_has_no_configuration(tmp_path: Path) -> None:
    assert read(tmp_path / "configuration.json") == {}


def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match="is not UTF-8"):
        read(tmp_path / "configuration.json")


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("fs.s3a.endpoint", "s3.us-east-1.amazonaws.com", None),
        ("fs.s3a.bucket.my.bucket.endpoint.region", "eu-west-1", None),
        ("fs.s3a.proxy.host", "proxy", None),
        ("fs.defaultFS", "hdfs://nn/", None),
        ("fs.defaultFS", "s3a://bucket", "s3a://bucket"),
        ("fs.s3.impl", "com.amazon.ws.emr.hadoop.fs.EmrFileSystem", None),
        ("fs.s3a.server-side-encryption-algorithm", "SSE-KMS", None),
        ("fs.s3a.server-side-encryption.key", "arn:aws:kms:us-east-1:1:key/x", None),
        ("fs.s3a.server-side-encryption-algorithm", "AES256", "AES256"),
        (
            "fs.s3a.aws.credentials.provider",
            "com.amazonaws.auth.ContainerCredentialsProvider, "
            "com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
            f"{image_defaults.DEFAULT_PROVIDER},com.amazonaws.auth.EnvironmentVariableCredentialsProvider",
        ),
        ("fs.s3a.connection.maximum", "7", "7"),
    ],
)
@pytest.mark.parametrize("prefix", ["", "spark.hadoop."])
def test_nothing_leads_a_job_away_from_the_embedded_aws(
    prefix: str, name: str, value: str, kept: str | None
) -> None:
    result = image_defaults.localise({prefix + name: value}, prefix)
    assert result.properties == ({prefix + name: kept} if kept else {})
    assert len(result.sentences) == (kept != value)
    assert all(sentence.startswith(f"{prefix}{name} {value} → ") for sentence in result.sentences)


def test_levels_of_log4j_1_are_translated_and_the_rest_is_named() -> None:
    result = image_defaults.log4j2(
        {
            "log4j.rootCategory": "INFO, console",
            "log4j.logger.org.apache.parquet": "ERROR",
            "log4j.appender.console": "org.apache.log4j.ConsoleAppender",
            "logger.mine.name": "com.example",
        }
    )
    levels = {name.partition(".")[2]: value for name, value in result.properties.items()}
    assert levels["level"] == "info"
    assert "org.apache.parquet" in result.properties.values()
    assert result.properties["logger.mine.name"] == "com.example"
    assert [s for s in result.sentences if "log4j.appender.console is not used" in s]
    assert image_defaults.log4j2({}).sentences == ()
