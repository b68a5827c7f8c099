"""`abroad sample`: from a table to picks, plot and stop report."""

import json

import pytest

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.documents.sampling import SampleSettings, sample_table

ROWS = [
    ("fungi", "doi1", "o1", "s1"),
    ("fungi", "doi1", "o1", "s2"),
    ("fungi", "doi2", "o2", "s1"),
    ("plants", "doi1", "o1", "s1"),
    ("plants", "doi3", "o3", "s3"),
    ("plants", "doi3", "o3", "s4"),
]


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "relations.tsv"
    lines = ["\t".join(row) for row in [("kingdom", "reference_doi", "organism_wikidata", "structure_wikidata"), *ROWS]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def read(path):
    return [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]


def test_the_published_picks_byte_for_byte(cli, shared_data, tmp_path):
    out = tmp_path / "sample.tsv"
    table = shared_data / "lotus_slice.tsv"
    on = ["--on", "structure_wikidata", "--on", "organism_wikidata"]
    assert cli("sample", table, "--n", 10, *on, "--out", out).exit_code == 0
    assert out.read_bytes() == (shared_data / "lotus_slice_gme_top10.tsv").read_bytes()


def test_each_stratum_is_sampled_on_its_own(table, tmp_path):
    out = tmp_path / "sample.tsv"
    report = sample_table(table, out, SampleSettings(n=9, by="kingdom"), Context())
    header, *rows = read(out)
    assert header == ["kingdom", "reference_doi", "organism_wikidata", "structure_wikidata"]
    assert [row[:2] for row in rows] == [["fungi", "doi1"], ["fungi", "doi2"], ["plants", "doi3"], ["plants", "doi1"]]
    assert report.available == {"fungi": 2, "plants": 2}


def test_the_command_picks_as_many_as_a_run_and_all_when_told(cli, table, tmp_path, monkeypatch):
    from abroad.pipeline.config import Config

    default = Config.model_fields["sample"].default.n
    rows = [("fungi", f"doi{n}", f"o{n % 7}", f"s{n}") for n in range(default + 20)]
    header = table.read_text().splitlines()[0]
    table.write_text("\n".join([header, *map("\t".join, rows)]) + "\n")
    out = tmp_path / "sample.tsv"
    result = cli("sample", table, "--strategy", "random", "--out", out)
    assert len(read(out)) == default + 1 and f"{default} of {default + 20} items; --n all" in result.stderr
    result = cli("sample", table, "--strategy", "random", "--n", "all", "--out", out)
    assert len(read(out)) == default + 21 and "--n all" not in result.stderr
    assert SampleSettings(n="all").identity() == SampleSettings(n=None).identity()  # as earlier runs wrote it down
    assert cli("sample", table, "--n", "0", "--out", out).exit_code == 2


@pytest.mark.parametrize("strategy", ["gme-sum", "random", "topn-rel", "topn-struct", "topn-org", "topn-sum"])
def test_every_strategy_ranks_all_items(table, tmp_path, strategy):
    out = tmp_path / "sample.tsv"
    sample_table(table, out, SampleSettings(n=None, strategy=strategy), Context())
    assert sorted(row[0] for row in read(out)[1:]) == ["doi1", "doi2", "doi3"]


@pytest.mark.parametrize("ending", [".png", ".svg"])
def test_the_plot_and_the_stop_report_are_written(cli, table, tmp_path, ending):
    out, plot = tmp_path / "sample.tsv", tmp_path / f"plot{ending}"
    result = cli("sample", table, "--out", out, "--plot", plot, "--by", "kingdom")
    assert result.exit_code == 0
    assert plot.read_bytes()[:4] in (b"\x89PNG", b"<?xm")
    assert "fungi, organism_wikidata: entropy" in result.stderr
    stops = json.loads((tmp_path / "sample.tsv.abroad" / "run.json").read_text())["stop_report"]
    assert {stop["stratum"] for stop in stops} == {"fungi", "plants"}


def test_rows_with_missing_values_are_set_aside_with_their_line(table, tmp_path):
    table.write_text(table.read_text() + "plants\tdoi9\t\ts9\n")
    context = Context()
    report = sample_table(table, tmp_path / "sample.tsv", SampleSettings(n=None), context)
    assert report.dropped == 1
    assert len(context.rejects) == 1
    assert "doi9" not in (tmp_path / "sample.tsv").read_text()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (dict(item="pmid"), "no column pmid"),
        (dict(on=("kingdom", "family")), "no column family"),
        (dict(strategy="best"), "strategy: unknown selector 'best'; expected one of: gme, gme-sum"),
        (dict(strategy="topn-org", on=("kingdom",)), "'organism' in its name"),
        (dict(strategy="random", approx=3), "approx goes with gme"),
        (dict(on=("kingdom", "kingdom")), "different columns"),
    ],
)
def test_settings_that_do_not_fit_are_refused_in_one_line(table, tmp_path, settings, message):
    with pytest.raises(InputError, match=message) as caught:
        sample_table(table, tmp_path / "sample.tsv", SampleSettings(**settings), Context())
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "sample.tsv").exists()


def test_an_unknown_kind_of_plot_is_refused_before_the_work(table, tmp_path):
    with pytest.raises(InputError, match=r"plot\.gif: expected a plot file that ends in"):
        sample_table(table, tmp_path / "sample.tsv", SampleSettings(), Context(), tmp_path / "plot.gif")


@pytest.mark.parametrize("content", [None, b"", b"a\tb\n", b"\xff\xfe\x00"])
def test_files_that_are_no_table_end_with_exit_code_2(cli, tmp_path, content):
    path = tmp_path / "table.tsv"
    if content is not None:
        path.write_bytes(content)
    result = cli("sample", path, "--out", tmp_path / "out.tsv")
    assert result.exit_code == 2
    assert "table.tsv" in result.stderr
