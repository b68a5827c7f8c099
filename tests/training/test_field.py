"""A language model learns another field: its templates, and the field beside the adapter."""

from abroad.core.context import Context
from abroad.core.field_file import NewField, new_field
from abroad.core.schema import Document, Entity, Triple
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import load_generative_extractor
from abroad.training.settings import TrainSettings
from abroad.training.train import TrainingRun

ENTITIES = [Entity("b", "Sphingobium", type="bacterium"), Entity("p", "anthracene", type="pollutant")]
STATED = Document("1", "", "Sphingobium eats.", entities=ENTITIES, relations=[Triple("b", "eats", "p")])


def test_what_is_learnt_of_another_field_is_read_by_it(tiny_model, tmp_path):
    field = tmp_path / "field.yaml"
    field.write_text(new_field(NewField(name="decay", head="bacterium", tail="pollutant", verb="eats")))
    settings = TrainSettings(model=str(tiny_model), epochs=1, validation_max_new_tokens=8, field=field)
    run = TrainingRun([STATED], [STATED], settings, tmp_path / "model", Context())
    assert "Sphingobium eats anthracene" in run.tokenizer.decode(run.examples[0].target)
    run.finish(run.train())
    extractor = load_generative_extractor(str(tmp_path / "model"), Decoding(num_beams=1, max_new_tokens=8))
    assert extractor.notation.field.name == extractor.identity["field"]["name"] == "decay"
    assert [prediction.error for prediction in extractor.extract([STATED])] == [None]
