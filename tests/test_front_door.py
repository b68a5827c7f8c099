"""`import abroad`: quick, lazy, documented; each function does what it says, with the extractor that comes with it."""

import dataclasses
import doctest
import inspect
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

import abroad
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents, read_predictions, write_documents, write_jsonl
from abroad.core.schema import Entity, Triple
from abroad.evaluation.settings import EvaluateSettings
from tests.cli.test_help import HEAVY

ROOT = Path(__file__).parents[1]
TEXT = "Gloeophyllins A-C (1-3) were isolated from the fungus Gloeophyllum abietinum."
TITLED = "\n Lichens of the alps.\n\n  Usnic acid (1) and atranorin were isolated from Usnea barbata. \n"
OTHER = "Quercetin was isolated from the bulbs of Allium cepa."


def python(script: str) -> str:
    return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()


def pairs(relations):
    return [(relation.organism, relation.chemical) for relation in relations]


# The import


def test_importing_abroad_loads_no_other_module_of_its_own_and_nothing_heavy():
    wanted = "[n for n in sys.modules if n.startswith('abroad.') or n in " + repr((*HEAVY, "importlib.metadata")) + "]"
    assert python(f"import sys, abroad; print({wanted})") == "[]"


def test_naming_every_function_loads_nothing_heavy():
    script = "import sys, abroad; [getattr(abroad, name) for name in abroad.__all__]"
    assert python(f"{script}; print([name for name in {HEAVY!r} if name in sys.modules])") == "[]"


def test_every_public_name_is_lazy_and_listed():
    assert set(abroad._MODULES) == set(abroad.__all__)
    assert set(dir(abroad)) == {*abroad.__all__, "__version__"}, "what a user is shown at the prompt"
    before = python("import abroad; print(sorted(set(abroad.__all__) & set(vars(abroad))))")
    assert before == "[]"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = abroad.nothing
    assert re.match(r"\d", abroad.__version__)


def test_types_come_with_the_packages():
    assert all((ROOT / package / "py.typed").is_file() for package in ("abroad", "annotation", "gme_sampler"))


def test_a_type_checker_tells_a_name_that_is_none_of_ours(tmp_path):
    """A `__getattr__` that it sees would make every name one of type Any."""
    pytest.importorskip("mypy")
    calls = [f"abroad.{name}" for name in (*abroad.__all__, "__version__", "extrct")]
    (tmp_path / "user.py").write_text("\n".join(["import abroad", *calls]) + "\n")
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=skip"]
    given = ["--cache-dir", str(tmp_path / "cache"), str(ROOT / "abroad" / "__init__.py"), "user.py"]
    done = subprocess.run([*command, *given], cwd=tmp_path, capture_output=True, text=True)
    told = [line for line in done.stdout.splitlines() if line.startswith("user.py")]
    assert len(told) == 1 and 'has no attribute "extrct"' in told[0], done.stdout + done.stderr


# Documentation


def sections(doc: str) -> dict[str, str]:
    """Google's sections of a docstring: title -> text."""
    parts = re.split(r"^(Args|Attributes|Returns|Raises|Example):\n", inspect.cleandoc(doc), flags=re.MULTILINE)
    return {"": parts[0], **dict(zip(parts[1::2], parts[2::2], strict=True))}


def named(section: str) -> list[str]:
    return re.findall(r"^    \*{0,2}(\w+): ", section, flags=re.MULTILINE)


FUNCTIONS = [name for name in abroad.__all__ if inspect.isfunction(getattr(abroad, name))]
CLASSES = [name for name in abroad.__all__ if dataclasses.is_dataclass(getattr(abroad, name))]


@pytest.mark.parametrize("name", abroad.__all__)
def test_every_public_name_is_documented(name):
    assert sections(getattr(abroad, name).__doc__)[""].strip().endswith(".")
    assert name in FUNCTIONS or name in CLASSES or issubclass(getattr(abroad, name), Exception)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_document_each_argument_what_they_return_and_raise(name):
    function = getattr(abroad, name)
    found = sections(function.__doc__)
    assert named(found["Args"]) == list(inspect.signature(function).parameters)
    assert found["Returns"] and found["Example"]
    assert "Raises" in found or name == "expand"


@pytest.mark.parametrize("name", CLASSES)
def test_classes_document_each_attribute(name):
    kind = getattr(abroad, name)
    assert named(sections(kind.__doc__)["Attributes"]) == [field.name for field in dataclasses.fields(kind)]
    methods = [m for n, m in inspect.getmembers(kind) if not n.startswith("_") and callable(m)]
    assert all(method.__doc__ for method in methods)


def run_examples(text: str, where: str) -> int:
    """Run the doctests of a text; how many there are."""
    examples = doctest.DocTestParser().get_doctest(text, {}, where, None, 0)
    result = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(examples)
    assert result.failed == 0
    return result.attempted


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_example_of_each_function_runs(name):
    assert run_examples(inspect.cleandoc(getattr(abroad, name).__doc__), name) > 1


# extract


def test_relations_of_a_text_are_those_of_the_command(cli):
    for text in (TEXT, TITLED, "The bulbs of <i>Allium cepa</i> gave quercetin &amp; rutin, which were isolated."):
        printed = json.loads(cli("extract", "--text", text).stdout)
        assert abroad.extract(text), text
        told = [(r["organism"], r["chemical"], r["organism_id"], r["score"]) for r in printed["relations"]]
        assert [(r.organism, r.chemical, r.organism_id, r.score) for r in abroad.extract(text)] == told


@pytest.mark.parametrize("text", [TEXT, f"  {TEXT}\n", TITLED, f"Alps.\n\n{TEXT}"])
def test_offsets_of_evidence_count_in_the_text_as_it_was_given(text):
    relations = abroad.extract(text)
    assert relations
    for relation in relations:
        assert {item.role for item in relation.evidence} == {"organism", "chemical"}
        for item in relation.evidence:
            assert item.text == text[item.start : item.end] == item.text.strip()
            assert item.role == "chemical" or item.text in ("Gloeophyllum abietinum", "Usnea barbata")


def test_a_document_keeps_its_own_offsets():
    document = abroad.Document.from_text("Lichens of the alps.", OTHER, id="x")
    (relation,) = abroad.extract(document)
    assert all(document.text[item.start : item.end] == item.text for item in relation.evidence)
    assert document.id == "x" and document.relations == []


def test_a_full_text_is_read_part_by_part_as_the_command_does(tmp_path, cli):
    said = [f"{name} was isolated from Usnea barbata." for name in ("Usnic acid", "Berberine", "Scopoletin")]
    paragraphs = [f"{said[n % 3]} The trees were old. Nobody had looked there before." for n in range(1_100)]
    document = abroad.Document("1", "Lichens of the north.", "\n".join(paragraphs))
    assert len(document.text) > 100_000
    write_documents(tmp_path / "d.jsonl", [document])
    assert cli("extract", tmp_path / "d.jsonl", "--out", tmp_path / "p.jsonl").exit_code == 0
    [expected] = read_predictions(tmp_path / "p.jsonl")
    relations = abroad.extract(document)
    assert relations == expected.relations and {r.chemical for r in relations} >= {"Usnic acid", "Scopoletin"}
    text = f"{document.title}\n\n{document.abstract}"
    of_text = abroad.extract(text)
    assert [r.chemical for r in of_text] == [r.chemical for r in relations]
    assert all(text[e.start : e.end] == e.text for r in of_text for e in r.evidence)


def test_several_texts_and_documents_give_a_list_each_in_their_order():
    document = abroad.Document.from_text("", OTHER)
    answers = abroad.extract([OTHER, document, "No names here.", TEXT, document])
    assert [pairs(answer) for answer in answers] == [
        [("Allium cepa", "Quercetin")],
        [("Allium cepa", "Quercetin")],
        [],
        [("Gloeophyllum abietinum", f"Gloeophyllin {letter}") for letter in "ABC"],
        [("Allium cepa", "Quercetin")],
    ]
    assert abroad.extract([]) == [] and abroad.extract(iter([OTHER])) == [answers[0]]


def test_identifiers_are_added_unless_they_are_not_wanted():
    assert abroad.extract(OTHER)[0].organism_id == "NCBITaxon:4679"
    assert abroad.extract(OTHER, link=False)[0].organism_id is None


def test_a_text_that_cannot_be_read_is_told_by_its_number():
    with pytest.raises(abroad.InputError, match="text 2: it is empty"):
        abroad.extract([TEXT, " \n"])
    with pytest.raises(abroad.InputError, match="text 1: expected a string or a Document, found int"):
        abroad.extract([3])
    with pytest.raises(abroad.InputError, match="document 'x': it is empty"):
        abroad.extract(abroad.Document("x", "", " "))


class Backwards:
    """An extractor that answers in its own order, and fails on what names no chemical."""

    @property
    def identity(self):
        return {"model": "backwards"}

    def extract(self, documents):
        for document in reversed(documents):
            if "acid" in document.text:
                yield abroad.Prediction(document.id, [abroad.Relation("Usnea", document.text.split()[0])])
            else:
                yield abroad.Prediction(document.id, error="ValueError: no acid")


def test_any_extractor_will_do_and_its_order_does_not_matter():
    answers = abroad.extract(["Usnic acid.", "Lobaric acid."], Backwards(), link=False)
    assert [pairs(answer) for answer in answers] == [[("Usnea", "Usnic")], [("Usnea", "Lobaric")]]
    with pytest.raises(abroad.AbroadError, match="text 2: ValueError: no acid"):
        abroad.extract(["Usnic acid.", "Rutin."], Backwards())


# load_extractor


def test_the_builtin_extractor_by_name_or_directory_and_at_a_threshold():
    from abroad.extraction.builtin.pairs import DEFAULT_FOLDER

    builtin, directory = abroad.load_extractor(), abroad.load_extractor(DEFAULT_FOLDER)
    assert builtin.identity == directory.identity
    document = abroad.Document.from_text(TEXT)
    assert list(builtin.extract([document])) == list(directory.extract([document]))
    assert abroad.extract(TEXT, abroad.load_extractor("builtin", min_score=1.0)) == []
    precise = abroad.load_extractor(precision=0.9)
    assert precise.identity["min_score"] > builtin.identity["min_score"]


def test_a_directory_of_a_language_model_gives_an_extractor_too(tiny_model):
    extractor = abroad.load_extractor(tiny_model, num_beams=1, max_new_tokens=4, trained=True)
    assert extractor.identity["decoding"]["beams"] == 1 and extractor.identity["model"] == str(tiny_model)
    (answer,) = abroad.extract([TEXT], extractor)
    assert all(isinstance(relation, abroad.Relation) for relation in answer)


def test_a_release_is_decoded_as_it_says(tiny_model, tmp_path):
    import shutil

    folder = shutil.copytree(tiny_model, tmp_path / "release")
    (folder / "decoding.json").write_text(json.dumps({"beams": 1, "max_new_tokens": 5}))
    assert abroad.load_extractor(folder).identity["decoding"]["max_new_tokens"] == 5
    assert abroad.load_extractor(folder, max_new_tokens=6).identity["decoding"]["max_new_tokens"] == 6


@pytest.mark.parametrize(
    ("name", "settings", "message"),
    [
        ("builtin", {"beams": 1}, "no setting 'beams' of the built-in extractor.*min_score, precision"),
        ("builtin", {"min_score": 2}, "builtin: min_score: expected 1 or less, found 2"),
        ("builtin", {"min_score": 0.5, "precision": 0.5}, "min_score or precision, not both"),
        ("owner/nowhere", {"min_score": 0.5}, "no setting 'min_score' of a language model"),
        ("nowhere", {"min_score": 0.5}, "nowhere: no such extractor"),
        ("nowhere", {}, "nowhere: no such extractor; expected one of: builtin"),
    ],
)
def test_what_is_no_extractor_or_setting_is_refused(name, settings, message):
    with pytest.raises(abroad.InputError, match=message):
        abroad.load_extractor(name, **settings)


# evaluate


@pytest.fixture(scope="module")
def curated():
    return read_documents(ROOT / "data" / "sample" / "curated.jsonl")


def test_relations_predictions_and_files_are_scored_alike(curated, tmp_path):
    predictions = list(abroad.load_extractor().extract(curated))
    write_jsonl(tmp_path / "predictions.jsonl", [prediction.to_dict() for prediction in predictions])
    by_prediction = abroad.evaluate(curated, reversed(predictions))
    by_relations = abroad.evaluate(curated, abroad.extract(curated))
    by_file = abroad.evaluate(ROOT / "data" / "sample" / "curated.jsonl", tmp_path / "predictions.jsonl")
    assert by_prediction.to_dict() == by_relations.to_dict() == by_file.to_dict()
    assert by_file.scores.f1 > 50
    assert by_file.intervals["f1"].low <= by_file.scores.f1 <= by_file.intervals["f1"].high


def test_nothing_predicted_scores_nothing(documents):
    assert abroad.evaluate(documents, []).scores.f1 == 0
    gold = [[abroad.Relation(*pair) for pair in document.label_pairs()] for document in documents]
    assert abroad.evaluate(documents, gold).scores.f1 == 100
    assert abroad.evaluate(documents, gold, protocol="strict").scores.gold == 3


def test_a_field_says_what_is_undirected_as_the_command_is_told(cli, tmp_path):
    field = NewField(name="gut", head="microbe", tail="microbe", verb="feeds", directed=False)
    (tmp_path / "gut.yaml").write_text(new_field(field))
    entities = [Entity("a", "Ab c", type="microbe"), Entity("d", "De f", type="microbe")]
    gold = [abroad.Document("1", "", "Ab c and De f.", entities=entities, relations=[Triple("a", "feeds", "d")])]
    turned = [abroad.Relation("De f", "Ab c", type="feeds", head_type="microbe", tail_type="microbe")]
    assert abroad.evaluate(gold, [turned]).scores.f1 == 0
    write_documents(tmp_path / "gold.jsonl", gold)
    write_jsonl(tmp_path / "pred.jsonl", [abroad.Prediction("1", turned).to_dict()])
    files = {"gold": tmp_path / "gold.jsonl", "pred": tmp_path / "pred.jsonl", "field": tmp_path / "gut.yaml"}
    told = cli("evaluate", *(word for name, file in files.items() for word in (f"--{name}", file)), "--json")
    given = (
        abroad.evaluate(gold, [turned], field=files["field"]),
        abroad.evaluate(str(files["gold"]), str(files["pred"]), field=str(files["field"])),
    )
    assert [each.to_dict() for each in given] == [json.loads(told.stdout)] * 2
    assert given[0].scores.f1 == 100


def test_every_setting_of_an_evaluation_can_be_given():
    assert set(EvaluateSettings.model_fields) <= set(inspect.signature(abroad.evaluate).parameters)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"gold": []}, "at least one document"),
        ({"field": "nowhere.yaml"}, "nowhere.yaml: no such file"),
        ({"field": ROOT / "configs" / "fields" / "biored.yaml"}, "gold: not of the field biored: document '1': "),
        ({"field": 3}, "field: .*found 3"),
        ({"predictions": [[]]}, "relations of each of 3 documents, found 1 lists"),
        ({"predictions": [abroad.Prediction("1"), []]}, "predictions, or a list of relations"),
        ({"protocol": "lenient"}, "unknown protocol 'lenient'"),
        ({"resamples": 10}, "resamples: .* 1,000 or more, found 10"),
        ({"gold": "nowhere.json"}, "nowhere.json: no such file"),
    ],
)
def test_what_cannot_be_scored_is_refused(documents, change, message):
    with pytest.raises(abroad.InputError, match=message):
        abroad.evaluate(**{"gold": documents, "predictions": [], **change})


# expand, Document.from_text, predictions_frame


@pytest.mark.parametrize(
    ("phrase", "names"),
    [
        ("gloeophyllins A-C (1-3)", ["gloeophyllin A", "gloeophyllin B", "gloeophyllin C"]),
        ("3- and 4-hydroxymellein", ["3-hydroxymellein", "4-hydroxymellein"]),
        (" genistein ", ["genistein"]),
        ("", [""]),
        ("a" * 5000, ["a" * 5000]),
    ],
)
def test_a_phrase_gives_the_names_it_stands_for(phrase, names):
    assert abroad.expand(phrase) == names


def test_a_document_of_a_text_has_an_id_of_its_text():
    first, again = abroad.Document.from_text("A.", "B."), abroad.Document.from_text("A.", "B.")
    assert first == again and first.text == "A. B."
    assert len({first.id, abroad.Document.from_text("A. B.").id, abroad.Document.from_text("", "A. B.").id}) == 3
    assert abroad.Document.from_text("A.", id="7").id == "7"
    with pytest.raises(abroad.InputError, match="no abstract and no title"):
        abroad.Document.from_text(" ", "\n")


PREDICTIONS = [
    abroad.Prediction("1", [abroad.Relation("Usnea barbata", "usnic acid", 0.5), abroad.Relation("Usnea", "rutin")]),
    abroad.Prediction("2", error="failed"),
]


@pytest.mark.parametrize("library", ["polars", "pandas"])
def test_a_frame_has_a_row_for_each_relation_and_the_columns_of_the_tables(library):
    pytest.importorskip(library)
    document = dataclasses.replace(abroad.Document.from_text("Usnic acid.", id="1"), pmid="12")
    frame = abroad.predictions_frame(iter(PREDICTIONS), [document], library=library)
    assert type(frame).__module__.startswith(library) and frame.shape == (2, 12)
    assert list(frame["chemical"]) == ["usnic acid", "rutin"] and list(frame["pmid"]) == ["12", "12"]
    assert frame["score"].sum() == 0.5
    nulls = frame["score"].is_null() if library == "polars" else frame["score"].isna()
    assert list(nulls) == [False, True]
    empty = abroad.predictions_frame([], library=library)
    assert empty.shape == (0, 12) and list(empty.columns) == list(frame.columns)
    assert [str(t) for t in empty.dtypes] == [str(t) for t in frame.dtypes]


def test_the_frame_is_of_the_library_that_is_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    if pytest.importorskip("pandas"):
        assert type(abroad.predictions_frame(PREDICTIONS)).__module__.startswith("pandas")
    monkeypatch.setitem(sys.modules, "pandas", None)
    for library, command in ((None, "pip install polars"), ("polars", "install polars"), ("pandas", "install pandas")):
        with pytest.raises(abroad.AbroadError, match=f"a data frame needs the package .*{command}"):
            abroad.predictions_frame(PREDICTIONS, library=library)
    with pytest.raises(abroad.InputError, match="'polars' or 'pandas', found 'dask'"):
        abroad.predictions_frame(PREDICTIONS, library="dask")
