"""Errors between us and an Argilla server say what to do; accounts of curators; the `serve` command's own part."""

import socket
import sys

import httpx
import pytest

from abroad.core.errors import AbroadError, InputError, MissingDependencyError
from annotation import server_env
from annotation.argilla.connection import connect, credentials
from annotation.home import Credentials

pytest.importorskip("argilla")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch, tmp_path):
    """Nothing of the developer's own server."""
    for name in ("ARGILLA_API_URL", "ARGILLA_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("annotation.home.default_home", lambda: tmp_path / "none")


def test_the_local_server_is_found_by_its_home(annotation_server):
    assert connect(home=annotation_server.home).me.username == "owner"


def test_settings_of_the_environment(annotation_server, monkeypatch):
    monkeypatch.setenv("ARGILLA_API_URL", annotation_server.url + "/")
    monkeypatch.setenv("ARGILLA_API_KEY", annotation_server.api_key)
    assert connect().me.username == "owner"
    assert credentials(api_key="mine") == Credentials(annotation_server.url, "mine")


def test_the_local_key_goes_to_no_other_server(annotation_server):
    home = annotation_server.home
    assert credentials(annotation_server.url, home=home).api_key == annotation_server.api_key
    with pytest.raises(InputError, match="an API key is needed"):
        credentials("https://argilla.example.org", home=home)


def test_no_server_at_all():
    with pytest.raises(InputError, match="abroad annotate serve"):
        connect()


def test_wrong_key(annotation_server, cli):
    with pytest.raises(InputError, match="does not know this API key"):
        connect(annotation_server.url, "wrong")
    result = cli("annotate", "user", "marie", "--url", annotation_server.url, "--api-key", "wrong")
    assert result.exit_code == 2
    assert "does not know this API key" in result.output


def test_server_away(cli):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        result = cli("annotate", "user", "marie", "--url", url, "--api-key", "key")
    assert result.exit_code == 1
    assert "no server answers" in result.output and url in result.output


@pytest.mark.parametrize("url", ["127.0.0.1:6900", "ftp://x", "http://"])
def test_an_address_that_is_none(url):
    with pytest.raises(InputError, match="expected the server's address"):
        connect(url, "key")


@pytest.mark.parametrize("version", ["1.29.0", "2.4.1", "3.0.0"])
def test_version_mismatch(httpserver, version):
    httpserver.expect_request("/api/v1/version").respond_with_json({"version": version})
    with pytest.raises(AbroadError, match=f"the server is Argilla {version}, the client here is 2"):
        connect(httpserver.url_for(""), "key")


@pytest.mark.parametrize("content", ["<html>another program</html>", '{"version": null}', "[]"])
def test_something_else_answers(httpserver, content):
    httpserver.expect_request("/api/v1/version").respond_with_data(content)
    with pytest.raises(AbroadError, match="not as Argilla does"):
        connect(httpserver.url_for(""), "key")


def test_the_sdk_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "argilla", None)
    with pytest.raises(MissingDependencyError, match=r"\[annotation\]"):
        connect("http://127.0.0.1:1", "key")


def test_what_an_annotator_may_not_do_is_told(annotation_server):
    from annotation.argilla.users import add_curator

    annotator = annotation_server.curator("connection-marie", "connection")
    with pytest.raises(InputError, match="API key of an owner or admin"):
        add_curator(annotator, "friend")


def test_a_curator_logs_in_with_the_password_shown(annotation_server, cli):
    options = ("--url", annotation_server.url, "--api-key", annotation_server.api_key, "--workspace", "users")
    shown = cli("annotate", "user", "users-anna", *options)
    assert shown.exit_code == 0, shown.output
    password = shown.stdout.strip()
    form = {"username": "users-anna", "password": password}
    assert httpx.post(f"{annotation_server.url}/api/v1/token", data=form).status_code == 201
    again = cli("annotate", "user", "users-anna", *options)
    assert again.exit_code == 0 and again.stdout == "" and "the password is unchanged" in again.stderr
    assert cli("annotate", "user", "x", "--role", "owner", *options).exit_code == 2
    assert cli("annotate", "user", " ", *options).exit_code == 2


def test_serve_warns_of_an_open_address_and_becomes_the_server(cli, monkeypatch, tmp_path):
    started = []
    monkeypatch.setenv("ABROAD_ANNOTATION_PYTHON", sys.executable)
    monkeypatch.setattr("os.execv", lambda program, arguments: started.append(arguments))
    result = cli("annotate", "serve", "--host", "0.0.0.0", "--home", tmp_path / "home")
    assert result.exit_code == 0
    assert "warning: 0.0.0.0 lets other machines reach the server" in result.stderr
    assert started[0][0] == sys.executable and started[0][-4:] == ["--host", "0.0.0.0", "--port", "6900"]
    assert "warning" not in cli("annotate", "serve", "--home", tmp_path / "home").stderr


def test_an_environment_that_cannot_be_made_leaves_nothing(monkeypatch, tmp_path):
    requirements = tmp_path / "server"
    requirements.mkdir()
    (requirements / "requirements.txt").write_text(f"{tmp_path}/no-such-package.whl\n")
    (requirements / "constraints.txt").write_text("")
    monkeypatch.setattr(server_env, "SERVER", requirements)
    monkeypatch.setenv("ABROAD_ANNOTATION_DIR", str(tmp_path / "data"))
    monkeypatch.delenv("ABROAD_ANNOTATION_PYTHON", raising=False)
    with pytest.raises(AbroadError, match="cannot be made"):
        server_env.server_python()
    assert not server_env.environment_directory().exists()
