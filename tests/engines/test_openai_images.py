"""A server refuses whole requests; which of their images it does not take is found out, where it reads others."""

import pytest

from abroad.core.http import NoAnswer
from abroad.engines.base import Generation, GenerationRequest
from abroad.engines.openai.images import _PLAIN, REFUSED, ImageCheck


class Server:
    """Refuses requests with one of some images, or any; counts what it is asked."""

    def __init__(self, refuses, too_long=False):
        self.refuses, self.too_long, self.asked = refuses, too_long, []

    def __call__(self, request):
        self.asked.append(request)
        if any(map(self.refuses, request.images)):
            reason = f"{REFUSED}400): not this one"
            return Generation(request.id, "", "error", 0, error=reason, too_long=self.too_long)
        return Generation(request.id, f"{len(request.images)} images", "stop", 2)


def request(*images):
    return GenerationRequest("1", "What is it?", chat=True, images=images, max_new_tokens=50)


@pytest.mark.parametrize(
    ("images", "places"),
    [(("bad",), [0]), (("a", "bad"), [1]), (("bad", "a", "bad"), [0, 2]), (("a", "b"), []), ((), [])],
)
def test_what_it_refuses_alone_is_left_out(images, places):
    server = Server(lambda image: image == "bad")
    answer = ImageCheck().answer(request(*images), server)
    assert answer.error is None and answer.text == f"{len(images) - len(places)} images"
    assert [image.number for image in answer.refused_images] == places
    assert all("not this one" in image.reason for image in answer.refused_images)
    assert len(server.asked) == (1 if not places else 3 + len(images))
    assert all(asked.max_new_tokens == 1 for asked in server.asked[1:-1])


def test_a_server_that_takes_no_image_is_asked_that_once_and_documents_fail_as_they_did():
    server, check = Server(lambda image: True), ImageCheck()
    for _ in range(5):
        answer = check.answer(request("a", "b"), server)
        assert "not this one" in answer.error and not answer.refused_images
    assert [asked.images for asked in server.asked].count((_PLAIN,)) == 1 and len(server.asked) == 6


def test_what_is_refused_for_another_reason_stays_refused():
    server = Server(lambda image: False)

    def ask(asked):
        if asked.max_new_tokens > 1:
            return Generation(asked.id, "", "error", 0, error=f"{REFUSED}400): no such parameter")
        return server(asked)

    answer = ImageCheck().answer(request("a", "b"), ask)
    assert "no such parameter" in answer.error and not answer.refused_images


def test_too_many_images_for_the_context_are_told_as_that():
    server = Server(lambda image: True, too_long=True)
    assert ImageCheck().answer(request("a", "b"), server).too_long and len(server.asked) == 1


def test_a_question_of_ours_that_gets_no_answer_costs_what_was_asked_for_no_more():
    server = Server(lambda image: image == "bad")

    def ask(asked):
        if asked.max_new_tokens == 1:
            raise NoAnswer("no answer", OSError("gone"))
        return server(asked)

    assert "not this one" in ImageCheck().answer(request("bad"), ask).error
