"""What every selector does alike: a new one joins `MEMBERS` and has to pass."""

import numpy as np
import pytest

from abroad.core.errors import InputError
from abroad.core.registry import setting_names
from abroad.documents.sampling import SampleSettings
from abroad.documents.selectors import SELECTORS, Draw
from gme_sampler import RelationTable
from tests.documents.members import MEMBERS, ROWS
from tests.plugins import install

ON = ("organism_wikidata", "structure_wikidata")
ALL = pytest.mark.parametrize("name", SELECTORS.own)


@pytest.fixture
def table():
    return RelationTable.from_columns(ROWS["reference_doi"], {name: ROWS[name] for name in ON})


def rank(table, name, **draw):
    selector = SELECTORS.get(name)
    return selector.rank(table, Draw(category=selector.category(ON), **draw))


@ALL
def test_items_come_in_the_order_of_its_kind_each_once(table, name):
    ranking = rank(table, name)
    assert sorted(ranking.items) == ["a", "b", "c", "d"]
    assert list(ranking.items)[: len(MEMBERS[name])] == MEMBERS[name]
    assert np.asarray(ranking.entropies).shape == (4, len(ON))


@ALL
def test_fewer_are_the_first_of_all_and_the_same_seed_gives_the_same(table, name):
    whole = rank(table, name, seed=3)
    assert list(rank(table, name, seed=3, n=2).items) == list(whole.items)[:2]
    assert list(rank(table, name, seed=3, n=9).items) == list(whole.items)


@ALL
def test_counted_once_an_item_a_table_is_its_binary_one(table, name):
    assert list(rank(table, name, binary=True).items) == list(rank(table.binary(), name).items)


@ALL
def test_settings_of_a_sample_are_those_of_its_selector(name):
    takes = "approx" in setting_names(SELECTORS.settings(name))
    if takes:
        assert SampleSettings(strategy=name, approx=3).approx == 3
    else:
        with pytest.raises(InputError, match=f"not with {name}"):
            SampleSettings(strategy=name, approx=3)
    if word := SELECTORS.get(name).word:
        with pytest.raises(InputError, match=f"'{word}' in its name"):
            SampleSettings(strategy=name, on=("kingdom",))


def test_a_selector_of_another_package_samples_by_name(cli, tmp_path, monkeypatch):
    code = """
        from abroad.core.registry import Capability
        from abroad.documents.selectors import RANDOM, Selector

        LAST = Selector(lambda table, draw: RANDOM.rank(table, draw))
    """
    install(tmp_path / "site", monkeypatch, "last", {"last.py": code}, {SELECTORS.group: {"last": "last:LAST"}})
    lines = ["\t".join(ROWS), *("\t".join(row) for row in zip(*ROWS.values(), strict=True))]
    (tmp_path / "table.tsv").write_text("\n".join(lines) + "\n")
    result = cli("sample", tmp_path / "table.tsv", "--strategy", "last", "--out", tmp_path / "sample.tsv")
    assert result.exit_code == 0 and len((tmp_path / "sample.tsv").read_text().splitlines()) == 5, result.output
    result = cli("sample", tmp_path / "table.tsv", "--strategy", "lats", "--out", tmp_path / "sample.tsv")
    assert result.exit_code == 2 and "unknown selector 'lats'; did you mean last?" in result.stderr
