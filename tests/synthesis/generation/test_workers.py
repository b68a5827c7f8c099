"""Workers spread over processes with Ray: whatever is killed, nothing is lost and nothing stands twice."""

import json
import os
import signal
import subprocess
import sys
from collections import Counter

import pytest

from abroad.core.helpers import helper_folder
from abroad.core.io import write_jsonl
from tests.shards import answered, wait_until

psutil = pytest.importorskip("psutil")
pytest.importorskip("ray")
PROMPTS = 48


@pytest.fixture
def command(tiny_model, tmp_path):
    """The command over 48 prompts and 3 workers, and its output."""
    prompts, out = tmp_path / "prompts.jsonl", tmp_path / "abstracts.jsonl"
    record = {"max_tokens": 250, "temperature": 0.9, "ArticleTitle": "T"}
    write_jsonl(
        prompts, ({"id": str(n), "prompt": f"Title: {n}\nAbstract:", "seed": n, **record} for n in range(PROMPTS))
    )
    arguments = ["synth", "generate", prompts, "--out", out, "--model", tiny_model, "--batch-size", 1, "--workers", 3]
    return [sys.executable, "-c", "from abroad.cli import main; main()", *map(str, arguments)], out


def start(command):
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def running_workers():
    """Ray's processes that answer shards."""
    return [p for p in psutil.process_iter(["name", "cmdline"]) if "ShardWorker" in " ".join(p.info["cmdline"] or [])]


def check_exactly_once(out):
    counts = Counter(json.loads(line)["id"] for line in out.read_text().splitlines())
    assert counts == Counter(map(str, range(PROMPTS)))
    assert not list(helper_folder(out).glob("shards*"))


@pytest.mark.slow
def test_a_killed_worker_is_replaced_and_no_record_is_lost_or_doubled(command):
    arguments, out = command
    process = start(arguments)
    try:
        wait_until(lambda: answered(out) >= 4, 300)
        victims = running_workers()[:2]
        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)
        _, stderr = process.communicate(timeout=600)
    finally:
        process.kill()
    assert victims and process.returncode == 0, stderr
    check_exactly_once(out)


@pytest.mark.slow
def test_a_killed_run_goes_on_where_it_was(command):
    arguments, out = command
    process = start(arguments)
    wait_until(lambda: answered(out) >= 4, 300)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    kept = answered(out)
    second = subprocess.run(arguments, capture_output=True, text=True, timeout=600)
    assert second.returncode == 0, second.stderr
    resumed = int(second.stderr.split("abstracts (")[1].split()[0])
    assert kept <= resumed < PROMPTS  # the killed run's workers may have written a little more
    check_exactly_once(out)
