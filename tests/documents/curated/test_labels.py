"""Labels without texts: their hashes, and records that are none."""

import hashlib
import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.curated.labels import Labels, normal, plain_doi, read_labels, text_sha256, words_sha256

RECORD = {
    "id": "a1",
    "PMID": "1",
    "doi": "10.1/A",
    "source": "journal",
    "text_sha256": text_sha256("T.", "Ruta ficta makes alpin A."),
    "title_sha256": words_sha256("T."),
    "abstract_sha256": words_sha256("Ruta ficta makes alpin A."),
    "organisms": [{"id": "O0", "label": "Ruta ficta", "spans": [[3, 13]]}],
    "chemicals": [{"id": "C0", "label": "alpin A", "type": "chemical", "spans": [[20, 27]]}],
    "relations": [["O0", "C0"]],
}


def test_the_text_hash_is_what_the_datasheet_says():
    said = hashlib.sha256("Á title. An abstract.".encode()).hexdigest()
    assert text_sha256("A\u0301  title. ", "An\u00a0abstract.\n") == said
    assert text_sha256("", "An abstract.") == hashlib.sha256(b" An abstract.").hexdigest()


def test_normal_form_is_stable():
    assert normal(normal(" a\t b\u2003c ")) == normal(" a\t b\u2003c ") == "a b c"


def test_the_hash_of_words_passes_over_punctuation_case_and_spaces():
    assert (
        words_sha256("[Alkaloids of Ruta]. ") == words_sha256("alkaloids of  ruta") != words_sha256("alkaloid of ruta")
    )
    assert words_sha256(" .") is None


@pytest.mark.parametrize(
    ("doi", "plain"),
    [
        ("10.1/AbC", "10.1/abc"),
        ("https://doi.org/10.1/x", "10.1/x"),
        ("doi:10.1/x ", "10.1/x"),
        ("", None),
        (None, None),
    ],
)
def test_dois_are_compared_in_one_form(doi, plain):
    assert plain_doi(doi) == plain


def test_a_record_survives_reading_and_writing():
    assert Labels.from_dict(RECORD).to_dict() == {**RECORD, "doi": "10.1/a"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"text_sha256": None}, "text_sha256"),
        ({"text_sha256": "xyz"}, "64 hexadecimal digits in text_sha256"),
        ({"title_sha256": 5}, "title_sha256"),
        ({"relations": [["O0", "C9"]]}, "unknown chemical id 'C9'"),
        ({"organisms": [{"id": "O0", "label": "Ruta ficta", "spans": [[3, 3]]}]}, "spans of 'Ruta ficta'"),
        ({"organisms": [{"id": "O0", "label": "Ruta ficta", "spans": [[3, "4"]]}]}, "spans of 'Ruta ficta'"),
        ({"organisms": [{"id": "O0", "label": "Ruta ficta", "spans": 3}]}, "spans of 'Ruta ficta'"),
    ],
)
def test_a_broken_record_is_refused_with_its_reason(change, message):
    with pytest.raises(InputError, match=message):
        Labels.from_dict({**RECORD, **change})


def test_bad_records_are_set_aside_and_the_others_are_read(tmp_path):
    path, context = tmp_path / "labels.jsonl", Context()
    path.write_text(
        "\n".join(map(json.dumps, [RECORD, RECORD, [1], {**RECORD, "id": "b", "text_sha256": "x"}])) + "\n{\n"
    )
    assert [item.id for item in read_labels(path, context)] == ["a1"]
    assert [item["where"].rpartition(":")[2] for item in context.rejects.items] == ["2", "3", "4", "5"]


def test_a_file_of_documents_is_no_file_of_labels(tmp_path):
    path = tmp_path / "documents.jsonl"
    path.write_text('{"id": "1", "ArticleTitle": "T", "AbstractText": "A"}\n')
    with pytest.raises(InputError, match=r"expected labels \(JSONL"):
        read_labels(path, Context())
