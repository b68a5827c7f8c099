"""What every extractor does alike: a new kind joins `MEMBERS` and has to pass."""

import json
import warnings

import pytest

from abroad.core.errors import InputError
from abroad.core.registry import Capability, setting_names
from abroad.core.schema import Document
from abroad.extraction.base import extract_documents, identity_of, predictions_of
from abroad.extraction.load import EXTRACTORS, extractor_kind, load_extractor
from tests.conftest import make_document
from tests.extraction.members import MEMBERS
from tests.plugins import install


@pytest.fixture(scope="module", params=EXTRACTORS.own)
def samples(request):
    return [
        (EXTRACTORS.get(request.param), sample, load_extractor(sample.name, **sample.settings))
        for sample in MEMBERS[request.param](request)
    ]


def test_a_name_or_a_directory_is_of_its_kind(samples):
    for kind, sample, _ in samples:
        assert extractor_kind(sample.name) is kind is extractor_kind(str(sample.name))


def test_there_is_a_prediction_for_each_document_and_nothing_ends_the_batch(samples, documents):
    odd = [
        Document("empty", "", ""),
        Document("long", "T", "word " * 20_000),
        make_document("4", "Ruta \x00.", "½", []),
    ]
    for _, _, extractor in samples:
        found = {p.id: p for p in extractor.extract([*documents, *odd])}
        assert found.keys() == {"1", "2", "3", "4", "empty", "long"}
        assert [found[id].error for id in "123"] == [None] * 3
        assert list(extractor.extract([])) == []
        held = {p.id: p.relations for p in predictions_of(extractor, [*documents, *odd])}  # which refuses any other
        assert held == {id: prediction.relations for id, prediction in found.items()}
        assert json.loads(json.dumps(identity_of(extractor))) == json.loads(json.dumps(extractor.identity))


def test_evidence_quotes_the_document_and_scores_are_probabilities_or_nothing(samples, documents):
    by_id = {document.id: document for document in documents}
    for kind, _, extractor in samples:
        for prediction in extractor.extract(documents):
            for relation in prediction.relations:
                for e in relation.evidence:
                    assert by_id[prediction.id].text[e.start : e.end] == e.text
                calibrated = Capability.CALIBRATED in kind.capabilities
                assert (0 <= relation.score <= 1) if calibrated else relation.score is None


def test_the_identity_is_the_same_anew_and_another_where_something_else_may_be_found(samples):
    for _, sample, extractor in samples:
        assert json.loads(json.dumps(extractor.identity)) == json.loads(
            json.dumps(load_extractor(sample.name, **sample.settings).identity)
        )
        assert load_extractor(sample.name, **sample.other).identity != extractor.identity


def test_a_second_run_goes_on_from_the_first(samples, documents, tmp_path):
    for number, (_, _, extractor) in enumerate(samples):
        out = tmp_path / f"{number}.jsonl"
        first, second = (extract_documents(documents, extractor, out) for _ in range(2))
        assert (first.documents, first.resumed, second.resumed) == (3, 0, 3)


def test_what_is_calibrated_has_a_threshold_and_says_what_it_gave(samples, documents):
    for kind, sample, extractor in samples:
        takes = {"min_score", "precision"} <= set(setting_names(kind.Settings))
        assert takes == (Capability.CALIBRATED in kind.capabilities)
        if takes:
            assert 0 <= extractor.point.threshold <= 1 and 0 < extractor.point.precision <= 100
            counts = [
                sum(len(p.relations) for p in load_extractor(sample.name, min_score=least).extract(documents))
                for least in (0.0, 0.5, 1.0)
            ]
            assert counts == sorted(counts, reverse=True) and counts[0] > counts[-1]


def test_what_is_calibrated_is_shown_and_what_is_not_is_refused_in_one_line(samples, cli):
    for kind, sample, extractor in samples:
        result = cli("extractor", "show", sample.name)
        if Capability.CALIBRATED in kind.capabilities:
            assert result.exit_code == 0 and f"default --min-score {extractor.min_score:g}" in result.stdout
            shown = [line for line in result.stdout.splitlines() if line.lstrip().startswith(("0.", "1."))]
            assert len(shown) > 10
        else:
            assert result.exit_code == 2 and len(result.stderr.splitlines()) == 1, result.stderr


def test_what_an_engine_runs_takes_one_and_its_settings(samples):
    for kind, sample, extractor in samples:
        takes = {"engine", "engine_settings"} <= set(setting_names(kind.Settings))
        assert takes == (Capability.ENGINE in kind.capabilities) == hasattr(extractor, "engine")
        if takes:
            with pytest.raises(InputError, match="engine transformers: no setting 'drought'"):
                load_extractor(sample.name, engine_settings={"drought": 1})
            with pytest.raises(InputError, match="unknown engine 'warp'"):
                load_extractor(sample.name, engine="warp")
        if Capability.LANGUAGE_MODEL in kind.capabilities:
            with pytest.raises(InputError, match="extraction with a fine-tuned model takes transformers, vllm"):
                load_extractor(sample.name, engine="openai")


def test_a_setting_it_does_not_have_is_refused_with_those_it_has(samples):
    for kind, sample, _ in samples:
        with pytest.raises(InputError, match=f"no setting 'colour' of {kind.description}"):
            load_extractor(sample.name, colour="red")


def test_a_directory_that_another_package_recognises_is_its_own_and_a_broken_package_disturbs_nobody(
    tmp_path, monkeypatch, tiny_model
):
    code = """
        from abroad.core.registry import Capability
        from abroad.core.settings import NoSettings
        from abroad.extraction.base import ExtractorKind

        class List:
            def __init__(self, name):
                self.name = name

            def extract(self, documents):
                return iter(())

        def load(name, settings):
            return List(name)

        KIND = ExtractorKind(
            "a list", NoSettings, Capability.NONE, load, recognises=lambda folder: (folder / "list.txt").exists()
        )
    """
    points = {"list": "list_extractor:KIND", "broken": "list_extractor:NOTHING"}
    install(tmp_path / "site", monkeypatch, "list-extractor", {"list_extractor.py": code}, {EXTRACTORS.group: points})
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "list.txt").touch()
    with pytest.warns(UserWarning, match="extractor 'broken' of the package list-extractor cannot be loaded"):
        assert load_extractor(folder).name == str(folder)
    with pytest.warns(UserWarning, match="broken"):
        assert Capability.LANGUAGE_MODEL in extractor_kind(tiny_model).capabilities
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert load_extractor("list").name == "list" and extractor_kind("builtin") and extractor_kind("some/hub-model")
    with pytest.raises(InputError, match="cannot be loaded"):
        load_extractor("broken")


def test_a_command_says_once_as_a_note_that_a_package_is_broken(cli, tmp_path, monkeypatch, recwarn):
    points = {EXTRACTORS.group: {"broken": "no_such_module:KIND", "empty": "json:loads"}}
    install(tmp_path / "site", monkeypatch, "broken-extractor", {"nothing.py": ""}, points)
    (tmp_path / "folder").mkdir()
    result = cli("extract", "--text", "Usnea.", "--model", tmp_path / "folder")
    assert result.exit_code == 2 and not [warning for warning in recwarn if "extractor" in str(warning.message)]
    notes = [line for line in result.stderr.splitlines() if "broken-extractor" in line]
    assert len(notes) == 2 and all(line.startswith("note: extractor '") for line in notes), result.stderr


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """A folder with one of another extractor's and one of nothing, and a package with an extractor."""
    code = """
        from abroad.core.registry import Capability
        from abroad.core.settings import NoSettings
        from abroad.extraction.base import ExtractorKind

        KIND = ExtractorKind("a list", NoSettings, Capability.NONE, lambda name, settings: name)
    """
    points = {EXTRACTORS.group: {"wordlist": "word_list:KIND"}}
    install(tmp_path / "site", monkeypatch, "word-list", {"word_list.py": code}, points)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "my-extractor").mkdir()
    return tmp_path


HAD = (
    "xpected one of: builtin, fewshot, wordlist; a directory of `abroad extractor train`, `abroad train` or "
    "`abroad release`; a field's file; or a language model that was fine-tuned for the task: a folder of a model "
    "or an adapter, a .gguf file, smollm2-135m, or owner/model of the hub"
)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("nope", "e"),
        ("bultin", "did you mean builtin? E"),
        ("fewshots", "did you mean fewshot? E"),
        ("word-list", "did you mean wordlist? E"),
        ("my-extracter", "did you mean my-extractor? E"),
        ("smollm2-135", "did you mean smollm2-135m? E"),
        ("language-model", "e"),
        ("nowhere/at/all", "e"),
    ],
)
def test_a_name_of_nothing_is_met_with_all_that_can_be_had(cli, folders, name, near):
    message = f"{name}: no such extractor; {near}{HAD}"
    with pytest.raises(InputError) as caught:
        load_extractor(name)
    assert str(caught.value) == message
    result = cli("extract", "--text", "Usnea.", "--model", name)
    assert result.exit_code == 2 and result.stderr == f"error: {message}\n"


def test_a_directory_that_is_no_extractor_says_what_it_lacks(folders):
    with pytest.raises(InputError, match=r"my-extractor: not a model directory.*; nor is it an extractor of another"):
        load_extractor("my-extractor")
