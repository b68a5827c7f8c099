"""The server of `abroad annotate serve`: first start, restarts, crashes, jobs, two curators at once."""

import contextlib
import shutil
import signal
import stat
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import pytest

from abroad.core.errors import AbroadError
from annotation.argilla.connection import explained
from tests.annotation.running import RunningServer

rg = pytest.importorskip("argilla")


def log_in(url, name, password):
    return httpx.post(f"{url}/api/v1/token", data={"username": name, "password": password}).status_code


def small_dataset(client, workspace, min_submitted=1):
    if all(place.name != workspace for place in client.workspaces):
        rg.Workspace(name=workspace, client=client).create()
    settings = rg.Settings(
        fields=[rg.TextField(name="text")],
        questions=[rg.LabelQuestion(name="kind", labels=["yes", "no"])],
        distribution=rg.TaskDistribution(min_submitted=min_submitted),
    )
    return rg.Dataset(name="small", workspace=workspace, settings=settings, client=client).create()


def records(numbers):
    return [rg.Record(id=str(number), fields={"text": f"record number{number} of usnea"}) for number in numbers]


def submit(client, record_id):
    body = {"status": "submitted", "values": {"kind": {"value": "yes"}}}
    return client.http_client.post(f"/api/v1/records/{record_id}/responses", json=body).status_code


def total(dataset, text):
    body = {"query": {"text": {"q": text}}}
    answer = dataset._client.http_client.post(f"/api/v1/datasets/{dataset.id}/records/search", json=body)
    return answer.raise_for_status().json()["total"]


def descendants(server):
    return psutil.Process(server.process.pid).children(recursive=True)


def test_a_password_is_shown_once_and_stays_with_the_data(own_server):
    own_server.start()
    password = own_server.password
    assert len(password) >= 16
    assert log_in(own_server.url, "owner", password) == 201
    for name, known in (("argilla", "1234"), ("owner", "1234"), ("owner", "12345678"), ("owner", "")):
        assert log_in(own_server.url, name, known) in (401, 422)
    assert httpx.get(f"{own_server.url}/api/v1/me", headers={"X-Argilla-Api-Key": "argilla.apikey"}).status_code == 401
    dataset = small_dataset(own_server.connect(), "kept")
    dataset.records.log(records(range(3)))
    assert own_server.url.startswith("http://127.0.0.1:")
    assert stat.S_IMODE(own_server.home.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in own_server.home.iterdir()} == {0o600}
    client = own_server.connect()
    assert password not in "".join(path.read_text("latin-1") for path in own_server.home.iterdir())
    children = descendants(own_server)

    assert own_server.stop(signal.SIGINT) == 0
    assert "everything is saved" in own_server.output
    with pytest.raises(AbroadError, match="run the command again to go on"), explained(client):
        client.http_client.get("/api/v1/me")
    psutil.wait_procs(children, timeout=10)
    assert not any(child.is_running() for child in children)

    own_server.start()
    assert own_server.password is None
    assert log_in(own_server.url, "owner", password) == 201
    assert total(own_server.connect().datasets("small", workspace="kept"), "usnea") == 3
    second = RunningServer(own_server.home, "--port", "0")
    second.launch()
    assert second.process.wait(60) == 2
    assert "another annotation server uses this home" in second.output
    assert own_server.stop(signal.SIGTERM) == 0


def test_a_port_in_use_is_told(annotation_server, tmp_path):
    server = RunningServer(tmp_path / "home", "--port", annotation_server.url.rpartition(":")[2])
    server.launch()
    assert server.process.wait(60) == 2
    assert "choose another port with --port" in server.output


def test_killed_while_records_arrive_and_while_curators_submit(own_server):
    own_server.start()
    client = own_server.connect()
    dataset = small_dataset(client, "crash", min_submitted=2)
    arrived, batch = [], 50

    def push(dataset):
        for start in range(0, 3000, batch):
            dataset.records.log(records(range(start, start + batch)), batch_size=batch)
            arrived.append(start)

    _killed_during(own_server, [lambda: push(dataset)], lambda: len(arrived) >= 4)
    own_server.start()
    client = own_server.connect()
    dataset = client.datasets("small", workspace="crash")
    kept = {record.id for record in dataset.records(with_suggestions=False)}
    assert kept >= {str(number) for start in arrived for number in range(start, start + batch)}
    assert total(dataset, "usnea") == len(kept)  # the text index is made whole too
    dataset.records.log(records(range(500)))  # again: updates, no doubles
    ids = [record._server_id for record in dataset.records() if int(record.id) < 500]
    assert len(ids) == 500

    curators = [own_server.curator(name, "crash") for name in ("marie", "paul")]
    answered = [[], []]

    def work(who):
        for id in ids:
            if submit(curators[who], id) == 201:
                answered[who].append(str(id))

    _killed_during(own_server, [lambda: work(0), lambda: work(1)], lambda: min(map(len, answered)) >= 20)
    own_server.start()
    listing = f"/api/v1/datasets/{dataset.id}/records?include=responses&limit=1000"
    items = own_server.connect().http_client.get(listing).json()["items"]
    of = {item["id"]: item for item in items}
    for id in answered[0] + answered[1]:
        assert any(response["status"] == "submitted" for response in of[id]["responses"])
    for item in items:
        assert (item["status"] == "completed") == (len(item["responses"]) >= 2)
    assert sum(len(item["responses"]) for item in items) >= len(answered[0]) + len(answered[1])


def _killed_during(server, works, far_enough):
    """Run the works in threads, and kill the server once they are far enough; nothing of it stays behind."""
    children = descendants(server)

    def until_killed(work):
        with contextlib.suppress(httpx.HTTPError, rg._exceptions.ArgillaError):
            work()

    threads = [threading.Thread(target=until_killed, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    while not far_enough() and any(thread.is_alive() for thread in threads):
        time.sleep(0.002)
    assert any(thread.is_alive() for thread in threads), "the server was too quick to be killed in the middle"
    server.kill()
    for thread in threads:
        thread.join(60)
    psutil.wait_procs(children, timeout=10)
    assert not any(child.is_running() for child in children)


def test_two_curators_at_once_while_records_arrive(annotation_server):
    client = annotation_server.connect()
    dataset = small_dataset(client, "parallel", min_submitted=2)
    dataset.records.log(records(range(30)))
    ids = [record._server_id for record in dataset.records()]
    curators = [annotation_server.curator(name, "parallel") for name in ("parallel-marie", "parallel-paul")]
    with ThreadPoolExecutor(3) as pool:
        pushing = pool.submit(lambda: dataset.records.log(records(range(30, 230)), batch_size=50))
        answers = list(pool.map(lambda one: [submit(one, id) for id in ids], curators))
        pushing.result()
    assert answers == [[201] * 30] * 2
    progress = client.http_client.get(f"/api/v1/datasets/{dataset.id}/progress").json()
    assert (progress["total"], progress["completed"]) == (230, 30)


@pytest.mark.parametrize("end", ["stopped", "killed"])
def test_no_temporary_file_stays_however_the_server_ends(own_server, end):
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:  # short, for the path of a socket
        left = Path(temporary) / "abroad-server-left"  # of a power cut
        left.mkdir()
        (left / "pid").write_text("4194305")  # beyond all process ids
        own_server.start({"TMPDIR": temporary})
        (made,) = Path(temporary).iterdir()
        assert made.name.startswith("abroad-server-") and made != left
        assert own_server.stop(signal.SIGINT) == 0 if end == "stopped" else own_server.kill() is None
        until = time.monotonic() + 60
        while made.exists() and time.monotonic() < until:
            time.sleep(0.05)
        assert not list(Path(temporary).iterdir())


def test_without_redis_server_jobs_run_too(own_server, httpserver):
    """A webhook is a job: it arrives although neither a Redis nor a worker was started by anybody."""
    httpserver.expect_request("/hook").respond_with_data("")
    programs = own_server.home.parent / "bin"
    programs.mkdir()
    for name in ("sh", "rm"):
        (programs / name).symlink_to(shutil.which(name))
    own_server.start({"PATH": str(programs)})
    client = own_server.connect()
    hook = {"url": httpserver.url_for("/hook"), "events": ["dataset.published"]}
    assert client.http_client.post("/api/v1/webhooks", json=hook).status_code == 201
    small_dataset(client, "hooks")
    end = time.monotonic() + 60
    while not httpserver.log and time.monotonic() < end:
        time.sleep(0.1)
    request, _ = httpserver.log[0]
    assert request.json["type"] == "dataset.published"
