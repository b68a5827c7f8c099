"""Which images a server refuses: it says no to a whole request, so that each image is put to it alone."""

from __future__ import annotations

import threading
from collections.abc import Callable

from abroad.core.http import NoAnswer
from abroad.engines.base import Generation, GenerationRequest
from abroad.engines.refused_images import told, without_refused

Ask = Callable[[GenerationRequest], Generation]
REFUSED = "refused by the server (HTTP "
"""What the error of a request begins with that the server has understood and does not want."""
_PLAIN = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAATUlEQVR42u3PQQ0AAAgEILV/5zOFDzdoQCe"
    "pz6aeExAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQELi3cqoDfaKuZM4AAAAASUVORK5CYII="
)
"""A white square, which every server takes that takes images."""


class ImageCheck:
    """Finds the images that a server refuses, where it reads others.

    A server that refuses every image reads none: its documents fail as before, and are not read as if they had no
    images. One image costs one short request more, and only where a request was refused.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._reads_images: bool | None = None

    def answer(self, request: GenerationRequest, ask: Ask) -> Generation:
        """The answer to a request, without the images that the server refuses by themselves.

        Args:
            request: with images or without.
            ask: puts a request to the server; raises NoAnswer where none comes.
        """
        answer = ask(request)
        if not request.images or not _is_refused(answer):
            return answer
        try:
            if not self._are_images_read(request, ask):
                return answer
            alone = [ask(_probe(request, image)) for image in request.images]
        except NoAnswer:  # to a question that was ours alone
            return answer
        reasons = {index: found.error or "" for index, found in enumerate(alone) if _is_refused(found)}
        if not reasons:
            return answer
        less, refused = without_refused(request, reasons)
        return told(ask(less), refused)

    def _are_images_read(self, request: GenerationRequest, ask: Ask) -> bool:
        with self._lock:
            if self._reads_images is None:
                self._reads_images = not _is_refused(ask(_probe(request, _PLAIN)))
            return self._reads_images


def _probe(request: GenerationRequest, image: str) -> GenerationRequest:
    return GenerationRequest(request.id, "Say yes.", max_new_tokens=1, chat=True, images=(image,))


def _is_refused(answer: Generation) -> bool:
    return answer.error is not None and answer.error.startswith(REFUSED) and not answer.too_long
