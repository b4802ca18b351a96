"""The training loop: shuffled steps, a learning rate that follows its schedule, and the best epoch kept."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch.optim import SGD, Adam, AdamW, Optimizer, RMSprop

from dlreg_core.networks.epoch_watch import EpochWatch
from dlreg_core.networks.feedforward.inputs import Encoded
from dlreg_core.networks.feedforward.losses import LossFunction, penalty
from dlreg_core.networks.feedforward.network import Network

_CHUNK_VALUES = 4_000_000
"""So many values are gathered and encoded at once: as many steps as that holds, so that a step orders little work."""

_KEPT_VALUES, _KEPT_HALVES = 50_000_000, 200_000_000
"""Fixed inputs of all rows are kept where they are no more values than the first of these; in half precision, but for
the numbers themselves, up to the second (400 MB); and computed for each chunk beyond, which takes several times as
long."""

_CYCLE_RISE, _CYCLE_START = 0.3, 25.0
"""One cycle: share of the steps in which the learning rate rises, and what part of it it starts from (Smith 2018)."""

_MOMENTUM = 0.9
_BETAS = (0.9, 0.95)
_RMSPROP_SMOOTHING = 0.95


@dataclass(frozen=True)
class Lesson:
    """How networks are taught; see the catalogue for what each setting means."""

    optimizer: str
    learning_rate: float
    weight_decay: float
    l1: float
    l2: float
    schedule: str
    warmup: float
    batch_size: int
    epochs: int
    early_stopping: int
    seed: int


@dataclass(frozen=True)
class Part:
    """Training or validation rows where they are computed on.

    Attributes
    ----------
    numbers, flags, codes : torch.Tensor, shape (rows, ...)
        See `Encoded`.
    target : torch.Tensor, shape (rows,)
        The standardised target.
    line : torch.Tensor, shape (rows,)
        What the linear path says of it; the layers are taught the rest.
    """

    numbers: torch.Tensor
    flags: torch.Tensor
    codes: torch.Tensor
    target: torch.Tensor
    line: torch.Tensor

    @classmethod
    def of(cls, rows: Encoded, target: NDArray[np.float32], line: NDArray[np.float32], device: torch.device) -> Part:
        """Move encoded rows to a device."""
        arrays = (rows.numbers, rows.flags, rows.codes, target, line)
        return cls(*(torch.from_numpy(array).to(device) for array in arrays))

    def __len__(self) -> int:
        return len(self.target)


Step = tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]
"""Fixed inputs, numbers, codes, targets and the linear path's part of a step, each with the networks as its first
dimension."""


def rate(schedule: str, warmup: float, done: float) -> float:
    """Return the part of the learning rate that holds when the share `done` of all steps has been made.

    Parameters
    ----------
    schedule : {"constant", "cosine", "one_cycle"}
        How it goes on after the warm-up; one cycle has a rise of its own instead.
    warmup : float
        Share of the steps in which it rises linearly.
    done : float
        Between 0 and 1.
    """
    if schedule == "one_cycle":
        if done < _CYCLE_RISE:
            low = 1 / _CYCLE_START
            return low + (1 - low) * (1 - math.cos(math.pi * done / _CYCLE_RISE)) / 2
        return (1 + math.cos(math.pi * (done - _CYCLE_RISE) / (1 - _CYCLE_RISE))) / 2
    if done < warmup:
        return done / warmup
    if schedule == "cosine":
        return (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))) / 2 if warmup < 1 else 1.0
    return 1.0


def teach(
    network: Network,
    train: Part,
    validation: Part,
    loss: LossFunction,
    lesson: Lesson,
    *,
    error_of: Callable[[torch.Tensor, torch.Tensor], float],
    watch: EpochWatch,
) -> int:
    """Train networks side by side, and leave them as they were after their best epoch.

    Parameters
    ----------
    network : Network
        On the same device as the rows.
    train, validation : Part
        The rows.
    loss : LossFunction
        Loss of each row.
    lesson : Lesson
        How they are taught.
    error_of : callable
        From the predictions of the networks' mean and the targets, both standardised, to the error by which the best
        epoch is chosen.
    watch : EpochWatch
        Told of what happens.

    Returns
    -------
    int
        The best epoch, the one with the least of these errors; 0 where the linear path alone has less.
    """
    optimizer = make_optimizer(network, lesson)
    shuffling = torch.Generator(train.target.device).manual_seed(lesson.seed)
    steps = max(1, math.ceil(len(train) / lesson.batch_size))
    best, best_epoch, made = math.inf, 0, 0
    if bool(train.line.any()):
        # Where a line is all there is to learn, the layers have nothing to add.
        network.say_nothing()
        best = error_of(predicted(network, validation), validation.target)
        watch.begun(best)
    kept = [value.clone() for value in network.state_dict().values()]
    fixed_inputs = kept_inputs(network, train)
    penalised = list(network.weights) if lesson.l1 or lesson.l2 else []
    for epoch in range(1, lesson.epochs + 1):
        network.train()
        for fixed, numbers, codes, target, line in shuffled_steps(network, train, steps, shuffling, fixed_inputs):
            # A rate of zero teaches nothing: the first step is made with the rate of its end.
            now = lesson.learning_rate * rate(
                lesson.schedule, lesson.warmup, min(1.0, (made + 1) / (steps * lesson.epochs + 1))
            )
            for group in optimizer.param_groups:
                group["lr"] = now
            errors = loss(line + network(fixed, numbers, codes), target)
            # A mean over rows, and a sum over networks: the gradient of each is what it would be alone.
            means = errors.mean(dim=1)
            total = means.sum()
            if penalised:
                total = total + penalty(penalised, lesson.l1, lesson.l2)
            total.backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            optimizer.zero_grad()
            made += 1
            watch.stepped(means.detach().mean(), target.shape[1])
        error = error_of(predicted(network, validation), validation.target)
        if error < best or (best_epoch == 0 and best == math.inf):
            best, best_epoch = error, epoch
            for copy, value in zip(kept, network.state_dict().values(), strict=True):
                copy.copy_(value)
        ended = watch.passed(error, lesson.epochs)
        if ended or (lesson.early_stopping and epoch - best_epoch >= lesson.early_stopping):
            break
    network.load_state_dict(dict(zip(network.state_dict(), kept, strict=True)))
    network.eval()
    return best_epoch


def make_optimizer(network: Network, lesson: Lesson) -> Optimizer:
    """Return the optimizer of a network; only weights decay, neither biases nor embeddings."""
    decaying = list(network.weights)
    known = {id(weight) for weight in decaying}
    others = [value for value in network.parameters() if id(value) not in known and value.numel()]
    groups = [{"params": decaying, "weight_decay": lesson.weight_decay}, {"params": others, "weight_decay": 0.0}]
    if lesson.optimizer == "adam":
        return Adam(groups, lr=lesson.learning_rate, betas=_BETAS, fused=True)
    if lesson.optimizer == "adamw":
        return AdamW(groups, lr=lesson.learning_rate, betas=_BETAS, fused=True)
    if lesson.optimizer == "sgd":
        return SGD(groups, lr=lesson.learning_rate, momentum=_MOMENTUM, fused=True)
    return RMSprop(groups, lr=lesson.learning_rate, alpha=_RMSPROP_SMOOTHING, foreach=True)


def kept_bytes(values: int) -> int:
    """Return the memory of so many fixed inputs; 0 where they aren't kept."""
    if values > _KEPT_HALVES:
        return 0
    return values * (4 if values <= _KEPT_VALUES else 2)


def kept_inputs(network: Network, train: Part) -> torch.Tensor | None:
    """Return the fixed inputs of all rows, in half precision where they are many; None where they are too many."""
    values = len(train) * network.inputs
    if values > _KEPT_HALVES:
        return None
    with torch.no_grad():
        if values <= _KEPT_VALUES:
            return network.fixed(train.numbers, train.flags)
        size, found = max(1, _CHUNK_VALUES // network.inputs), []
        for start in range(0, len(train), size):
            part = slice(start, start + size)
            found.append(network.fixed(train.numbers[part], train.flags[part]).half())
        return torch.cat(found)


def shuffled_steps(
    network: Network, train: Part, steps: int, shuffling: torch.Generator, kept: torch.Tensor | None = None
) -> Iterator[Step]:
    """Give out all rows once to each network, each in an order of its own, in `steps` steps of nearly equal size.

    `kept` are the fixed inputs of all rows, where they were computed before.
    """
    members, rows = network.shape.members, len(train)
    order = torch.rand(members, rows, generator=shuffling, device=train.target.device).argsort(dim=1)
    ends = [round(rows * (i + 1) / steps) for i in range(steps)]
    chunk = max(1, int(_CHUNK_VALUES * steps / max(1, members * rows * network.inputs)))
    for first in range(0, steps, chunk):
        bounds = [ends[first - 1] if first else 0, *ends[first : first + chunk]]
        chosen = order[:, bounds[0] : bounds[-1]]
        numbers, codes, target = train.numbers[chosen], train.codes[chosen], train.target[chosen]
        line = train.line[chosen]
        with torch.no_grad():
            fixed = network.fixed(numbers, train.flags[chosen]) if kept is None else kept[chosen]
            if fixed.dtype == torch.half:
                # The shares of pieces bear half precision; the numbers themselves, which come first, need not.
                fixed = fixed.float()
                fixed[..., : numbers.shape[-1]] = numbers
        for start, end in pairwise(bounds):
            part = slice(start - bounds[0], end - bounds[0])
            yield fixed[:, part], numbers[:, part], codes[:, part], target[:, part], line[:, part]


def predicted(network: Network, rows: Part) -> torch.Tensor:
    """Return the mean of the networks' predictions of the standardised target, shape (rows,)."""
    members = network.shape.members
    size = max(1, _CHUNK_VALUES // (members * max(network.inputs, *network.shape.hidden)))
    network.eval()
    found = []
    with torch.inference_mode():
        for start in range(0, len(rows), size):
            part = slice(start, start + size)
            numbers, codes = rows.numbers[part].unsqueeze(0), rows.codes[part].unsqueeze(0)
            fixed = network.fixed(numbers, rows.flags[part].unsqueeze(0))
            wide = (values.expand(members, -1, -1) for values in (fixed, numbers, codes))
            found.append(rows.line[part] + network(*wide).mean(dim=0))
    return torch.cat(found)
