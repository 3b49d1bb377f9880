"""Connectionist temporal classification: label sequences whose alignment with the output is unknown.

Source: Graves et al., 2006, "Connectionist temporal classification", ICML.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F

from ramify.errors import ArgumentError, ShapeError
from ramify.ops.convert import like, wide
from ramify.ops.op import op

__all__ = ["ctc_decode", "ctc_loss"]

Tensor = torch.Tensor
_NEVER = float("-inf")


@op
def ctc_loss(target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0) -> Tensor:
    """Minus the log-likelihood of a label sequence, over all its alignments.

    Args:
        target: class numbers of shape ``(batch, labels)``.
        output: logits of shape ``(batch, steps, classes)``.
        target_length: how many labels count, shape ``(batch,)``.
        output_length: how many steps count, shape ``(batch,)``.
        mask_index: the class that stands for no label.

    Returns:
        A tensor of shape ``(batch,)``.

    >>> ctc_loss(torch.tensor([[1]]), torch.zeros(1, 2, 2), torch.tensor([1]), torch.tensor([2]))
    tensor([0.2877])
    """
    target, output, labels, steps = like(target, output, target_length, output_length)
    if target.ndim != 2 or output.ndim != 3:
        shapes = f"{tuple(target.shape)} and {tuple(output.shape)}"
        raise ShapeError(f"ctc_loss takes (batch, labels) and (batch, steps, classes), but received {shapes}.")
    likely = torch.log_softmax(wide(output), -1).transpose(0, 1)
    if likely.device.type == "meta":  # where torch's kernel does not exist
        return likely.new_empty(likely.shape[1])
    return F.ctc_loss(likely, target.long(), steps.long(), labels.long(), blank=mask_index, reduction="none")


@op
def ctc_decode(
    inputs: Any,
    sequence_lengths: Any,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int = 0,
) -> tuple[Tensor, Tensor]:
    """The label sequences that an output stands for most likely.

    Args:
        inputs: logits of shape ``(batch, steps, classes)``.
        sequence_lengths: how many steps count, shape ``(batch,)``.
        strategy: ``"greedy"`` takes the best class of each step; ``"beam_search"`` adds up all alignments of the
            likeliest label sequences, on the CPU.
        beam_width: how many sequences the beam search follows.
        top_paths: how many it returns.
        merge_repeated: whether, in the greedy strategy, a class that comes several times in a row counts once.
        mask_index: the class that stands for no label.

    Returns:
        ``(labels, scores)``: class numbers, filled up with -1, int32 of shape ``(paths, batch, steps)``, and shape
        ``(batch, paths)``: minus the sum of the chosen logits (greedy), or the log-likelihoods (beam search).

    Raises:
        ArgumentError: another strategy.

    Source:
        Hannun et al., 2014, "First-pass large vocabulary continuous speech recognition", for the beam search.

    >>> ctc_decode(torch.tensor([[[0.0, 5.0], [0.0, 5.0], [5.0, 0.0]]]), torch.tensor([3]))[0].tolist()
    [[[1, -1, -1]]]
    """
    x, lengths = like(inputs, sequence_lengths)
    x = wide(x)
    if strategy == "greedy":
        return _greedy(x, lengths, merge_repeated, mask_index)
    if strategy != "beam_search":
        raise ArgumentError(f"ctc_decode knows strategy='greedy' and strategy='beam_search', but got {strategy!r}.")
    batch, steps, _ = x.shape
    labels = torch.full((top_paths, batch, steps), -1, dtype=torch.int32)
    scores = torch.full((batch, top_paths), _NEVER, dtype=x.dtype)
    if x.device.type == "meta":
        return labels.to(x.device), scores.to(x.device)
    likely = torch.log_softmax(x.detach().double().cpu(), -1)
    for i, length in enumerate(lengths.tolist()):
        for path, (prefix, score) in enumerate(_searched(likely[i, :length], beam_width, top_paths, mask_index)):
            labels[path, i, : len(prefix)] = torch.tensor(prefix, dtype=torch.int32)
            scores[i, path] = score
    return labels.to(x.device), scores.to(x.device)


def _greedy(x: Tensor, lengths: Tensor, merge_repeated: bool, blank: int) -> tuple[Tensor, Tensor]:
    best, chosen = x.max(-1)
    place = torch.arange(x.shape[1], device=x.device)
    valid = place < lengths.unsqueeze(1)
    keep = valid & (chosen != blank)
    if merge_repeated:
        repeated = chosen[:, 1:] == chosen[:, :-1]
        keep = keep & ~F.pad(repeated, (1, 0), value=False)
    order = torch.where(keep, place, x.shape[1]).argsort(dim=-1, stable=True)
    labels = torch.where(keep, chosen, -1).gather(1, order)
    return labels.int().unsqueeze(0), -torch.where(valid, best, 0.0).sum(-1, keepdim=True)


def _searched(likely: Tensor, width: int, paths: int, blank: int) -> list[tuple[tuple[int, ...], float]]:
    """The likeliest label sequences of one sample ``(steps, classes)``, each with its log-likelihood.

    Per sequence there are two numbers: how likely its alignments are that end in the blank, and those that do not.
    """
    beam: list[tuple[int, ...]] = [()]
    ended = torch.zeros(1, dtype=likely.dtype)
    open_ = torch.full((1,), _NEVER, dtype=likely.dtype)
    for step in likely:
        total = torch.logaddexp(ended, open_)
        longer = total.unsqueeze(1) + step  # by one label more
        stay = torch.full_like(open_, _NEVER)
        place = {prefix: i for i, prefix in enumerate(beam)}
        for i, prefix in enumerate(beam):
            if not prefix:
                continue
            longer[i, prefix[-1]] = ended[i] + step[prefix[-1]]  # a label repeats only across a blank
            stay[i] = open_[i] + step[prefix[-1]]
        longer[:, blank] = _NEVER
        for i, prefix in enumerate(beam):
            parent = place.get(prefix[:-1]) if prefix else None
            if parent is not None:  # also reached by its parent, which is in the beam
                stay[i] = torch.logaddexp(stay[i], longer[parent, prefix[-1]])
                longer[parent, prefix[-1]] = _NEVER
        kept = total + step[blank]
        both = torch.cat([torch.logaddexp(kept, stay), longer.flatten()])
        values, chosen = both.topk(min(width, len(both)))
        chosen = chosen[values > _NEVER]
        size, classes = len(beam), step.shape[0]
        ended = torch.cat([kept, torch.full_like(both[size:], _NEVER)])[chosen]
        open_ = torch.cat([stay, both[size:]])[chosen]
        beam = [beam[i] if i < size else (*beam[(i - size) // classes], (i - size) % classes) for i in chosen.tolist()]
    values = torch.logaddexp(ended, open_)
    order = values.argsort(descending=True)[:paths].tolist()
    return [(beam[i], float(values[i])) for i in order]
