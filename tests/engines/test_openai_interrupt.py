"""Ctrl-C and SIGTERM while a server answers: what is under way is paid for, and so waited for."""

import os
import signal
import threading

import pytest

from abroad.core.context import Context
from abroad.core.interrupt import Terminated
from abroad.engines.base import GenerationRequest
from abroad.engines.openai.engine import OpenAiEngine
from abroad.engines.openai.member import OpenAiSettings
from tests.sources.servers import Completions

SIGNALS = [signal.SIGINT, signal.SIGTERM]


def send(number):
    os.kill(os.getpid(), number)


def engine(server, concurrency=4, say=lambda message: None, **options):
    return OpenAiEngine("m", OpenAiSettings(base_url=server.url, **options), concurrency, context=Context(say=say))


def requests(count):
    return [GenerationRequest(str(number), f"prompt {number}") for number in range(count)]


@pytest.fixture(autouse=True)
def handlers_stay():
    before = [signal.getsignal(number) for number in SIGNALS]
    yield
    assert [signal.getsignal(number) for number in SIGNALS] == before


@pytest.mark.parametrize("number", SIGNALS)
@pytest.mark.parametrize("at", [1, 4, 7])
def test_all_that_was_asked_is_answered_before_a_run_ends(number, at):
    def complete(body):
        if len(server.asked) >= at:
            noted.set() if noted.is_set() else (noted.set(), send(number))
        return f"answer to {body['prompt']}", "stop"

    noted, taken = threading.Event(), []
    with Completions(complete).serve() as server:
        with pytest.raises(KeyboardInterrupt) as caught:
            for answer in engine(server).generate(requests(100)):
                taken.append(answer.text.removeprefix("answer to "))
        assert sorted(taken) == sorted(body["prompt"] for body in server.asked) and len(taken) < 100
    assert isinstance(caught.value, Terminated) == (number == signal.SIGTERM) and str(caught.value) == ""


@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_ends_at_once(number):
    release, arrived = threading.Event(), threading.Event()

    def complete(body):
        if not arrived.is_set():
            arrived.set()
            send(number)
        release.wait(60)
        return "late", "stop"

    with Completions(complete).serve() as server:
        with pytest.raises(KeyboardInterrupt, match="what was under way is not"):
            list(engine(server, say=lambda message: send(number)).generate(requests(9)))
        assert not release.is_set()
        release.set()


def test_another_try_is_not_waited_for():
    def say(message):
        if "attempt 1" in message:
            send(signal.SIGINT)

    with Completions(lambda body: ("x", "stop")).serve() as server:
        server.failures = [500]
        with pytest.raises(KeyboardInterrupt):
            list(engine(server, 1, say, first_wait=100.0).generate(requests(1)))
        assert len(server.asked) == 1


def test_who_leaves_early_hears_of_the_signal():
    with Completions(lambda body: ("x", "stop")).serve() as server:
        answers = engine(server).generate(requests(50))
        next(answers)
        send(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            answers.close()


def test_handlers_of_the_program_itself_stay():
    heard, before = [], signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: heard.append(True))
    try:
        with Completions(lambda body: ("x", "stop")).serve() as server:
            answers = engine(server).generate(requests(5))
            next(answers)
            send(signal.SIGTERM)
            assert len(list(answers)) == 4 and heard == [True]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_threads_other_than_the_first_generate_too():
    taken = []
    with Completions(lambda body: ("x", "stop")).serve() as server:
        worker = threading.Thread(target=lambda: taken.extend(engine(server).generate(requests(5))))
        worker.start()
        worker.join()
    assert len(taken) == 5
