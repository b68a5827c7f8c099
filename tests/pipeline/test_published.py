"""Every file of configs/paper and configs/recipes runs end to end, on tiny models of the true architecture and context.

Only what a test cannot have is another: the weights, the engine vLLM, and the number of epochs.
"""

import json
from pathlib import Path

import pytest
import yaml
from PIL import Image

from abroad.core.context import Context
from abroad.core.errors import InputError
from abroad.core.io import read_documents, read_records, write_documents
from abroad.core.settings import read_yaml
from abroad.documents.instructions import Task
from abroad.engines.choice import EngineChoice
from abroad.extraction.load import load_extractor
from abroad.pipeline.config import check_config, load_section
from abroad.synthesis.prompts.settings import InstructSettings
from abroad.synthesis.settings import GenerateSettings, SelectSettings, SpecialiseSettings
from abroad.synthesis.stages import generate_stage, instruct_stage, select_stage, specialise_stage
from abroad.training.settings import TrainSettings
from abroad.training.train import train
from tests.conftest import make_document
from tests.docs.network import network
from tests.true_models import true_model
from tests.visual import save_visual_model

CONFIGS = sorted(path for folder in ("paper", "recipes") for path in Path("configs", folder).glob("*.yaml"))
SAMPLE = Path("data/sample").resolve()
VISUAL = {"llava-1.5-13b-hf": "llava"}
"""Name of a model that reads images -> its family."""


@pytest.fixture(scope="module")
def models(request, tmp_path_factory):
    """Name of a model in a config -> a tiny one like it, made once."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("true")

    def make(name):
        family = VISUAL.get(name.rpartition("/")[2])
        if family is None:
            return str(true_model(name, folder))
        if not (folder / family).exists():
            save_visual_model(request.getfixturevalue("smollm2"), folder / family, family)
        return str(folder / family)

    return make


def study(id, words):
    """An abstract of about so many tokens: long ones leave little of the context."""
    text = "Usnic acid was isolated from Usnea testalis. " + "The extract was dried again. " * (words // 6)
    return make_document(id, "Lichen acids of Usnea testalis.", text.strip(), [("Usnea testalis", "usnic acid")])


def trained(path, models, out):
    settings = load_section(path, "train")
    settings = TrainSettings.of(settings).replace(model=models(settings.model), epochs=1, validation_max_new_tokens=8)
    items = [study("1", 60), study("2", 90)]
    if path.stem == "investlm":
        items.append(Task("3", "long", "Which acid?", study("3", 4000).text, "usnic acid"))  # beyond the plain context
    if settings.resolution:
        Image.new("RGB", (400, 300), "red").save(out.parent / "figure.png")
        for item in items:
            item.extra["images"] = [str(out.parent / "figure.png")]
    context = Context()
    report = train(items, [], settings, out, context)
    assert report.examples == len(items) and not context.rejects
    config = json.loads((out / "adapter_config.json").read_text())
    if settings.lora_targets:
        assert set(config["target_modules"]) == set(settings.lora_targets)
    return out


def extracted(path, models, adapter):
    """A document that fills most of the context is answered too: the budget is what it leaves."""
    section = load_section(path, "extract")
    settings = dict(section.extractor_settings())
    if section.model is not None:
        settings["model"] = models(settings["model"])
        extractor, documents = load_extractor(section.model, **settings), [study("1", 60)]
    else:
        extractor = load_extractor(adapter, **settings)
        context = extractor.engine.context_length
        documents = [study("1", min(context - 150, 880))]
    (prediction,) = extractor.extract(documents)
    assert prediction.error is None


def synthesised(path, models, folder):
    section = load_section(path, "synthesis")
    assert section.engine == "vllm"
    own = {"model": models(section.model), "engine": "transformers", "engine_settings": {}}
    section = type(section)(**{name: getattr(section, name) for name in section.model_fields_set} | own)
    write_documents(folder / "d.jsonl", [study("1", 60)])
    generate, context = GenerateSettings.of(section), Context()
    report = instruct_stage(
        folder / "d.jsonl", folder / "p.jsonl", InstructSettings.of(section), context, engine=generate
    )
    records = [record for _, _, record in read_records(folder / "p.jsonl")]
    assert report.prompts == len(records) == section.prompts_per_document and not context.rejects
    assert all(record["prompt"].endswith("ASSISTANT:") and "\n" not in record["stop"] for record in records)
    generate_stage(folder / "p.jsonl", folder / "a.jsonl", generate, context)
    assert not context.rejects
    assert select_stage(folder / "a.jsonl", folder / "s.jsonl", SelectSettings.of(section), Context()).candidates


def specialised(path, models, folder):
    """The settings of the file but for their number; what a random model writes is told from instructions.

    With answers as a trained one gives them: tests/synthesis/tasks/test_instruction_sets.py.
    """
    section = load_section(path, "synthesis")
    settings = SpecialiseSettings.of(section.specialise)
    assert (settings.keep, settings.inputs) == (5000, "generated") and settings.topics
    model = {"model": models(section.model), "engine": "transformers", "engine_settings": {}}
    engine = EngineChoice.of(section).replace(**model)
    write_documents(folder / "seeds.jsonl", [study("1", 60), study("2", 90)])
    few = settings.replace(count=6, topics=2, max_new_tokens=12, temperature=1.5)
    files = (folder / "seeds.jsonl", folder / "seeds.jsonl", folder / "i.jsonl")
    with pytest.raises(InputError, match="is a new instruction"):
        specialise_stage(*files, engine, few, Context())
    work = folder / "i.jsonl.abroad" / "work"
    assert len([*read_records(work / "instructions.jsonl")]) == 6 and (work / "topics.jsonl").is_file()


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_runs_end_to_end(path, models, tmp_path):
    pytest.importorskip("bitsandbytes")
    sections = read_yaml(path)
    adapter = trained(path, models, tmp_path / "model") if "train" in sections else None
    if "extract" in sections:
        extracted(path, models, adapter)
    if "specialise" in sections.get("synthesis", {}):
        specialised(path, models, tmp_path)
    elif "synthesis" in sections and path.stem != "biogpt":  # it is that of vicuna-13b.yaml
        synthesised(path, models, tmp_path)


def test_the_whole_run_goes_from_rows_of_lotus_to_a_report(cli, tmp_path, monkeypatch):
    """Sampled, fetched and scored as published; the built-in extractor reads in place of the model that is trained."""
    published = read_yaml(Path("configs/paper/biogpt.yaml"))
    config = {name: published[name] for name in ("lotus", "sample", "documents", "evaluate")}
    config["lotus"] = {"metadata": str(SAMPLE / "lotus_metadata.csv"), "doi2pmid": str(SAMPLE / "doi2pmid.tsv")}
    assert config["lotus"].keys() == published["lotus"].keys()
    config["evaluate"] |= {"gold": str(SAMPLE / "curated.jsonl")}
    (tmp_path / "c.yaml").write_text(yaml.safe_dump(config | {"out": "run", "extract": {"model": "builtin"}}))
    with network(monkeypatch):
        result = cli("run", tmp_path / "c.yaml")
    assert result.exit_code == 0, result.output
    run = tmp_path / "run"
    stages = json.loads((run / "run.json").read_text())["stages"]
    assert [*stages] == ["prepare", "sample", "documents", "extract", "evaluate"]
    assert stages["prepare"]["result"]["references"] == stages["sample"]["result"]["picks"], "500 of each kingdom: all"
    documents = [*read_documents(run / "documents.jsonl")]
    assert len(documents) == stages["sample"]["result"]["picks"] and all(document.pairs for document in documents)
    assert json.loads((run / "scores.json").read_text())["f1"] > 50 and (run / "report.html").is_file()


def test_the_whole_run_generates_as_the_generator_alone():
    alone, whole = (read_yaml(Path("configs/paper", f"{name}.yaml"))["synthesis"] for name in ("vicuna-13b", "biogpt"))
    assert alone == whole


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_has_no_mistake_but_files_to_be_fetched(path):
    if "lotus" not in read_yaml(path):
        assert check_config(path)


def test_what_is_published_stands_in_the_configs():
    biogpt = read_yaml(Path("configs/paper/biogpt.yaml"))
    assert biogpt["synthesis"]["fidelity"] == 0 and biogpt["synthesis"]["keywords"] == 10
    assert biogpt["synthesis"]["keyword_temperatures"] == [0.4, 0.5, 0.6, 0.7]
    assert "output_projection" in biogpt["train"]["lora_targets"]
    names = {path.stem for path in CONFIGS}
    assert names >= {"biogpt", "biogpt-large", "gpt2", "llama-7b", "llama-13b", "llama-30b", "llama-65b", "vicuna-13b"}
