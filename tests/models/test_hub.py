"""Names of the hub: refused at once without a network, told by the snapshot that they mean."""

import os
from pathlib import Path

import pytest
from werkzeug import Response

from abroad.core.errors import AbroadError, InputError
from abroad.models import hub
from abroad.models.identity import weights_digest
from abroad.models.source import ModelSource

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture(autouse=True)
def a_hub_of_its_own(monkeypatch, tmp_path):
    """No cache, no network: every test says itself what there is."""
    from huggingface_hub import constants

    for name in ("_reachable", "snapshot"):
        getattr(hub, name).cache_clear()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    yield tmp_path / "hub"
    for name in ("_reachable", "snapshot"):
        getattr(hub, name).cache_clear()


def keep(cache: Path, commit=COMMIT, file="config.json"):
    """What the hub's client leaves in its cache for owner/model."""
    folder = cache / "models--owner--model"
    (folder / "snapshots" / commit).mkdir(parents=True)
    (folder / "snapshots" / commit / file).write_text("{}")
    (folder / "refs").mkdir(exist_ok=True)
    (folder / "refs" / "main").write_text(commit)


@pytest.mark.parametrize(
    ("name", "answer"),
    [("owner/model", True), ("model", False), ("./a/b", False), ("a/b/c", False), ("/a/b", False), ("~/model", False)],
)
def test_what_is_a_name_of_the_hub(name, answer):
    assert hub.is_hub_name(name) is answer


def test_a_folder_of_that_name_is_a_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("owner/model").mkdir(parents=True)
    assert not hub.is_hub_name("owner/model")


def test_without_a_way_to_the_hub_a_model_is_refused(monkeypatch):
    with pytest.raises(AbroadError, match=r"no way to http://127\.0\.0\.1:9"):
        hub.require("owner/model")


def test_without_leave_to_use_the_network_a_model_is_refused_and_nobody_is_asked(monkeypatch, httpserver):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for(""))
    with pytest.raises(InputError, match="HF_HUB_OFFLINE"):
        hub.require("owner/model")
    assert not httpserver.log


@pytest.mark.parametrize("file", ["config.json", "adapter_config.json"])
def test_what_is_cached_will_do_and_the_hub_is_not_asked_again_and_again(a_hub_of_its_own, file):
    from huggingface_hub import constants

    keep(a_hub_of_its_own, file=file)
    hub.require("owner/model")
    assert constants.HF_HUB_OFFLINE is True and os.environ["HF_HUB_OFFLINE"] == "1"
    assert hub.snapshot("owner/model") == COMMIT


def test_a_hub_that_answers_is_left_to_its_client(monkeypatch, httpserver):
    httpserver.expect_request("/").respond_with_response(Response(status=503))
    monkeypatch.setenv("HF_ENDPOINT", httpserver.url_for("/"))
    hub.require("owner/model")


def test_another_snapshot_is_another_model(a_hub_of_its_own, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert weights_digest(ModelSource("owner/model")) == ""
    digests = set()
    for commit in (COMMIT, COMMIT[::-1]):
        hub.snapshot.cache_clear()
        keep(a_hub_of_its_own, commit)
        digests.add(weights_digest(ModelSource("owner/model")))
    assert len(digests) == 2 and "" not in digests


@pytest.mark.parametrize("name", ["owner/model", "a b/c", "a/" + "b" * 300])
def test_the_command_says_it_in_a_line(cli, name):
    result = cli("extract", "--text", "Usnic acid of Usnea.", "--model", name)
    assert result.exit_code in (1, 2) and name[:20] in result.stderr and len(result.stderr.splitlines()) == 1
