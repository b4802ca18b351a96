"""Several feed-forward networks side by side, computed in common matrix products.

Every tensor of weights has the networks (members) as its first dimension. They share nothing but the time that it takes
to order a step: each has weights of its own and is taught in an order of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "relu": functional.relu,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "gelu": functional.gelu,
    "silu": functional.silu,
}

EMBEDDINGS = ("none", "piecewise_linear", "periodic")

_LEVEL_WIDTH = 8
_FREQUENCIES, _PERIODIC_WIDTH = 8, 4
_FREQUENCY_STD = 0.1
_NORM_MOMENTUM = 0.1


@dataclass(frozen=True)
class Shape:
    """What a network is made of.

    Attributes
    ----------
    numbers, flags : int
        Width of these inputs.
    level_counts : tuple of int
        Levels of each category that is embedded.
    hidden : tuple of int
        Width of each hidden layer.
    activation : str
        One of `ACTIVATIONS`.
    dropout : float
        Share of each hidden layer's outputs that a training step leaves out.
    batch_norm : bool
        Whether hidden layers are normalised over the rows of a step (Ioffe & Szegedy 2015).
    embedding : str
        How numbers are given to the network: one of `EMBEDDINGS`, after Gorishniy et al. 2022.
    members : int
        Networks side by side.
    """

    numbers: int
    flags: int
    level_counts: tuple[int, ...]
    hidden: tuple[int, ...]
    activation: str
    dropout: float
    batch_norm: bool
    embedding: str
    members: int


class Network(nn.Module):
    """Feed-forward networks side by side.

    Parameters
    ----------
    shape : Shape
        What they are made of.
    edges : torch.Tensor, shape (numbers, bins + 1)
        Where the pieces of a piecewise-linear encoding begin and end; a piece without width is never reached.
    generator : torch.Generator
        Where the first weights come from.
    """

    low: torch.Tensor
    widths: torch.Tensor
    used: torch.Tensor
    offsets: torch.Tensor

    def __init__(self, shape: Shape, edges: torch.Tensor, generator: torch.Generator) -> None:
        super().__init__()
        self.shape = shape
        low, high = edges[:, :-1], edges[:, 1:]
        used = (high > low).flatten()
        self.register_buffer("low", low)
        self.register_buffer("widths", torch.where(high > low, high - low, torch.inf))
        self.register_buffer("used", used.nonzero().flatten())
        counts = shape.level_counts
        starts = torch.tensor([sum(counts[:i]) for i in range(len(counts))], dtype=torch.long)
        self.register_buffer("offsets", starts + sum(counts) * torch.arange(shape.members)[:, None, None])
        self._make_embeddings(generator)
        width = shape.numbers + shape.flags + len(counts) * _LEVEL_WIDTH
        if shape.embedding == "piecewise_linear":
            width += int(used.sum())
        elif shape.embedding == "periodic":
            width += shape.numbers * _PERIODIC_WIDTH
        self.inputs = width
        sizes = (width, *shape.hidden, 1)
        self.weights = nn.ParameterList()
        self.biases = nn.ParameterList()
        for inputs, outputs in pairwise(sizes):
            self.weights.append(self._drawn(generator, inputs, outputs, bound=1 / math.sqrt(max(1, inputs))))
            self.biases.append(self._drawn(generator, 1, outputs, bound=1 / math.sqrt(max(1, inputs))))
        self._make_norms()

    def say_nothing(self) -> None:
        """Let each network begin with an answer of zero, so that it adds nothing yet to what is known without it."""
        with torch.no_grad():
            self.weights[-1].zero_()
            self.biases[-1].zero_()

    def _drawn(self, generator: torch.Generator, *size: int, bound: float) -> nn.Parameter:
        values = torch.rand(self.shape.members, *size, generator=generator)
        return nn.Parameter((2 * values - 1) * bound)

    def _make_embeddings(self, generator: torch.Generator) -> None:
        shape = self.shape
        levels = torch.randn(shape.members, sum(shape.level_counts), _LEVEL_WIDTH, generator=generator)
        # A level that was never seen lies in the middle of the others.
        levels[:, self.offsets[0].flatten()] = 0.0
        self.levels = nn.Parameter(levels)
        if shape.embedding == "periodic":
            size = (shape.members, shape.numbers, _FREQUENCIES)
            self.frequencies = nn.Parameter(_FREQUENCY_STD * torch.randn(size, generator=generator))
            width = 2 * _FREQUENCIES
            self.periodic = self._drawn(generator, shape.numbers, width, _PERIODIC_WIDTH, bound=1 / math.sqrt(width))

    def _make_norms(self) -> None:
        hidden = self.shape.hidden if self.shape.batch_norm else ()
        members = self.shape.members
        self.norm_scales = nn.ParameterList(nn.Parameter(torch.ones(members * width)) for width in hidden)
        self.norm_shifts = nn.ParameterList(nn.Parameter(torch.zeros(members * width)) for width in hidden)
        for i, width in enumerate(hidden):
            self.register_buffer(f"mean_{i}", torch.zeros(members * width))
            self.register_buffer(f"variance_{i}", torch.ones(members * width))

    def fixed(self, numbers: torch.Tensor, flags: torch.Tensor) -> torch.Tensor:
        """Return the inputs that nothing is learned about: numbers, flags, and the piecewise-linear encoding.

        Parameters
        ----------
        numbers, flags : torch.Tensor, shape (members or 1, rows, numbers) and (members or 1, rows, flags)
            Encoded rows.

        Returns
        -------
        torch.Tensor, shape (members or 1, rows, inputs)
        """
        parts = [numbers, flags]
        if self.shape.embedding == "piecewise_linear":
            pieces = ((numbers.unsqueeze(-1) - self.low) / self.widths).clamp_(0.0, 1.0)
            parts.append(pieces.flatten(-2).index_select(-1, self.used))
        return torch.cat(parts, dim=-1)

    def forward(self, fixed: torch.Tensor, numbers: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return what each network predicts of the standardised target.

        Parameters
        ----------
        fixed, numbers, codes : torch.Tensor, shape (members, rows, ...)
            What `fixed` returned, and the numbers and codes that it came from.

        Returns
        -------
        torch.Tensor, shape (members, rows)
        """
        shape = self.shape
        x = fixed
        if shape.level_counts:
            levels = functional.embedding(codes + self.offsets, self.levels.flatten(0, 1))
            x = torch.cat([x, levels.flatten(2)], dim=2)
        if shape.embedding == "periodic":
            x = torch.cat([x, self._waves(numbers)], dim=2)
        activation = ACTIVATIONS[shape.activation]
        last = len(self.weights) - 1
        for i in range(last):
            x = torch.baddbmm(self.biases[i], x, self.weights[i])
            if shape.batch_norm:
                x = self._normalised(i, x)
            x = activation(x)
            if shape.dropout:
                x = _thinned(x, shape.dropout) if self.training else x
        return torch.baddbmm(self.biases[last], x, self.weights[last]).squeeze(2)

    def _waves(self, numbers: torch.Tensor) -> torch.Tensor:
        angles = (2 * math.pi) * numbers.unsqueeze(3) * self.frequencies.unsqueeze(1)
        waves = torch.cat([angles.sin(), angles.cos()], dim=3)
        return torch.einsum("mrnk,mnkw->mrnw", waves, self.periodic).flatten(2)

    def _normalised(self, i: int, x: torch.Tensor) -> torch.Tensor:
        members, rows, width = x.shape
        flat = x.transpose(0, 1).reshape(rows, members * width)
        normalised = functional.batch_norm(
            flat,
            getattr(self, f"mean_{i}"),
            getattr(self, f"variance_{i}"),
            self.norm_scales[i],
            self.norm_shifts[i],
            training=self.training,
            momentum=_NORM_MOMENTUM,
        )
        return normalised.reshape(rows, members, width).transpose(0, 1)


def _thinned(x: torch.Tensor, share: float) -> torch.Tensor:
    """Return `x` with a random share of its values set to zero and the others made larger by as much.

    Sixteen random bits decide about a value: on a processor that takes a fraction of the time of torch's own dropout,
    which would otherwise be among the longest parts of a step.
    """
    draws = torch.empty(-(-x.numel() // 4), dtype=torch.int64, device=x.device).random_(-(2**63), None)
    bits = draws.view(torch.int16)[: x.numel()].view_as(x)
    return x * (bits >= round(share * 2**16) - 2**15).to(x.dtype).mul_(1 / (1 - share))


def quantile_edges(numbers: torch.Tensor, bins: int) -> torch.Tensor:
    """Return the edges of as many bins as asked, with about as many training rows in each.

    Parameters
    ----------
    numbers : torch.Tensor, shape (rows, numbers)
        Training rows.
    bins : int
        How many.

    Returns
    -------
    torch.Tensor, shape (numbers, bins + 1)
        Rising; equal neighbours where a value is frequent, or where there are fewer distinct values than edges.
    """
    edges = torch.empty(numbers.shape[1], bins + 1)
    positions = torch.linspace(0, 1, bins + 1, dtype=torch.float64)
    for i, column in enumerate(numbers.double().unbind(1)):
        distinct = torch.unique(column)
        if len(distinct) <= bins + 1:
            edges[i] = distinct[-1]
            edges[i, : len(distinct)] = distinct
        else:
            ordered = column.sort().values
            edges[i] = ordered[(positions * (len(ordered) - 1)).round().long()]
    return edges
