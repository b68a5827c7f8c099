"""Options are the fields of the settings classes: the same names, types and defaults, checked as these are."""

import inspect
import subprocess
import sys
from typing import get_origin

import pytest
import typer

from abroad.cli.options import TAKES, Options, SettingsCommand
from tests.cli.test_help import ALL

TAKING = {" ".join(path): command for path, command in ALL.items() if getattr(command.callback, TAKES, None)}
PAIRS = [(name, parameter) for name, command in TAKING.items() for parameter in getattr(command.callback, TAKES)]

# Numbers and words that are options of a command alone: nothing below the command line has a default for them, or the
# settings are another helper's.
OWN = {
    ("annotate push", "top"),
    ("knowledge browse", "port"),
    ("knowledge query", "format"),
    ("annotate serve", "port"),
    ("annotate serve", "host"),
    ("annotate user", "role"),
    ("documents split", "seed"),  # the two shares depend on what else is given
    ("evaluate", "by"),
    ("evaluate", "max_new_tokens"),
    ("fewshot", "style"),
    ("inspect attention", "model"),
    ("inspect attention", "max_documents"),
    ("lotus synonyms", "max_names"),
    ("rank", "share"),
    ("rank", "seed"),
    ("release compress", "densities"),
    ("release compress", "scales"),
    ("release compress", "within"),
    ("release pack", "seed"),
    ("synth tasks", "long"),
    ("synth tasks", "seed"),
    ("synth topics", "principles"),
    ("synth topics", "count"),
    ("synth topics", "seed"),
    ("synth validate", "seed"),
    ("train replay", "updates"),
    ("train run", "gpus"),
    ("train run", "gpu_memory"),
    ("tune train", "trials"),
    ("tune train", "space"),
    ("tune images", "resolutions"),
    ("tune images", "text_shares"),
    ("tune draft", "draft_tokens"),
    ("tune draft", "count"),
    ("tune decode", "trials"),
    ("tune decode", "seed"),
    ("tune report", "kind"),
}


def options_of(name, parameter) -> Options:
    return getattr(TAKING[name].callback, TAKES)[parameter]


def parameter_of(name, parameter, field):
    return next(p for p in TAKING[name].params if p.name == f"{parameter}__{field}")


@pytest.mark.parametrize(("name", "parameter"), PAIRS)
def test_every_field_is_an_option_of_its_name_and_default(name, parameter):
    options = options_of(name, parameter)
    for field, info in options.fields().items():
        option = parameter_of(name, parameter, field)
        if field not in options.names and get_origin(info.annotation) is not dict:
            assert f"--{field.replace('_', '-')}" in option.opts
        default = info.get_default(call_default_factory=True)
        if get_origin(info.annotation) is dict:
            assert not option.default
        else:
            assert option.default == (list(default) if isinstance(default, tuple) and option.multiple else default)
        assert (option.help and option.help.endswith((".", "]"))) or get_origin(info.annotation) is dict


def test_where_a_job_has_another_default_its_class_says_why():
    """A field is stated twice only by a class of its own, whose docstring has a paragraph of reasons."""
    changed = []
    for name, parameter in PAIRS:
        kind = options_of(name, parameter).kind
        for base in kind.__mro__[1:]:
            fields = getattr(base, "model_fields", {})
            changed += [
                (kind, field)
                for field in fields.keys() & kind.model_fields.keys()
                if fields[field].get_default() != kind.model_fields[field].get_default()
            ]
    assert {kind.__name__ for kind, _ in changed} == {
        *("TrialSettings", "GridDecoding", "CurveLearner", "FewShotRankSettings"),
        *("DraftSettings", "ImageTrainSettings", "SearchedSettings"),
    }
    assert all(len((inspect.getdoc(kind) or "").partition("\n\n")[2].split()) > 12 for kind, _ in changed)


def test_numbers_and_words_with_defaults_stand_in_settings():
    own = set()
    for path, command in ALL.items():
        name = " ".join(path)
        if name == "leaderboard":  # lists with commas, made the settings of the section, which checks them
            continue
        for option in command.params:
            plain = isinstance(option.default, int | float | str) and not isinstance(option.default, bool)
            if plain and "__" not in option.name and option.name != "out":
                own.add((name, option.name))
    assert own == OWN


OWN_OF_LEADERBOARD = {"out", "config", "cases", "batch_size", "force", "harness", "harness_tasks", "harness_limit"}


def test_the_options_of_the_leaderboard_are_fields_of_its_settings():
    from abroad.experiments.leaderboard.settings import LeaderboardSettings

    options = {p.name for p in ALL["leaderboard",].params if p.param_type_name == "option" and "--help" not in p.opts}
    assert options - OWN_OF_LEADERBOARD <= LeaderboardSettings.model_fields.keys()


SCRIPT = """
import atexit, sys
sys.argv[1:] = ["--help"]
atexit.register(lambda: print([n for n in sys.modules if n.partition('.')[0] == 'pydantic'], file=sys.stderr))
from abroad.cli import main
main()
"""


def test_help_of_the_whole_loads_no_settings():
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert "documents" in result.stdout and result.stderr.strip() == "[]", result.stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "train run docs.jsonl --out model --learning-rate 0",
            "--learning-rate: expected more than 0, found 0",
        ),
        ("synth instruct docs.jsonl --out p.jsonl --temperature 1 0.5", "from low to high"),
        ("synth generate p.jsonl --out a.jsonl --engine vlm", "unknown engine 'vlm'"),
        ("synth generate p.jsonl --out a.jsonl --set alpha=7", "engine transformers: alpha"),
        ("rank d.jsonl p.jsonl --out r.jsonl --by worst", "--by: unknown order 'worst'"),
        ("evaluate --gold g.jsonl --pred p.jsonl --protocol lax", "--protocol: unknown protocol 'lax'"),
        ("fewshot d.jsonl --out p.jsonl --keep 0", "--keep: expected more than 0"),
    ],
)
def test_a_value_out_of_range_is_named_by_its_option(cli, tmp_path, monkeypatch, line, message):
    monkeypatch.chdir(tmp_path)
    result = cli(*line.split())
    assert result.exit_code == 2 and message in result.stderr, result.stderr
    assert result.stderr.count("\n") == 1


# A command of its own, so that what a real one does with its settings need not be run.
class Shown:
    def __init__(self):
        from abroad.cli.common import CommandGroup
        from abroad.cli.options import takes

        self.app = typer.Typer(cls=CommandGroup)
        seen = self.seen = []

        @self.app.command(cls=SettingsCommand)
        @takes(
            settings=Options(
                "abroad.training.settings:TrainSettings",
                section="train",
                former={"--rounds": "epochs"},
            )
        )
        def train(config: str = typer.Option(None), *, settings):
            seen.append(settings)

        @self.app.command(cls=SettingsCommand)
        @takes(values=Options("abroad.extraction.generative.decoding:GenerativeSettings", partial=True))
        def partly(*, values):
            seen.append(values)

    def __call__(self, *words):
        from typer.testing import CliRunner

        result = CliRunner().invoke(self.app, list(map(str, words)))
        return result, self.seen[-1] if self.seen else None


@pytest.fixture
def shown():
    return Shown()


def test_options_override_the_config_and_the_config_the_defaults(shown, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("train: {learning_rate: 0.5, pack: true, add_seeds: true}\n")
    _, settings = shown("train")
    assert (settings.epochs, settings.learning_rate, settings.pack) == (15, 1e-4, False)
    _, settings = shown("train", "--config", config)
    assert (settings.epochs, settings.learning_rate, settings.pack) == (15, 0.5, True)
    _, settings = shown("train", "--config", config, "--epochs", 15, "--no-pack", "--adam-betas", 0.5, 0.6)
    assert (settings.epochs, settings.learning_rate, settings.pack) == (15, 0.5, False)
    assert settings.adam_betas == (0.5, 0.6)


def test_former_options_are_read_and_warned_about_once(shown):
    result, settings = shown("train", "--rounds=7", "--rounds", 8)
    assert settings.epochs == 8 and result.stderr.count("--rounds is called --epochs now") == 1
    assert "--rounds" not in shown("train", "--help")[0].stdout


def test_a_mapping_is_set_key_by_key_and_only_what_is_given_is_handed_on(shown):
    _, values = shown("partly", "--set", "draft=ngram", "--set", "alpha=0.2", "--early-stopping", "true")
    assert values == {"engine_settings": {"draft": "ngram", "alpha": "0.2"}, "early_stopping": "true"}
    assert shown("partly")[1] == {}
