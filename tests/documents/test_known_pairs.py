"""Pairs that somebody knows, dealt to documents: every relation is of the table, and no name twice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.field import Field, load_field
from abroad.core.field_file import NewField, new_field
from abroad.core.io import read_documents
from abroad.documents.known_pairs import DealSettings, Pair, documents_of, read_pairs

GENES = Field.model_validate(
    {
        "name": "genes",
        "title": "Genes",
        "entities": {"gene": {"singular": "gene", "plural": "genes"}, "drug": {"singular": "drug", "plural": "drugs"}},
        "relations": {
            "binds": {"head": "gene", "tail": "gene", "template": "{head} binds {tail}"},
            "blocks": {"head": ["drug", "gene"], "tail": "gene", "template": "{head} blocks {tail}"},
        },
    }
)


@pytest.fixture
def field(tmp_path):
    text = new_field(NewField(name="biodegradation", head="bacterium", tail="pollutant", verb="degrades"))
    head, tail = text.split("  pollutant:", 1)
    tail = tail.replace("names: none", "names: {kind: table, file: pollutants.txt}")
    (tmp_path / "field.yaml").write_text(f"{head}  pollutant:{tail}")
    (tmp_path / "pollutants.txt").write_text("toluene\nphenol\npyrene\n")
    return tmp_path / "field.yaml"


def read(path, of):
    context = Context()
    return read_pairs(path, of, context), context.rejects.items


@pytest.mark.parametrize("header", ["bacterium\tpollutant", "head\ttail", "pollutant,bacterium"])
def test_columns_are_called_head_and_tail_or_as_the_types_are(field, header):
    mark = "\t" if "\t" in header else ","
    row = ["Thauera", "toluene"] if header[0] in "bh" else ["toluene", "Thauera"]
    path = field.parent / "pairs.tsv"
    path.write_text(f"{header}\n{mark.join(row)}\n{mark.join(row)}\n")
    assert read(path, load_field(field)) == ([Pair("degrades", "Thauera", "toluene", ("bacterium", "pollutant"))], [])


def test_a_field_with_several_relations_wants_their_type_and_bad_rows_are_set_aside(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("head,tail\nA,B\n")
    with pytest.raises(InputError, match="no column 'type'; expected a table of pairs"):
        read(path, GENES)
    path.write_text("head,type,tail,head_type\nA,binds,B,\nC,blocks,B,gene\nD,likes,B,\nE,binds,B,drug\n,binds,B,\n")
    pairs, rejects = read(path, GENES)
    assert pairs == [Pair("binds", "A", "B", ("gene", "gene")), Pair("blocks", "C", "B", ("gene", "gene"))]
    assert [item["where"].rpartition(":")[2] for item in rejects] == ["4", "5", "6"]
    path.write_text("head,type,tail\nA,likes,B\n")
    with pytest.raises(InputError, match=r"no pair in the table \(first: .*:2: a relation of the unknown type 'likes'"):
        read(path, GENES)


names = st.sampled_from("ABCDE")
tables = st.lists(st.builds(Pair, st.just("binds"), names, names, st.just(("gene", "gene"))), min_size=1, unique=True)


@given(pairs=tables, seed=st.integers(0, 9), heads=st.integers(1, 4))
def test_every_relation_is_of_the_table_and_every_head_has_its_turn(pairs, seed, heads):
    settings = DealSettings(documents=12, heads=heads, seed=seed)
    documents = list(documents_of(pairs, GENES, None, settings))
    assert len(documents) == len({document.id for document in documents}) == 12
    GENES.check_documents(documents, "documents")
    stated = set()
    for document in documents:
        labels = {entity.id: entity.label for entity in document.entities}
        assert len(labels) == len(set(labels.values())) and 1 <= len({t.head for t in document.relations}) <= heads
        stated |= {(labels[triple.head], labels[triple.tail]) for triple in document.relations}
    assert stated <= {(pair.head, pair.tail) for pair in pairs}
    assert {head for head, _ in stated} == {pair.head for pair in pairs} or len({p.head for p in pairs}) > 12
    assert documents == list(documents_of(pairs, GENES, None, settings))


def test_the_command_adds_names_of_tables_that_no_pair_relates(cli, field):
    table, out = field.parent / "pairs.tsv", field.parent / "seeds.jsonl"
    table.write_text("bacterium\tpollutant\nThauera\ttoluene\nGordonia\tphenol\n")
    result = cli("documents", "pairs", table, "--field", field, "--documents", 20, "--others", 2, "--out", out)
    assert result.exit_code == 0 and "2 pairs in 20 documents" in result.stderr
    alone = set()
    for document in read_documents(out):
        related = {triple.tail for triple in document.relations}
        alone |= {e.label for e in document.entities if e.type == "pollutant" and e.id not in related}
        assert not document.abstract and " degrades " in document.title
    assert alone == {"toluene", "phenol", "pyrene"}
    assert cli("synth", "instruct", out, "--field", field, "--keywords", 0, "--out", field.parent / "p").exit_code == 0
