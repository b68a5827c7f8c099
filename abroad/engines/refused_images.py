"""An image that a model does not take is left out of its request, and the text is written with what else is shown.

Which images those are the engine finds out, when a request as a whole is refused: a processor in this process is asked
of each image, and so is a server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from abroad.engines.base import Generation, GenerationRequest, RefusedImage

Refused = tuple[RefusedImage, ...]


def without_refused(request: GenerationRequest, reasons: Mapping[int, str]) -> tuple[GenerationRequest, Refused]:
    """The request without some of its images, and these.

    Args:
        request: with images.
        reasons: index among the images of the request -> why that one is left out.
    """
    kept = tuple(image for index, image in enumerate(request.images) if index not in reasons)
    return replace(request, images=kept), tuple(RefusedImage(*each) for each in sorted(reasons.items()))


def told(generation: Generation, refused: Refused) -> Generation:
    """The answer to a request, which says which images were left out of it."""
    return replace(generation, refused_images=refused) if refused else generation
