"""A run of another field: its stages are told of it, and those that know natural products alone are named."""

import pytest
import yaml

from abroad.core.errors import InputError
from abroad.core.field_file import NewField, new_field
from abroad.pipeline.config import load_config

RUN = {
    "out": "run",
    "field": "decay.yaml",
    "documents": {"files": ["d.jsonl"]},
    "train": {"add_seeds": True},
    "evaluate": {"gold": "d.jsonl"},
}


@pytest.fixture
def write(tmp_path):
    (tmp_path / "decay.yaml").write_text(new_field(NewField(name="decay", head="bacterium", tail="dye", verb="eats")))
    (tmp_path / "d.jsonl").write_text("{}")

    def call(**changes):
        path = tmp_path / "run.yaml"
        path.write_text(yaml.safe_dump({**RUN, **changes}))
        return path

    return call


def test_every_stage_has_the_field_of_the_run(write, tmp_path):
    config = load_config(write())
    assert config.field == config.train.field == config.evaluate.field == tmp_path / "decay.yaml"
    assert load_config(write(field=None)).train.field is None


@pytest.mark.parametrize("section", [{"synthesis": {}}, {"lotus": {"relations": "d.jsonl"}, "sample": {}}])
def test_a_stage_of_natural_products_alone_is_named(write, section):
    with pytest.raises(InputError, match=f"{min(section)}: of natural products alone: leave it out beside 'field'"):
        load_config(write(**section))


def test_a_field_that_is_not_there_or_has_mistakes_is_named(write, tmp_path):
    with pytest.raises(InputError, match="field: no such file"):
        load_config(write(field="none.yaml"))
    (tmp_path / "decay.yaml").write_text("name: decay\n")
    with pytest.raises(InputError, match=r"decay\.yaml: 3 mistakes: title: .*entities: .*relations: "):
        load_config(write())
