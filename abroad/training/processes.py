"""The processes of a training run: one, or several that share the model by FSDP (torch's `fully_shard`).

`accelerate launch` or `torchrun` start them and set RANK, WORLD_SIZE, LOCAL_RANK. Used instead of accelerate's
own FSDP because that refuses CPUs, where the same code path is tested with gloo.
https://docs.pytorch.org/docs/stable/distributed.fsdp.fully_shard.html
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from typing import Any

from abroad.core.errors import AbroadError
from abroad.training.dropout import decoder_blocks


class Processes:
    """This process among those of a run.

    Attributes:
        rank: its number.
        count: how many there are.
        device: where its tensors are.
    """

    def __init__(self) -> None:
        import torch

        self.rank, self.count = int(os.environ.get("RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
        cuda = torch.cuda.is_available()
        local = int(os.environ.get("LOCAL_RANK", "0"))
        self.device = torch.device("cuda", local) if cuda else torch.device("cpu")
        if cuda:
            torch.cuda.set_device(self.device)
        if self.count > 1 and not torch.distributed.is_initialized():
            torch.distributed.init_process_group("nccl" if cuda else "gloo")

    @property
    def first(self) -> bool:
        return self.rank == 0

    def shard(self, model: Any) -> None:
        """Spread the weights of a model over the processes, block by block.

        Raises:
            AbroadError: weights in 4 bits are not what they were, once put together again.
        """
        if self.count == 1:
            return
        from torch.distributed.fsdp import fully_shard

        packed = {name: _digest(value) for name, value in _packed(model)}
        for block in decoder_blocks(model):
            fully_shard(block)
        fully_shard(model)
        # Bits that stand for something else than numbers: whatever rounds or converts them ruins them without a word.
        for name, value in _packed(model):
            if _digest(value) != packed[name]:
                raise AbroadError(f"{name}: its 4-bit weights changed while they were spread over the processes")

    def fill_shards(self, model: Any, weights: dict[str, Any]) -> None:
        """Give a sharded model without weights those that the first process holds, one tensor at a time.

        So no process but the first ever has the whole model in main memory, and none has it on its GPU.

        Args:
            model: the same on all processes, sharded by `shard`, all of it on the meta device.
            weights: parameters and buffers by name, of the first process; empty in the others.
        """
        import torch
        from torch.distributed.tensor import distribute_tensor

        filled: dict[int, Any] = {}  # tied weights stay one
        shards = {}
        for name, parameter in model.named_parameters(remove_duplicate=False):
            if id(parameter) not in filled:
                full = self._from_first(weights.get(name), parameter, broadcast=False)
                shard = distribute_tensor(full, parameter.device_mesh, parameter.placements)
                filled[id(parameter)] = torch.nn.Parameter(shard, requires_grad=parameter.requires_grad)
            shards[name] = filled[id(parameter)]
        model.load_state_dict(shards, strict=False, assign=True)
        for name, buffer in list(model.named_buffers()):
            owner, _, own_name = name.rpartition(".")
            # Not by load_state_dict: buffers such as rotary frequencies are not part of a state.
            model.get_submodule(owner)._buffers[own_name] = self._from_first(weights.get(name), buffer, broadcast=True)

    def _from_first(self, value: Any, like: Any, broadcast: bool) -> Any:
        """A tensor of the first process on this device; room for it in the others, filled where `broadcast`."""
        import torch

        if self.first:
            full = value.detach().to(self.device)
        else:
            full = torch.empty(like.shape, dtype=like.dtype, device=self.device)
        if broadcast:
            torch.distributed.broadcast(full, 0)
        return full

    def sum(self, values: list[float]) -> list[float]:
        """Sums over the processes."""
        if self.count == 1:
            return values
        import torch

        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        torch.distributed.all_reduce(tensor)
        return [float(value) for value in tensor]

    def wait(self) -> None:
        """Return when all processes are here."""
        if self.count > 1:
            import torch

            torch.distributed.barrier()

    def share(self, batches: tuple[tuple[int, ...], ...]) -> list[tuple[tuple[int, ...], bool]]:
        """This process's batches, each with whether it counts: all run the same number, so that none waits for ever."""
        rows = -(-len(batches) // self.count)
        own = [(batch, True) for batch in batches[self.rank :: self.count]]
        return own + [(batches[0], False)] * (rows - len(own))


def _packed(model: Any) -> Iterator[tuple[str, Any]]:
    """Names and weights that hold several numbers a byte."""
    import torch

    return ((name, value) for name, value in model.named_parameters() if value.dtype == torch.uint8)


def _digest(tensor: Any) -> str:
    return hashlib.sha256(whole(tensor).contiguous().numpy()).hexdigest()


def whole(tensor: Any) -> Any:
    """A tensor with all its shards, on the CPU."""
    full = tensor.full_tensor() if hasattr(tensor, "full_tensor") else tensor
    return full.detach().cpu()


def own_part(tensor: Any) -> Any:
    """What this process holds of a tensor that may be sharded."""
    return tensor.to_local() if hasattr(tensor, "to_local") else tensor


def fill(target: Any, value: Any) -> None:
    """Copy a whole tensor into one that may be sharded."""
    import torch

    with torch.no_grad():
        if hasattr(target, "full_tensor"):
            from torch.distributed.tensor import distribute_tensor

            value = distribute_tensor(value.to(target.device), target.device_mesh, target.placements)
        target.copy_(value)
