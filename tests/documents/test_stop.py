"""`n: stop` takes as many references as the stop rule says, of each stratum."""

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.sampling import SampleSettings, sample_table

HEAD = "reference_doi\torganism_wikidata\tstructure_wikidata\tkingdom\n"


@pytest.fixture
def table(tmp_path):
    """In each kingdom references with entities of their own, then others that say again what the first said."""
    rows = [f"{k}{n}\t{k}o{n}\t{k}s{n}\t{k}" for k, own in (("A", 6), ("B", 3)) for n in range(own)]
    rows += [f"{k}again{n}\t{k}o0\t{k}s0\t{k}" for k in "AB" for n in range(4)]
    path = tmp_path / "relations.tsv"
    path.write_text(HEAD + "\n".join(rows) + "\n")
    return path


def test_each_stratum_ends_where_its_entropies_stop_rising(table, tmp_path):
    settings = SampleSettings(n="stop", by="kingdom")
    report = sample_table(table, tmp_path / "sample.tsv", settings, Context())
    assert {name: len(ranking.items) for name, ranking in report.rankings.items()} == {"A": 6, "B": 3}
    assert report.available == {"A": 10, "B": 7}
    assert all("stops rising after pick" in line for line in report.stop_lines())
    picked = [line.split("\t")[1] for line in (tmp_path / "sample.tsv").read_text().splitlines()[1:]]
    assert not any("again" in item for item in picked)


def test_so_the_command_and_a_config_say_it(cli, table, tmp_path):
    out = tmp_path / "sample.tsv"
    result = cli("sample", table, "--n", "stop", "--by", "kingdom", "--out", out)
    assert result.exit_code == 0 and "9 picks" in result.stderr
    assert cli("sample", table, "--n", "4", "--out", tmp_path / "four.tsv").exit_code == 0
    assert len((tmp_path / "four.tsv").read_text().splitlines()) == 5


@pytest.mark.parametrize("wrong", ["0", "sometimes"])
def test_anything_else_is_refused(cli, table, tmp_path, wrong):
    assert cli("sample", table, "--n", wrong, "--out", tmp_path / "s.tsv").exit_code == 2
    with pytest.raises(InputError):
        SampleSettings(n=wrong)
