"""The source of jars, and that only pinned ones are accepted."""

import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from helpers.errors import UserError
from helpers.spark import maven_jars, maven_repository, s3a_jars
from helpers.spark.maven_jars import Jar, ensure
from helpers.spark.maven_repository import Repository, applies_to_central, find

CONTENT = b"jar" * 1000
JAR = Jar("org.example", "thing", "1.0", len(CONTENT), hashlib.sha256(CONTENT).hexdigest())


class Maven:
    """A repository that returns the given responses, and then repeats the last one."""

    def __init__(self) -> None:
        self.replies: list[tuple[int, bytes]] = [(200, CONTENT)]
        self.requests: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append((self.path, self.headers["Authorization"]))
                status, body = outer.replies.pop(0) if len(outer.replies) > 1 else outer.replies[0]
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", body.decode())
                    body = b""
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the name in the base class
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}/maven2"
        self.repository = Repository(self.address, "the test")
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture
def maven() -> Iterator[Maven]:
    maven = Maven()
    yield maven
    maven.server.shutdown()
    maven.server.server_close()


@pytest.fixture
def fetch(maven: Maven, tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: ensure([JAR], maven.repository, tmp_path / "cache", lambda _: None, pauses=(0, 0))


def test_a_jar_is_downloaded_once_by_its_coordinates(maven: Maven, fetch: Callable[[], list[Path]]) -> None:
    (path,) = fetch()
    assert path.read_bytes() == CONTENT
    assert fetch() == [path]
    assert maven.requests == [("/maven2/org/example/thing/1.0/thing-1.0.jar", None)]
    assert [file.name for file in path.parent.iterdir()] == ["thing-1.0.jar"]


def test_a_damaged_file_in_the_cache_is_replaced(fetch: Callable[[], list[Path]]) -> None:
    (path,) = fetch()
    path.write_bytes(b"x" * len(CONTENT))
    assert fetch()[0].read_bytes() == CONTENT


def test_a_download_is_announced(maven: Maven, tmp_path: Path) -> None:
    lines: list[str] = []
    ensure([JAR], maven.repository, tmp_path, lines.append)
    ensure([JAR], maven.repository, tmp_path, lines.append)
    assert lines == [f"Downloading thing-1.0.jar (0.0 MB, once per user) from {maven.address}"]


@pytest.mark.parametrize("fault", [(500, b""), (429, b""), (200, CONTENT[:-1]), (200, b"y" * len(CONTENT))])
def test_a_fault_of_the_network_is_tried_again(
    maven: Maven, fetch: Callable[[], list[Path]], fault: tuple[int, bytes]
) -> None:
    maven.replies = [fault, fault, (200, CONTENT)]
    assert fetch()[0].read_bytes() == CONTENT
    assert len(maven.requests) == 3


def test_a_file_that_is_not_the_pinned_one_is_never_kept(
    maven: Maven, fetch: Callable[[], list[Path]], tmp_path: Path
) -> None:
    maven.replies = [(200, b"<html>please sign in</html>" * 1000)]
    with pytest.raises(UserError, match=r"org\.example:thing:1\.0 .*more bytes with SHA-256") as error:
        fetch()
    assert JAR.sha256 in str(error.value)
    assert list((tmp_path / "cache").iterdir()) == []


def test_a_missing_jar_is_not_requested_again_and_the_message_names_the_setting(
    maven: Maven, fetch: Callable[[], list[Path]]
) -> None:
    maven.replies = [(404, b"")]
    with pytest.raises(
        UserError, match=r"thing-1\.0\.jar \(taken from the test\): HTTP 404.*\nHint: .*MAVEN_REPOSITORY"
    ):
        fetch()
    assert len(maven.requests) == 1


def test_a_repository_that_nobody_serves_ends_in_a_clear_message(tmp_path: Path) -> None:
    with pytest.raises(
        UserError, match=r"Cannot download org\.example:thing:1\.0 from http://127\.0\.0\.1:1/m2"
    ):
        ensure([JAR], Repository("http://127.0.0.1:1/m2", "a test"), tmp_path, pauses=(0,))


def test_the_password_is_sent_to_the_repository_only(maven: Maven, tmp_path: Path) -> None:
    other = Maven()
    maven.replies = [(302, f"{other.address}/elsewhere".encode())]
    address = maven.address.replace("http://", "http://user:s3cret%21@")
    ensure([JAR], find({maven_repository.VARIABLE: address}, tmp_path), tmp_path / "cache")
    other.server.shutdown()
    other.server.server_close()
    assert maven.requests[0][1] == "Basic dXNlcjpzM2NyZXQh"
    assert other.requests == [("/maven2/elsewhere", None)]


def test_the_password_is_in_no_message(maven: Maven, tmp_path: Path) -> None:
    maven.replies = [(401, b"")]
    repository = find({maven_repository.VARIABLE: maven.address.replace("//", "//user:s3cret@")}, tmp_path)
    lines: list[str] = []
    with pytest.raises(UserError) as error:
        ensure([JAR], repository, tmp_path / "cache", lines.append)
    assert "HTTP 401" in str(error.value)
    assert "s3cret" not in f"{error.value}{lines}{repository}"


def test_processes_that_start_at_once_do_not_disturb_each_other(maven: Maven, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from helpers.spark.maven_jars import Jar, ensure;"
        "from helpers.spark.maven_repository import Repository;"
        f"jar = {JAR!r};"
        f"[path] = ensure([jar], Repository({maven.address!r}, 'test'), Path({str(tmp_path / 'cache')!r}));"
        f"assert path.stat().st_size == {JAR.size}"
    )
    processes = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert [file.name for file in (tmp_path / "cache").iterdir()] == ["thing-1.0.jar"]


def test_the_cache_is_the_users(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert maven_jars.cache_folder("s3a") == tmp_path / "sagemaker-pyspark-template" / "s3a"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert maven_jars.cache_folder("s3a") == Path.home() / ".cache" / "sagemaker-pyspark-template" / "s3a"


def test_the_pinned_jars_are_small() -> None:
    assert sum(jar.size for jar in s3a_jars.JARS) < 6_000_000


@pytest.mark.parametrize(
    ("mirror_of", "applies"),
    [
        ("central", True),
        ("*", True),
        ("external:*", True),
        ("snapshots,central", True),
        ("*,!central", False),
        ("!central, *", False),
        ("*,!snapshots", True),
        ("snapshots", False),
        ("external:http:*", False),
    ],
)
def test_a_mirror_applies_as_maven_documents_it(mirror_of: str, applies: bool) -> None:
    assert applies_to_central(mirror_of) is applies


def settings(home: Path, text: str) -> Path:
    (home / ".m2").mkdir()
    (home / ".m2" / "settings.xml").write_text(text)
    return home


def test_the_mirror_of_the_users_settings_is_used_with_its_credentials(tmp_path: Path) -> None:
    home = settings(
        tmp_path,
        """<settings xmlns="http://maven.apache.org/SETTINGS/1.2.0">
          <servers><server><id>company</id><username>me</username><password>${env.SECRET}</password></server></servers>
          <mirrors>
            <mirror><id>not</id><mirrorOf>*,!central</mirrorOf><url>https://not.example</url></mirror>
            <mirror><id>company</id><mirrorOf>*</mirrorOf><url>https://maven.example:8443/all/</url></mirror>
          </mirrors></settings>""",
    )
    repository = find({"SECRET": "word"}, home)
    assert repository.url == "https://maven.example:8443/all"
    assert "the mirror company of" in repository.source
    assert repository.authorization == "Basic bWU6d29yZA=="


def test_a_mirror_of_exactly_central_wins_over_a_pattern(tmp_path: Path) -> None:
    home = settings(
        tmp_path,
        """<settings><mirrors>
            <mirror><id>all</id><mirrorOf>*</mirrorOf><url>https://all.example</url></mirror>
            <mirror><id>one</id><mirrorOf>central</mirrorOf><url>https://[::1]:1/one</url></mirror>
          </mirrors></settings>""",
    )
    assert find({}, home).url == "https://[::1]:1/one"


def test_the_variable_wins_over_settings_and_settings_without_mirror_mean_central(tmp_path: Path) -> None:
    home = settings(tmp_path, "<settings/>")
    assert find({}, home).url == maven_repository.CENTRAL
    assert find({maven_repository.VARIABLE: "file:///srv/m2"}, home).url == "file:///srv/m2"
    assert maven_repository.this_users().url == find(os.environ, Path.home()).url


@pytest.mark.parametrize("address", ["ftp://x", "maven.example", "https://host:port/"])
def test_an_unusable_address_is_rejected_without_being_shown(address: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="the variable MAVEN_REPOSITORY_URL holds no") as error:
        find({maven_repository.VARIABLE: address}, tmp_path)
    assert address not in str(error.value)


def test_settings_that_are_not_xml_are_rejected_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"settings\.xml is not well-formed XML: .*line 1"):
        find({}, settings(tmp_path, "<settings>"))
