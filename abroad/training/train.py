"""Fine-tuning with transformers and peft; the best checkpoint is the one with the best F1.

Perplexity says little about extraction, so after each epoch the model extracts the relations of the validation
documents and is scored. The loop is our own and not transformers' Trainer, which neither rolls back after a
loss spike, nor tells which examples an update saw, nor shards a model over CPUs (where that is tested).
"""

from __future__ import annotations

import contextlib
import math
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from abroad.core.context import Context
from abroad.core.errors import AbroadError, InputError
from abroad.core.field import find_field, write_field
from abroad.core.locks import held
from abroad.core.progress import Progress, tell
from abroad.core.resume import digest
from abroad.core.schema import Document
from abroad.documents.instructions import Task
from abroad.evaluation.metrics import micro_scores
from abroad.extraction.generative.decoding import Decoding
from abroad.extraction.generative.load import FIELD_FILE, extractor_of
from abroad.extraction.generative.notation import Notation
from abroad.models.backend import import_transformers
from abroad.models.identity import weights_digest
from abroad.models.load import empty_model, load_model, load_tokenizer
from abroad.models.lora import peft_name, peft_names, trainable
from abroad.models.resolve import resolve_model
from abroad.models.rope import write_factor
from abroad.models.source import ADAPTER, INITIAL, ModelSource
from abroad.models.vision import write_resolution
from abroad.training.adapter import with_adapter
from abroad.training.data import TokenisedExample, collate, collate_packed, make_examples, target_loss
from abroad.training.guard import Guard, Verdict
from abroad.training.images import chosen, training_images
from abroad.training.optimizer import make_optimizer, schedule
from abroad.training.order import Update, plan_updates
from abroad.training.processes import Processes, fill, own_part, whole
from abroad.training.record import LOGS, METRICS, ORDER, SCORES, SPIKE_STATES, SPIKES, TrainingRecord
from abroad.training.report import TrainReport, read_finished, write_finished
from abroad.training.settings import TrainSettings
from abroad.training.state import StateStore, TrainerState, clear_states, owner_of
from abroad.training.tensors import copy_whole, save_tensors, tensors_hash


def train(
    documents: Sequence[Document | Task],
    validation: Sequence[Document],
    settings: TrainSettings,
    out: Path,
    context: Context,
) -> TrainReport:
    """Fine-tune a LoRA adapter on the relations of `documents` (or the answers of tasks) and write it to `out`.

    A run that is finished is not made again.

    Raises:
        InputError: no document fits max_length, the model cannot be loaded, or another run is at `out`.
    """
    with held(out) if os.environ.get("RANK", "0") == "0" else contextlib.nullcontext():
        return _train(TrainingRun(documents, validation, settings, out, context), out)


def _train(run: TrainingRun, out: Path) -> TrainReport:
    if run.finished is not None:
        tell(f"{out}: trained before with these settings and data; nothing is left to do")
        if run.processes.first and owner_of(out / "state") in (None, run.identity):
            clear_states(out / "state")  # it was killed before it could
        return run.finished
    return run.finish(run.train())


class TrainingRun:
    """A model with its adapter, its data in their order, and where the run stands.

    Attributes:
        finished: the report of an earlier run of the same settings and data, if it ended; no model is loaded then.
    """

    def __init__(
        self,
        documents: Sequence[Document | Task],
        validation: Sequence[Document],
        settings: TrainSettings,
        out: Path,
        context: Context,
    ) -> None:
        _, torch = import_transformers()
        source = resolve_model(settings.model)
        if source.adapter is not None:
            raise InputError(f"{settings.model}: an adapter; training starts from a base model")
        self.settings, self.out, self.validation = settings, out, validation
        self.stop_after: int | None = None  # updates, of a replay
        self.on_score: Callable[[int, float], None] = lambda epoch, f1: None  # may raise to end the run
        self.images = training_images(source, settings)
        self.tokenizer = load_tokenizer(source)
        self.notation = Notation(find_field(settings.field))
        documents = chosen(documents, settings, source, context)
        how = (settings.max_length, context, settings.seed, settings.shuffles, self.notation, self.images)
        self.examples = make_examples(documents, self.tokenizer, *how)
        if not self.examples:
            raise InputError(f"none of the {len(documents)} documents fits max_length {settings.max_length}")
        self.processes = Processes()
        self.names = [example.id for example in self.examples]
        self.updates = plan_updates(list(map(len, self.examples)), settings)
        if (passes := settings.gradient_accumulation_steps) % self.processes.count and self.processes.first:
            tell(
                f"gradient_accumulation_steps {passes} over {self.processes.count} processes: some wait for others; "
                "a multiple keeps all of them busy"
            )
        own = {key: value for key, value in settings.identity().items() if key != "checkpoint_every"}
        own |= {"dropped": "layer and adapter"} if settings.residual_dropout else {}  # of earlier versions: the layer
        self.pairs = [example.data() for example in self.examples]
        self.identity = digest(own, self.pairs, self.processes.count, weights_digest(source))
        self.finished = read_finished(out, self._whole_identity())
        if self.finished is not None:
            return
        self.model = self._prepare(source)
        self.optimizer = make_optimizer(self.model, settings, self.processes)
        self.guard = Guard(settings)
        torch.manual_seed(settings.seed)

    def _prepare(self, source: ModelSource) -> Any:
        """The model with its adapter, on this process's device, or its share of it; opens the record on the way.

        Of several processes only the first reads weights, unless they are in 4 bits: those are quantised on a GPU.
        """
        settings, processes = self.settings, self.processes
        spread = processes.count > 1 and settings.quantization == "none"
        if not spread or processes.first:
            base = load_model(source, settings.quantization, rope_factor=settings.rope_factor, on_cpu=spread)
            model = with_adapter(base, settings)
            self._start(source, {name: whole(value) for name, value in trainable(model)})
        if not spread:
            processes.shard(model.get_base_model())
            return model
        if not processes.first:
            self._start(source, {})
        empty = with_adapter(empty_model(source, settings.rope_factor), settings)
        processes.shard(empty.get_base_model())
        inner = model.get_base_model() if processes.first else None
        weights = (
            {**dict(inner.named_parameters(remove_duplicate=False)), **dict(inner.named_buffers())} if inner else {}
        )
        processes.fill_shards(empty.get_base_model(), weights)
        return empty

    def _start(self, source: ModelSource, initial: dict[str, Any]) -> None:
        """Open the record, and keep the adapter as it was drawn: compression needs it."""
        self.states = StateStore(self.out / "state", self.identity, self.processes.first, LOGS)
        self.record = TrainingRecord(self.out, self.processes.first)
        self.record.describe(
            self.settings.model_dump(mode="json"),
            {
                "base": source.base,
                "examples": len(self.examples),
                "updates": len(self.updates),
                "processes": self.processes.count,
                "data_hash": digest(self.pairs),
                "initial_adapter_hash": tensors_hash(initial),
            },
        )
        if self.processes.first and not (self.states.last() is not None and (self.out / INITIAL).is_file()):
            save_tensors(peft_names(initial), self.out / INITIAL)  # a run that goes on keeps what it began with
        self.processes.wait()

    def begin_with(self, adapter: Path) -> None:
        """Put the weights of an adapter file in place, as those that training begins with."""
        from safetensors.torch import load_file

        tensors = load_file(adapter)
        for name, parameter in trainable(self.model):
            fill(parameter, tensors[peft_name(name)].to(parameter.dtype))

    def train(self) -> TrainReport:
        """Make all updates, from where an earlier run of the same settings and data stopped.

        Raises:
            AbroadError: too many updates in a row were not finite, or rolled back; the last good adapter is written.
        """
        trainer_state = TrainerState()
        last = self.states.last()
        if last is not None:
            trainer_state = self.states.load(last, self.model, self.optimizer)
        self.guard.restore(trainer_state)
        self.record.forget_after(trainer_state.update)
        resumed, spikes = trainer_state.update, 0
        if last is None:
            self.states.save(trainer_state, self.model, self.optimizer)  # a first spike has something to return to
        with Progress("training", len(self.updates), done=resumed) as progress:
            index = resumed
            while index < len(self.updates) and index != self.stop_after:
                update = self.updates[index]
                started = time.monotonic()
                if update.number not in trainer_state.left_out:
                    loss, tokens = self._gradients(update)
                    verdict = self._step(update, trainer_state, loss, tokens, started)
                    spikes += verdict.kind in ("loss", "not finite")
                    if verdict.action in ("roll back", "abort"):
                        trainer_state = self._roll_back(update, trainer_state, verdict)
                        index = trainer_state.update
                        continue
                    progress.advance(note=f"loss {loss:.3f}, {tokens / (time.monotonic() - started):.0f} tokens/s")
                index += 1
                trainer_state = self.guard.noted(replace(trainer_state, update=update.number))
                if index == len(self.updates) or self.updates[index].epoch != update.epoch:
                    trainer_state = self._end_of_epoch(update, trainer_state)
                elif index % self.settings.checkpoint_every == 0:
                    self.states.save(trainer_state, self.model, self.optimizer)
        best = trainer_state.best[0] if trainer_state.best else None
        return TrainReport(self.out, len(self.examples), len(self.updates), best, resumed, spikes)

    def _gradients(self, update: Update) -> tuple[float, int]:
        """Sum the gradients of an update; its mean loss a target token, and the tokens read, over all processes."""
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        own = self.processes.share(update.batches)
        targets = sum(len(self.examples[index].target) for batch in update.batches for index in batch)
        total, tokens = 0.0, 0
        for batch, counts in own:
            loss = self._loss([self.examples[index] for index in batch])
            # Several processes' gradients are averaged, so their number is multiplied back in.
            (loss * (self.processes.count / targets if counts else 0.0)).backward()
            if counts:
                total += float(loss.detach())
                tokens += sum(len(self.examples[index]) for index in batch)
        summed, read = self.processes.sum([total, float(tokens)])
        return summed / targets, int(read)

    def _loss(self, batch: Sequence[TokenisedExample]) -> Any:
        inputs = collate_packed(batch) if self.settings.pack else collate(batch, self.tokenizer.pad_token_id)
        if self.images is not None:
            inputs.pop("position_ids")  # Qwen-VL has three for each token, which it makes of the images' sizes
            inputs |= self.images.inputs(batch)
        inputs = {name: value.to(self.processes.device) for name, value in inputs.items()}
        return target_loss(self.model.get_base_model(), inputs)

    def _step(self, update: Update, trainer_state: TrainerState, loss: float, tokens: int, started: float) -> Verdict:
        """Make the update, unless the guard says otherwise; what was done of it goes into the record."""
        import torch

        parameters = [value for _, value in trainable(self.model)]
        norm = float(whole(torch.nn.utils.clip_grad_norm_(parameters, self.settings.max_grad_norm)))
        verdict = self.guard.judge(update.number, loss, norm)
        if verdict.begins:
            met = self.out / SPIKE_STATES / f"update-{update.number:06}"
            self.states.write(met, trainer_state, self.model, self.optimizer)
        shares = (len(self.updates), self.settings.warmup_steps, self.settings.min_lr_rate)
        rate = self.settings.learning_rate * schedule(update.number, *shares)
        size = 0.0
        if verdict.action == "step":
            size = self._change(parameters, rate)
            if not math.isfinite(size):
                verdict = self.guard.refuse(update.number)
        benign = verdict.action == "step" and self.guard.is_benign(verdict, size)
        figures = {"loss": rounded(loss), "grad_norm": rounded(norm), "update_size": rounded(size)}
        if verdict.kind:
            self._log_spike(update, verdict, figures, benign)
        if verdict.action in ("step", "skip"):
            self.record.add(ORDER, {**update.record(self.names), "skipped": verdict.action == "skip"})
            speed = round(tokens / max(time.monotonic() - started, 1e-9), 1)
            place = {"update": update.number, "epoch": update.epoch}
            self.record.add(METRICS, {**place, **figures, "learning_rate": rate, "tokens_per_second": speed})
        return verdict

    def _change(self, parameters: Sequence[Any], rate: float) -> float:
        """Step, and the size (L2 norm) of the change; one that is not finite is undone."""
        import torch

        before = [value.detach().clone() for value in parameters]
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.step()
        with torch.no_grad():
            changes = [own_part(value) - own_part(old) for value, old in zip(parameters, before, strict=True)]
            squares = sum(float(change.double().square().sum()) for change in changes)
            size = math.sqrt(self.processes.sum([squares])[0])
            if not math.isfinite(size):
                for value, old in zip(parameters, before, strict=True):
                    value.copy_(old)
        return size

    def _log_spike(self, update: Update, verdict: Verdict, figures: dict[str, Any], benign: bool) -> None:
        character = "malignant" if verdict.malignant else "benign" if benign else "open"
        entry = {**update.record(self.names), **figures, "zscore": verdict.zscore, "kind": verdict.kind}
        if not math.isfinite(verdict.zscore):
            entry["zscore"] = None
        more = {"character": character, "since": verdict.since, "action": verdict.action}
        self.record.add(SPIKES, {**entry, **more, "policy": self.settings.spike_policy})

    def _roll_back(self, update: Update, trainer_state: TrainerState, verdict: Verdict) -> TrainerState:
        """Return to the last state before the spike, and leave its updates out from now on; or end the run there.

        Raises:
            AbroadError: that was done too often, or there is no such state.
        """
        since = verdict.since or update.number
        last = self.states.before(since)
        if last is None:
            raise AbroadError(f"{self.out}: no state to roll back to; was state/ removed?")
        earlier = self.states.load(last, self.model, self.optimizer)
        if verdict.action == "abort":
            self._write_adapter(best=trainer_state.best is not None)
            raise AbroadError(
                f"{self.out}: the training cannot go on: {verdict.kind} again and again at update {update.number} "
                f"(see {SPIKES}); the adapter there is that of the last good state, after update {earlier.update}"
            )
        spiked = range(since, update.number + 1)
        left_out = tuple(sorted({*trainer_state.left_out, *earlier.left_out, *spiked}))
        earlier = replace(earlier, left_out=left_out, best=trainer_state.best)
        self.record.roll_back(update.number, earlier.update, left_out)
        self.states.drop_after(earlier.update)
        self.states.save(earlier, self.model, self.optimizer)
        self.guard.restore(earlier)
        return earlier

    def _end_of_epoch(self, update: Update, trainer_state: TrainerState) -> TrainerState:
        """Score the adapter on the validation documents, keep it if it is due or the best, save the state."""
        best = trainer_state.best
        if self.validation:
            started = time.monotonic()
            scores = self._validate()
            figures = {"f1": scores.f1, "precision": scores.precision, "recall": scores.recall}
            seconds = round(time.monotonic() - started, 1)
            self.record.add(
                SCORES, {"update": update.number, "epoch": update.epoch, **figures, "validation_seconds": seconds}
            )
            if best is None or scores.f1 > best[0]:
                best = (scores.f1, update.number)
                self._save_adapter(self.out / "state" / "best.safetensors")
            self.on_score(update.epoch, scores.f1)
        if self.settings.keep_every and update.epoch % self.settings.keep_every == 0:
            self._save_adapter(self.out / "checkpoints" / f"update-{update.number:06}.safetensors")
        trainer_state = replace(trainer_state, best=best)
        self.states.save(trainer_state, self.model, self.optimizer)
        return trainer_state

    def _validate(self) -> Any:
        decoding = Decoding(num_beams=1, max_new_tokens=self.settings.validation_max_new_tokens)
        reader = self.images.reader if self.images is not None else None
        extractor = extractor_of(self.model.eval(), self.tokenizer, decoding, self.notation, reader)
        if self.images is not None:
            extractor.show_images(self.images.resolution)
        predictions = list(extractor.extract(self.validation))
        return micro_scores(self.validation, predictions)

    def _save_adapter(self, path: Path) -> None:
        tensors = peft_names({name: whole(value) for name, value in trainable(self.model)})
        if self.processes.first:
            save_tensors(tensors, path)

    def finish(self, report: TrainReport) -> TrainReport:
        """Write the best adapter (or the last, without validation) with its tokenizer, and close the record."""
        self._write_adapter(best=bool(self.validation))
        if self.processes.first:
            self.record.close()
            write_finished(self.out, self._whole_identity(), report)
        self.states.clear()
        self.processes.wait()
        return report

    def _write_adapter(self, best: bool) -> None:
        """Write the adapter to where it is loaded from: the best one by validation, or the one at hand."""
        kept = self.out / "state" / "best.safetensors"
        if best and kept.exists():
            if self.processes.first:
                copy_whole(kept, self.out / ADAPTER)  # and not moved: killed from here on, it is copied again
        else:
            self._save_adapter(self.out / ADAPTER)
        if self.processes.first:
            model = self.settings.model
            config = self.model.peft_config["default"]
            # Hub names stay as given and paths become absolute, so that the adapter finds its base from anywhere.
            config.base_model_name_or_path = str(Path(model).resolve()) if Path(model).exists() else model
            config.inference_mode = True
            config.save_pretrained(str(self.out))
            self.tokenizer.save_pretrained(self.out)
            if not self.notation.field.is_built_in:
                write_field(self.out / FIELD_FILE, self.notation.field)
            if self.settings.rope_factor != 1:
                write_factor(self.out, self.settings.rope_factor)
            if self.images is not None:
                write_resolution(self.out, self.images.resolution)

    def _whole_identity(self) -> str:
        """Of the run and of what its best checkpoint is chosen by."""
        return digest(self.identity, [document.to_dict() for document in self.validation])


def rounded(value: float) -> float | None:
    """A figure of the record; what is not finite has no number in JSON."""
    return round(value, 6) if math.isfinite(value) else None
