"""The jobs with which smspark and the embedded AWS are compared."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from helpers.spark.instances import instances

CODE = "/opt/ml/processing/input/code"
APP = f"{CODE}/app.py"
FOLDER = "/opt/ml/processing/input/py"
"""A folder with only one file: the image would list several in the order of the file system."""
COUNTS = (1, 2, 5, 20)


@dataclass(frozen=True)
class Job:
    """The parts of a processing job that affect the image.

    Attributes:
        name: name in the comparison.
        command: the arguments of smspark-submit.
        document: the text of configuration.json; surrogates stand for bytes that are not UTF-8.
        mode: value of `AWS_SPARK_CONFIG_MODE`.
        instance_type: type of the instances.
        instance_count: number of instances.
        files: files in the container.
        folders: empty folders in the container.
    """

    name: str
    command: tuple[str, ...] = (APP,)
    document: str | None = None
    mode: str | None = None
    instance_type: str = "ml.m5.xlarge"
    instance_count: int = 2
    files: tuple[str, ...] = (APP, f"{CODE}/b.py", f"{CODE}/a.zip", f"{FOLDER}/a.py", f"{FOLDER}/b/deep.py")
    folders: tuple[str, ...] = ("/opt/ml/processing/input/empty",)


def sizings() -> Iterator[Job]:
    """Yield a job for each instance type, number of instances and mode, including invalid modes."""
    for instance in instances().values():
        for count in COUNTS:
            for mode in (None, "1", "2"):
                name = f"mode {mode or 'by default'}: {count} × {instance.name} of {instance.vcpus} vCPU"
                yield Job(name, mode=mode, instance_type=instance.name, instance_count=count)
    for mode in ("", "0", "3", "-1", "two", " 2 ", "2.0", "1_0"):
        yield Job(f"mode {mode!r}", mode=mode)
    bogus = _document("bogus", {})
    yield Job("mode 3 and a wrong document", mode="3", document=bogus)
    for properties in ({"spark.executor.instances": "1"}, {"spark.dynamicAllocation.enabled": "true"}):
        document = _document("spark-defaults", properties)
        name = f"no executors by the mode, but {json.dumps(properties)}"
        yield Job(name, mode="2", instance_count=1, document=document)


def _entry(classification: Any, properties: Any, **more: Any) -> dict[str, Any]:
    return {"Classification": classification, "Properties": properties, **more}


def _document(classification: Any, properties: Any, **more: Any) -> str:
    return json.dumps([_entry(classification, properties, **more)])


def _env(classification: str, *exports: Any) -> str:
    nested = [_entry("export", properties) for properties in exports]
    return _document(classification, {}, Configurations=nested)


_EXPORT = _entry("export", {"A": "1"})
_FILES = ("core-site", "hive-site", "spark-hive-site", "yarn-site")
_PROPERTIES = ("hadoop-log4j", "hive-log4j", "hive-exec-log4j", "spark-log4j", "spark-metrics")
_ENVIRONMENTS = ("hadoop-env", "hive-env", "spark-env", "yarn-env")

_SPECIAL: Mapping[str, Any] = {
    "numbers and booleans": {"a": 1, "b": 0.5, "c": True, "d": False, "e": 1e30, "f": -1},
    "blanks around": {"a": "  x  ", " b ": "y"},
    "blanks within": {"a b": "x y"},
    "a trailing blank": {"a": "x "},
    "separators": {"a=b": "c", "d:e": "f", "g": "=h", "i": ":j", "k": "l=m:n"},
    "a comment": {"#a": "x", "!b": "y", "c": "#z"},
    "a backslash": {"a": "x\\y", "b": "\\t\\n\\\\"},
    "a backslash at the end": {"a": "x\\", "b": "1"},
    "two backslashes at the end": {"a": "x\\\\", "b": "1"},
    "an escape": {"a": "\\u00e4"},
    "a malformed escape": {"a": "C:\\users"},
    "a tab": {"a": "x\ty"},
    "an empty value": {"a": "", "b": "x"},
    "an empty name": {"": "x", "b": "y"},
    "letters beyond ASCII": {"a": "ä € 😀", "ü": "x"},
    "quotes": {"a": '"x"', "b": "'y'", "c": "it's"},
    "references": {"a": "${b}", "b": "$HOME", "c": "`true`"},
    "a control character": {"a": "x\u0001"},
    "a line separator": {"a": "x\u2028y\u0085z"},
    "a form feed": {"a": "x\fy"},
    "null": {"a": None},
    "an object": {"a": {"b": 1}},
    "a list": {"a": [1, 2]},
    "a line break": {"a": "1\nb 2"},
    "a carriage return": {"a": "1\rb 2"},
    "a lone surrogate": {"a": "\ud800"},
    "entities": {"a": "b &amp; c &#228;"},
    "an ampersand": {"a": "b & c"},
    "angle brackets": {"a": "<b>c</b>d"},
    "a comment of XML": {"a": "b<!-- c -->d"},
    "CDATA": {"a": "<![CDATA[b & c]]>"},
    "a final property": {"a": "b</value><final>true</final><value>c"},
    "not a number": {"a": float("nan"), "b": float("inf")},
    "nothing": {},
}

_WRONG: Mapping[str, str] = {
    "no file": "",
    "no JSON": "[{",
    "a byte order mark": "\ufeff[]",
    "not UTF-8": "\udcff\udcfe",
    "not UTF-8 within": '[{"Classification": "spark-defaults", "Properties": {"a": "\udce4"}}]',
    "trailing text": "[] x",
    "nested too deeply": "[" * 10**5 + "]" * 10**5,
    "a number that is too long": "1" * 5000,
    "NaN": "NaN",
    "null": "null",
    "a number": "1",
    "true": "true",
    "a text": '"x"',
    "an empty text": '""',
    "an empty list": "[]",
    "an empty object": "{}",
    "a list of numbers": "[1]",
    "a list of lists": "[[]]",
    "a list of null": "[null]",
    "no Classification": '[{"Properties": {}}]',
    "no Properties": '[{"Classification": "spark-defaults"}]',
    "lower case": '[{"classification": "spark-defaults", "properties": {}}]',
    "an unknown classification": _document("spark-default", {}),
    "emrfs-site": _document("emrfs-site", {}),
    "spark": _document("spark", {"maximizeResourceAllocation": "true"}),
    "a classification of null": _document(None, {}),
    "a classification that is a list": _document(["spark-defaults"], {}),
    "a classification that is empty": _document("", {}),
    "an unknown env": _document("my-env", {}),
    "Properties of null": _document("spark-defaults", None),
    "Properties as a list": _document("spark-defaults", []),
    "Properties as a text": _document("core-site", "a=b"),
    "an env without exports": _document("spark-env", {"A": "1"}),
    "an env with an empty list": _document("spark-env", {}, Configurations=[]),
    "an env with null": _document("spark-env", {}, Configurations=None),
    "an env with an object": _document("spark-env", {}, Configurations=_EXPORT),
    "an env with an empty object": _document("spark-env", {}, Configurations={}),
    "an env with a number": _document("spark-env", {}, Configurations=1),
    "an env with a text": _document("spark-env", {}, Configurations="x"),
    "an env with another classification": _document(
        "spark-env", {}, Configurations=[_entry("core-site", {"a": "b"})]
    ),
    "an env in an env": _document(
        "spark-env", {}, Configurations=[_entry("hadoop-env", {}, Configurations=[_EXPORT])]
    ),
    "an export without Properties": _document("spark-env", {}, Configurations=[{"Classification": "export"}]),
    "an export with Properties of null": _env("spark-env", None),
    "an export by itself": _document("export", {"A": "1"}),
    "an export after a valid entry": json.dumps([_entry("spark-defaults", {"a": "b"}), _EXPORT]),
    "an export with a nested error": _document(
        "spark-env", {}, Configurations=[{**_EXPORT, "Configurations": [{"Classification": "x"}]}]
    ),
    "a nested unknown classification": _document("spark-defaults", {}, Configurations=[_entry("bogus", {})]),
    "a nested entry without Properties": _document(
        "spark-defaults", {}, Configurations=[{"Classification": "core-site"}]
    ),
    "an unknown classification with a nested error": _document(
        "bogus", {}, Configurations=[{"Classification": "core-site"}]
    ),
    "a wrong env before a wrong classification": json.dumps([_entry("spark-env", {}), _entry("bogus", {})]),
}

_VALID: Mapping[str, str] = {
    "one object": json.dumps(_entry("spark-defaults", {"a": "b"})),
    "other members": _document("spark-defaults", {"a": "b"}, Comment="x"),
    "a nested entry that counts for nothing": _document(
        "spark-defaults", {"a": "b"}, Configurations=[_entry("core-site", {"c": "d"})]
    ),
    "an env with Properties": _document("spark-env", {"B": "2"}, Configurations=[_EXPORT]),
    "an env with Properties of null": _document("spark-env", None, Configurations=[_EXPORT]),
    "two exports": _env("spark-env", {"A": "1"}, {"A": "2", "B": "3"}),
    "two entries of a classification": json.dumps(
        [_entry("spark-defaults", {"a": 1, "b": 1}), _entry("spark-defaults", {"a": 2})]
    ),
    "two entries of a site": json.dumps(
        [_entry("core-site", {"a": 1, "b": 1}), _entry("core-site", {"a": 2})]
    ),
    "two entries of an env": json.dumps(
        [
            _entry("spark-env", {}, Configurations=[_entry("export", {"A": "1", "B": "1"})]),
            _entry("spark-env", {}, Configurations=[_entry("export", {"A": "2"})]),
        ]
    ),
    "a key twice": '[{"Classification": "spark-defaults", "Properties": {"a": "1", "a": "2"}}]',
    "a member twice": '{"Classification": "x", "Classification": "spark-defaults", "Properties": {"a": "1"}}',
    "a backslash before an empty entry": json.dumps(
        [
            _entry("spark-defaults", {"a": "x\\"}),
            _entry("spark-defaults", {}),
            _entry("spark-defaults", {"b": "1"}),
        ]
    ),
    "a final property and its other value": json.dumps(
        [_entry("core-site", {"a": "b</value><final>true</final><value>c"}), _entry("core-site", {"a": "d"})]
    ),
    "hive-site for Hive and for Spark": json.dumps(
        [_entry("hive-site", {"a": "1"}), _entry("spark-hive-site", {"a": "2"})]
    ),
}

_VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "a plain value": {"A": "x", "B": 1, "C": True},
    "quotes": {"A": '"x y"', "B": "'x $HOME'"},
    "a reference": {"A": "x", "B": "$A/y", "C": "${D:-z}"},
    "a command": {"A": "$(echo x)"},
    "blanks": {"A": "x B=y"},
    "an empty value": {"A": ""},
    "a line break": {"A": "x\nexport B=y"},
    "a quoted line break": {"A": "'x\ny'"},
    "null": {"A": None},
    "a lone surrogate": {"A": "\ud800"},
    "a semicolon": {"A": "x; export B=y"},
    "a comment": {"A": "x # y"},
}


_GENERATED = 100
_ALPHABETS: Mapping[str, tuple[str, ...]] = {
    "spark-defaults": (*"ab01\\\\ =:#!$\"'ä€\t\f\r", "\\u00e4"),
    "spark-metrics": (*"ab01\\\\ =:#!$\"'*.\t\f\r", "\\u00e4"),
    "core-site": (*"ab01\\ =:#!$\"'ä€\t\r\n", "&amp;", "&lt;", "&#9;", "<!-- x -->", "<![CDATA[&]]>"),
}
"""Characters of generated names and values, all of which can be read."""


def _generated(classification: str, alphabet: tuple[str, ...], number: int) -> str:
    """Return a document with some entries, which depends only on the number."""
    chance = random.Random(f"{classification} {number}")

    def text() -> str:
        return "".join(chance.choices(alphabet, k=chance.randint(0, 6)))

    return json.dumps(
        [
            _entry(classification, {text(): text() for _ in range(chance.randint(0, 3))})
            for _ in range(chance.randint(1, 3))
        ]
    )


def documents() -> Iterator[Job]:
    """Yield jobs with valid and invalid configuration.json documents."""
    texts = {
        **{f"wrong: {name}": text for name, text in _WRONG.items()},
        **{f"valid: {name}": text for name, text in _VALID.items()},
    }
    for name, properties in _SPECIAL.items():
        for classification in ("spark-defaults", "core-site", "spark-metrics"):
            texts[f"{classification}: {name}"] = _document(classification, properties)
    for name, variables in _VARIABLES.items():
        texts[f"spark-env: {name}"] = _env("spark-env", variables)
    for classification in (*_FILES, *_PROPERTIES, "spark-defaults"):
        texts[f"each: {classification}"] = _document(classification, {"a.b": "x", "c": "y"})
    for classification in _ENVIRONMENTS:
        texts[f"each: {classification}"] = _env(classification, {"A": "x"})
    for classification, alphabet in _ALPHABETS.items():
        for number in range(_GENERATED):
            texts[f"generated: {classification} {number}"] = _generated(classification, alphabet, number)
    for name, text in texts.items():
        yield Job(name, document=text)
    yield Job("no configuration.json")


_DIRECTORY = "/opt/ml/processing/input"
_COMMANDS: Mapping[str, tuple[str, ...]] = {
    "the application alone": (APP,),
    "arguments": (APP, "--in", "/opt/ml/processing/input/data", "a b", "", "it's", "$HOME", "--jars", "x"),
    "every option": (
        *("--class", "com.example.Main", "--jars", f"{CODE}/b.py", "--py-files", f"{CODE}/a.zip"),
        *("--files", APP, "--verbose", APP, "x"),
    ),
    "options in another order": (
        *("-v", "--files", APP, "--py-files", f"{CODE}/a.zip", "--class", "C", APP),
    ),
    "options with =": ("--class=C", f"--jars={CODE}/a.zip", APP),
    "an option twice": ("--class", "A", "--class", "B", APP),
    "an option twice, apart": ("--class", "A", "--files", APP, "--class", "B", APP),
    "a flag twice": ("-vv", APP),
    "empty options": ("--jars", "", "--files=", "--class", "", APP),
    "a dash": ("--", "-app", "x"),
    "dashes after the application": (APP, "--", "x"),
    "a value that is an option": ("--class", "--verbose", APP),
    "a folder": ("--py-files", FOLDER, APP),
    "a folder with a slash": ("--py-files", f"{FOLDER}/", APP),
    "a folder and a file": ("--py-files", f"{FOLDER},{APP}", APP),
    "a path with dots": ("--py-files", f"{CODE}/../code/app.py", APP),
    "a path with slashes": ("--py-files", f"{CODE}//app.py", APP),
    "S3": ("--jars", "s3://b/a.jar,s3a://b/c.jar", "--py-files", "s3a://b/x.py", "s3://b/app.py"),
    "S3 and then a path": ("--jars", f"s3://b/a.jar,{APP}", APP),
    "a path and then S3": ("--jars", f"{APP},s3://b/a.jar", APP),
    "upper case S3": ("--jars", "S3://b/a.jar", APP),
    "a URI of a file": ("--files", f"file://{APP}", APP),
    "another scheme": ("--jars", "https://host/a.jar", APP),
    "HDFS": ("--files", "hdfs:///a", APP),
    "a missing file": ("--files", f"{CODE}/none", APP),
    "a missing file by a path with dots": ("--files", f"{CODE}/../none", APP),
    "no URI": ("--files", "s3://[b/a", APP),
    "a name that is too long": ("--files", f"{CODE}/{'n' * 300}", APP),
    "an empty folder": ("--files", f"{_DIRECTORY}/empty", APP),
    "a relative path": ("--py-files", "./b.py", APP),
    "an empty entry": ("--py-files", f"{APP},,{APP}", APP),
    "blanks after a comma": ("--py-files", f"{APP}, {APP}", APP),
    "two missing files": ("--py-files", f"{CODE}/p", "--files", f"{CODE}/f", "--jars", f"{CODE}/j", APP),
    "an application that is missing": (f"{CODE}/none.py",),
    "a relative application": ("app.py",),
    "an application in S3": ("s3://b/app.py", "s3://b/in"),
    "no application": (),
    "no application but options": ("--class", "C"),
    "an option without its value": ("--jars",),
    "a flag with a value": ("--verbose=1", APP),
    "a flag and letters": ("-vx", APP),
    "an unknown option": ("--bogus", "1", APP),
    "an unknown short option": ("-x", APP),
    "an abbreviated option": ("--py", "x", APP),
    "--conf": ("--conf", "a=b", APP),
    "--properties-file": ("--properties-file", "x", APP),
    "--driver-memory": ("--driver-memory=1g", APP),
    "--master": ("--master", "yarn", APP),
    "--name": ("--name", "x", APP),
    "--packages": ("--packages", "a:b:1", APP),
    "--class_": ("--class_", "x", APP),
    "help": ("--help",),
    "help after an option": ("--class", "C", "--help"),
    "help before an error": ("--help", "--bogus"),
    "help after an error": ("--bogus", "--help"),
    "help of the application": (APP, "--help"),
    "event logs to S3": ("--spark-event-logs-s3-uri", "s3://b/logs", APP),
    "event logs to S3A": ("--spark-event-logs-s3-uri", "s3a://b/logs", APP),
    "event logs to a folder": ("--local-spark-event-logs-dir", "/opt/ml/processing/logs/", APP),
    "event logs to both": (
        *("--spark-event-logs-s3-uri", "s3://b/logs", "--local-spark-event-logs-dir", "/opt/ml/x/", APP),
    ),
    "event logs to nowhere and a folder": (
        *("--spark-event-logs-s3-uri", "", "--local-spark-event-logs-dir", "/opt/ml/x/", APP),
    ),
    "event logs to an empty folder": ("--local-spark-event-logs-dir", "", APP),
}


_OPTIONS = ("--class", "--jars", "--py-files", "--files", "--spark-event-logs-s3-uri", "-v", "--verbose")
_WORDS = (
    *(
        *_OPTIONS,
        *_OPTIONS,
        "--help",
        "--",
        "-",
        "-x",
        "-vv",
        "-vC",
        "--bogus",
        "--jar",
        "--class=C",
        "--files=",
    ),
    *(
        f"--files={APP}",
        f"--jars={FOLDER}",
        APP,
        APP,
        APP,
        FOLDER,
        f"{APP},{FOLDER}",
        f"{CODE}/none",
        "app.py",
    ),
    *("s3://b/a", "s3://b/a,s3a://b/c", "", "a b", "it's", "x,y", f"{_DIRECTORY}/empty"),
)
"""Words of generated command lines."""


def commands() -> Iterator[Job]:
    """Yield jobs with valid and invalid command lines."""
    for name, command in _COMMANDS.items():
        yield Job(name, command=command)
    for number in range(3 * _GENERATED):
        chance = random.Random(number)
        words = chance.choices(_WORDS, k=chance.randint(1, 7))
        yield Job(f"generated: {number}", command=tuple(words))
    missing = ("--files", f"{CODE}/none", APP)
    yield Job("a missing file and a wrong document", command=missing, document="[{")
    yield Job("a missing file and a wrong mode", command=missing, mode="3")
    yield Job("an unknown option and a wrong mode", command=("--bogus", APP), mode="3")
    logs = _document("spark-defaults", {"spark.eventLog.dir": "elsewhere", "spark.eventLog.enabled": "false"})
    yield Job("event logs and a document", ("--spark-event-logs-s3-uri", "s3://b/logs", APP), document=logs)


PARTS = {"configuration.json": documents, "sizes": sizings, "command lines": commands}
"""The jobs by the compared part."""
