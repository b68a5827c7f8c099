"""LoRA fine-tuning with transformers and peft; the best checkpoint is the one with the best F1.

Perplexity says little about extraction, so after each epoch the model extracts
the relations of the validation documents and is scored. A run that was killed
goes on from its last whole checkpoint.
"""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from abroad.engines.transformers_engine import TransformersEngine
from abroad.errors import InputError, MissingDependencyError
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.extract import Decoding, GenerativeExtractor
from abroad.io import Rejects, dump_line, write_json
from abroad.models import import_transformers, load_model, load_tokenizer, resolve_model
from abroad.progress import Progress
from abroad.resume import digest
from abroad.schema import Document
from abroad.training.data import Example, collate, make_examples
from abroad.training.settings import TrainSettings


@dataclass(frozen=True)
class TrainReport:
    """Attributes:
    adapter: directory of the adapter, loadable with `abroad extract --model`.
    examples, steps: trained on, and updates made.
    best_f1: percent on the validation documents; None without any.
    resumed_from: update the run continued at; 0 for a fresh one.
    """

    adapter: Path
    examples: int
    steps: int
    best_f1: float | None
    resumed_from: int


def train(
    documents: Sequence[Document], validation: Sequence[Document], settings: TrainSettings, out: Path, rejects: Rejects
) -> TrainReport:
    """Fine-tune a LoRA adapter on the relations of `documents` and write it to `out`.

    Raises:
        InputError: no document fits max_length, or the model cannot be loaded.
    """
    transformers, torch = import_transformers()
    source = resolve_model(settings.model)
    if source.adapter is not None:
        raise InputError(f"{settings.model}: an adapter; training starts from a base model")
    tokenizer = load_tokenizer(source)
    examples = make_examples(documents, tokenizer, settings.max_length, rejects, settings.seed, settings.shuffles)
    if not examples:
        raise InputError(f"none of the {len(documents)} documents fits max_length {settings.max_length}")

    transformers.set_seed(settings.seed)  # before the adapter is drawn
    model = _with_adapter(load_model(source, settings.quantization), settings)
    checkpoints = out / "checkpoints"
    last = _last_checkpoint(checkpoints, digest(asdict(settings), [[e.prompt, e.target] for e in examples]))
    trainer = _make_trainer(model, tokenizer, examples, validation, settings, checkpoints, torch)
    with Progress("training", trainer.planned_steps, done=_step(last)) as progress:
        trainer.add_callback(_progress_callback(progress, out / "metrics.jsonl"))
        trainer.train(resume_from_checkpoint=str(last) if last else None)

    # Hub names stay as given and paths become absolute, so that the adapter finds its base from anywhere.
    base = str(Path(settings.model).resolve()) if Path(settings.model).exists() else settings.model
    model.peft_config["default"].base_model_name_or_path = base
    model.save_pretrained(out, save_embedding_layers=False)  # else peft asks the network for the base model
    tokenizer.save_pretrained(out)
    shutil.rmtree(checkpoints)
    best = trainer.state.best_metric
    return TrainReport(out, len(examples), trainer.state.global_step, best, _step(last))


def _with_adapter(model: Any, settings: TrainSettings) -> Any:
    """Add a LoRA adapter to every linear layer but the output layer (BioGPT: q, k, v, out, fc1, fc2)."""
    try:
        import peft
    except ImportError:
        raise MissingDependencyError("peft", "train", "fine-tuning") from None
    if settings.quantization != "none":
        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=settings.gradient_checkpointing)
    config = peft.LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return peft.get_peft_model(model, config)


def _step(checkpoint: Path | None) -> int:
    return int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0


def _last_checkpoint(directory: Path, identity: str) -> Path | None:
    """The last whole checkpoint of this very run; those of other settings or data are removed."""
    mark = directory / "run.json"
    if not mark.exists() or json.loads(mark.read_text("utf-8")) != identity:
        shutil.rmtree(directory, ignore_errors=True)
        write_json(mark, identity)
        return None
    # transformers writes trainer_state.json last: a checkpoint without it was cut short.
    whole = [path.parent for path in directory.glob("checkpoint-*/trainer_state.json") if path.stat().st_size]
    return max(whole, key=_step, default=None)


def _make_trainer(
    model: Any,
    tokenizer: Any,
    examples: list[Example],
    validation: Sequence[Document],
    settings: TrainSettings,
    directory: Path,
    torch: Any,
) -> Any:
    from transformers import PrinterCallback, Trainer, TrainingArguments

    cuda = torch.cuda.is_available()
    per_epoch = -(-len(examples) // (settings.batch_size * settings.accumulation))

    class RelationTrainer(Trainer):
        planned_steps = per_epoch * settings.epochs

        def compute_loss(self, model: Any, inputs: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
            # Logits of the relations only: see `collate`.
            return super().compute_loss(model, {**inputs, "logits_to_keep": inputs["labels"].shape[1]}, *args, **kwargs)

        def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
            started = time.monotonic()
            engine = TransformersEngine(self.model.eval(), tokenizer)
            decoding = Decoding(beams=1, max_new_tokens=settings.validation_tokens)
            predictions = list(GenerativeExtractor(engine, tokenizer, decoding, {}).extract(validation))
            scores = micro_scores(validation, predictions)
            metrics = {
                "eval_f1": scores.f1,
                "eval_precision": scores.precision,
                "eval_recall": scores.recall,
                "eval_seconds": round(time.monotonic() - started, 1),
            }
            self.log(metrics)
            self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
            return metrics

    arguments = TrainingArguments(
        output_dir=str(directory),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        warmup_steps=min(settings.warmup_steps, per_epoch * settings.epochs // 5),
        weight_decay=settings.weight_decay,
        optim="paged_adamw_8bit" if settings.quantization != "none" else "adamw_torch",
        bf16=cuda,
        use_cpu=not cuda,
        gradient_checkpointing=settings.gradient_checkpointing,
        eval_strategy="epoch" if validation else "no",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=bool(validation),
        metric_for_best_model="eval_f1" if validation else None,
        greater_is_better=True if validation else None,
        logging_steps=1,
        include_num_input_tokens_seen="non_padding",
        remove_unused_columns=False,
        dataloader_pin_memory=cuda,
        disable_tqdm=True,
        report_to="none",
        log_level="error",
        seed=settings.seed,
        data_seed=settings.seed,
    )
    trainer = RelationTrainer(
        model=model,
        args=arguments,
        train_dataset=examples,
        eval_dataset=list(validation) or None,
        data_collator=lambda batch: collate(batch, tokenizer.pad_token_id),
    )
    trainer.remove_callback(PrinterCallback)  # the progress bar shows the figures
    return trainer


def _progress_callback(progress: Progress, metrics: Path) -> Any:
    """Show loss, tokens/s and F1 as training goes, and append every figure to metrics.jsonl."""
    from transformers import TrainerCallback

    class ShowProgress(TrainerCallback):
        def __init__(self) -> None:
            self.note = ""
            self.started = time.monotonic()
            self.tokens_at_start = 0

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.tokens_at_start = int(state.num_input_tokens_seen)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, Any] | None = None, **_: Any) -> None:
            logs = logs or {}
            metrics.parent.mkdir(parents=True, exist_ok=True)
            with metrics.open("a", encoding="utf-8") as stream:
                stream.write(dump_line({"step": state.global_step, **logs}))
            if "loss" in logs:
                tokens = int(state.num_input_tokens_seen) - self.tokens_at_start
                rate = tokens / max(time.monotonic() - self.started, 1e-9)
                self.note = f"loss {float(logs['loss']):.3f}, {rate:.0f} tokens/s"
                progress.advance(note=self.note)
            elif "eval_f1" in logs:
                progress.advance(0, note=f"{self.note}, validation F1 {logs['eval_f1']:.1f}")

    return ShowProgress()
