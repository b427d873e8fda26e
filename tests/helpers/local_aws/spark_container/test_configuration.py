"""configuration.json and the resulting files of Spark."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from helpers.local_aws.spark_container import configuration_files, image_defaults
from helpers.local_aws.spark_container.configuration import (
    CONTAINER_PATH,
    TARGETS,
    parse,
    read,
)
from helpers.local_aws.spark_container.errors import ContainerError

TEXT = st.text(st.characters(blacklist_categories=["Cs"]))
XML_TEXT = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters="\ufffe\uffff"))


@given(st.dictionaries(TEXT.filter(bool), TEXT))
def test_properties_are_read_as_they_were_written(properties: dict[str, str]) -> None:
    assert (
        configuration_files.parse_properties(configuration_files.render_properties(properties)) == properties
    )


@given(st.dictionaries(XML_TEXT.map(str.strip).filter(bool), XML_TEXT.filter(bool)))
def test_a_site_file_is_read_as_it_was_written(properties: dict[str, str]) -> None:
    assert configuration_files.parse_site(configuration_files.render_site(properties)) == properties


def test_properties_are_read_as_java_reads_them() -> None:
    text = "# a comment\n! another\n\n a=1\nb : 2\nc 3 \nd=x\\\n   y\ne=\\u00e4\\t\\q\\\\\nf\n\\ =g\\"
    assert configuration_files.parse_properties(text) == {
        "a": "1",
        "b": "2",
        "c": "3 ",
        "d": "xy",
        "e": "ä\tq\\",
        "f": "",
        " ": "g",
    }


@pytest.mark.parametrize(
    ("text", "properties"),
    [
        ("\\\n", {"": ""}),
        ("a=1\n\\", {"a": "1", "": ""}),
        ("\\\n\nb=1", {"b": "1"}),
        ("\\\n#b=1", {}),
        ("\\\n!b=1\nc=2", {"c": "2"}),
        ("a\\\n#b=1", {"a#b": "1"}),
        ("\\\n\n#b=1", {}),
        ("", {}),
    ],
)
def test_a_line_that_ends_in_a_backslash_continues_in_the_next(text: str, properties: dict[str, str]) -> None:
    assert configuration_files.parse_properties(text) == properties


def test_spark_trims_the_values_of_its_defaults_but_no_line_breaks() -> None:
    text = "a = \\t\\nx\\n \\u0001 \nb=\\ty \\f"

    assert configuration_files.parse_defaults(text) == {"a": "\nx\n", "b": "y"}


@pytest.mark.parametrize(
    ("entry", "properties"),
    [
        ("<name>a</name><value/>", {}),
        ("<name/><value>x</value>", {}),
        ("<name> a </name><value> x </value>", {"a": " x "}),
        ("<name>a</name><value>x<b>y</b>z</value>", {"a": "xyz"}),
        ("<name>a</name><value>x</value><value>y</value>", {"a": "y"}),
        (
            "<name>a</name><value>x</value><final>true</final></property>"
            "<property><name>a</name><value>y</value>",
            {"a": "x"},
        ),
    ],
)
def test_a_site_is_read_as_hadoop_reads_it(entry: str, properties: dict[str, str]) -> None:
    text = f"<configuration><property>{entry}</property></configuration>"

    assert configuration_files.parse_site(text) == properties


def test_java_reads_other_properties_as_latin_1_and_does_not_trim_them() -> None:
    assert parse(one("spark-metrics", {"a": "ä "})) == {"spark-metrics": {"a": "\xc3\xa4 "}}


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


EXPORT = {"Classification": "export", "Properties": {"A": "1"}}


@pytest.mark.parametrize(
    ("text", "kind", "cause"),
    [
        ("[{", "JSONDecodeError", "Expecting property name"),
        pytest.param("[" * 10**5, "RecursionError", "maximum recursion depth exceeded", id="deep"),
        pytest.param("1" * 5000, "ValueError", "Exceeds the limit (4300 digits) for integer", id="long"),
        (
            one("spark-defaults", {"a": "\ud800"}),
            "UnicodeEncodeError",
            r"'utf-8' codec can't encode character '\ud800' in position 2: surrogates not allowed",
        ),
        (
            one(
                "spark-env", {}, Configurations=[{"Classification": "export", "Properties": {"A": "\ud800"}}]
            ),
            "UnicodeEncodeError",
            r"'utf-8' codec can't encode character '\ud800' in position 9: surrogates not allowed",
        ),
        ("\ufeff[]", "JSONDecodeError", "Unexpected UTF-8 BOM (decode using utf-8-sig)"),
        (one("spark-default", {}), "ValueError", "Invalid classification: spark-default. Must be one of ["),
        ('[{"Properties": {}}]', "KeyError", "'Classification'"),
        ('{"Classification": "spark-defaults"}', "KeyError", "'Properties'"),
        ("[1]", "AttributeError", "'int' object has no attribute 'get'"),
        ('"x"', "AttributeError", "'str' object has no attribute 'get'"),
        ("1", "TypeError", "'int' object is not iterable"),
        (one("spark-defaults", []), "AttributeError", "'list' object has no attribute 'items'"),
        (one("spark-defaults", None), "AttributeError", "'NoneType' object has no attribute 'items'"),
        (one("spark-env", {"A": "1"}), "ValueError", "'env' classifications require a sub-configuration."),
        (one("export", {"A": "1"}), "AttributeError", "'Configuration' object has no attribute '_data'"),
        # Every nested entry is parsed, wherever it is.
        (one("spark-env", {}, Configurations=EXPORT), "AttributeError", "'str' object has no attribute"),
        (
            one("spark-defaults", {}, Configurations=[{"Classification": "bogus", "Properties": {}}]),
            "ValueError",
            "Invalid classification: bogus.",
        ),
        (
            one("spark-defaults", {}, Configurations=[{"Classification": "core-site"}]),
            "KeyError",
            "'Properties'",
        ),
        (one("spark-defaults", {}, Configurations="x"), "AttributeError", "'str' object has no attribute"),
        (
            one("spark-env", {}, Configurations=[{**EXPORT, "Configurations": [{"Classification": "x"}]}]),
            "KeyError",
            "'Properties'",
        ),
        (
            one("spark-env", {}, Configurations=[{"Classification": "core-site", "Properties": {}}]),
            "ValueError",
            "env classifications must use the 'export' sub-classification.",
        ),
        (one("spark-env", {}, Configurations=[{"Classification": "export"}]), "KeyError", "'Properties'"),
    ],
)
def test_what_the_image_cannot_deserialize_fails_with_the_images_exception(
    text: str, kind: str, cause: str
) -> None:
    with pytest.raises(ContainerError) as caught:
        parse(text)

    assert str(caught.value).startswith(
        f"Algorithm Error: (caused by {kind}): error running Spark job: {cause}"
    )
    assert caught.value.hint.startswith(CONTAINER_PATH)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            one("spark-defaults", {"a": None}),
            r"\(spark-defaults\): the value of a must be a string, a number or a boolean, not null",
        ),
        (one("spark-defaults", {"a": {}}), "the value of a must be"),
        (one("spark-defaults", {"a": "1\nb 2"}), "a holds a line break"),
        *(
            (one("spark-env", {}, Configurations=[{**EXPORT, "Properties": {"A": value}}]), "A holds a line")
            for value in ("x\nB=y", "x\n", "\nx", "'x\n")
        ),
        (one("spark-defaults", {"a": "C:\\users"}), "a value breaks the file"),
        (
            one("core-site", {"a": "b & c"}),
            "breaks the file, as the image writes it unescaped.*Write &amp; for &",
        ),
    ],
)
def test_what_would_break_a_file_is_rejected_with_its_place(text: str, problem: str) -> None:
    with pytest.raises(ContainerError, match=rf"error running Spark job: {CONTAINER_PATH}.*{problem}"):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A value that ends in a backslash continues on the next line, even in another entry.
        (one("spark-defaults", {"spark.a": "x\\", "spark.b": "1"}), {"spark.a": "xspark.b 1"}),
        (
            json.dumps(
                json.loads(one("spark-defaults", {"a": "x\\"})) + json.loads(one("spark-defaults", {"b": 1}))
            ),
            {"a": "xb 1"},
        ),
        (one("spark-metrics", {"a": "x\\", "b": "1"}), {"a": "xb=1"}),
        (
            json.dumps(
                json.loads(one("spark-defaults", {"a": "x\\"})) + json.loads(one("spark-defaults", {}))
            )[:-1]
            + ", "
            + one("spark-defaults", {"b": "1"})[1:],
            {"a": "x", "b": "1"},
        ),
        (one("core-site", {"a\nb": "x\ny"}), {"a\nb": "x\ny"}),
        (one("spark-env", {}, Configurations=[{**EXPORT, "Properties": {"A": "'x\ny'"}}]), {"A": "'x\ny'"}),
        (one("spark-env", None, Configurations=[EXPORT]), {"A": "1"}),
        (one("spark-env", {}, Configurations=[EXPORT, {**EXPORT, "Properties": {"A": 2}}]), {"A": "2"}),
    ],
)
def test_the_images_files_are_read_as_a_whole(text: str, expected: dict[str, str]) -> None:
    assert list(parse(text).values()) == [expected]


def test_the_properties_of_event_logs_come_last() -> None:
    text = one("spark-defaults", {"spark.eventLog.dir": "elsewhere", "a": "x\\"})
    after = {"spark.eventLog.enabled": "true", "spark.eventLog.dir": "file:///logs"}

    assert parse(text, after)["spark-defaults"] == {
        "spark.eventLog.dir": "file:///logs",
        "a": "xspark.eventLog.enabled=true",
    }


def test_a_job_without_the_file_has_no_configuration(tmp_path: Path) -> None:
    assert read(tmp_path / "configuration.json") == {}


def test_a_file_that_is_not_utf_8_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "configuration.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ContainerError, match="caused by UnicodeDecodeError"):
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
    result = image_defaults.localize({prefix + name: value}, prefix)
    assert result.properties == ({prefix + name: kept} if kept else {})
    assert len(result.messages) == (kept != value)
    assert all(message.startswith(f"{prefix}{name} {value} → ") for message in result.messages)


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
    assert [s for s in result.messages if "log4j.appender.console is not used" in s]
    assert image_defaults.log4j2({}).messages == ()
