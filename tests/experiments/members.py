"""How each learner is set for a quick training."""

from collections.abc import Callable

import pytest

from abroad.training.settings import TrainSettings


def _small(request: pytest.FixtureRequest) -> TrainSettings:
    model = str(request.getfixturevalue("tiny_model"))
    return TrainSettings(model=model, epochs=1, batch_size=2, max_length=512, validation_max_new_tokens=4)


MEMBERS: dict[str, Callable[[pytest.FixtureRequest], TrainSettings]] = {
    "extractor": lambda request: TrainSettings(),
    "lm": _small,
}
