"""The models of `workloads.py` as a PyTorch engineer writes them: the same functions, with no framework in between.

Images come as (batch, height, width, channels) and are viewed as channels-last memory, which is PyTorch's fast layout.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from by_hand_larger import LARGER
from workloads import CLASSES, VOCABULARY


class MLP(nn.Module):
    """784-64-64-10."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1, self.dense2, self.head = nn.Linear(784, 64), nn.Linear(64, 64), nn.Linear(64, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 784) -> (batch, 10)."""
        x = F.relu(self.dense1(x))
        x = F.relu(self.dense2(x))
        return self.head(x)


def norm(channels: int) -> nn.BatchNorm2d:
    """Batch normalization with the constants of Keras."""
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class Block(nn.Module):
    """The residual block of ResNet-20."""

    def __init__(self, channels: int, filters: int, strides: int) -> None:
        super().__init__()
        # Keras's "same" padding of a 3x3 convolution with stride 2 is (0, 1); `padding=1` is another function.
        self.halve = strides == 2
        self.conv1 = nn.Conv2d(channels, filters, 3, strides, padding=0 if self.halve else 1, bias=False)
        self.norm1 = norm(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, padding=1, bias=False)
        self.norm2 = norm(filters)
        if self.halve:
            self.conv0 = nn.Conv2d(channels, filters, 1, strides, bias=False)
            self.norm0 = norm(filters)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, filters, height / strides, width / strides)."""
        y = F.relu(self.norm1(self.conv1(F.pad(x, (0, 1, 0, 1)) if self.halve else x)))
        y = self.norm2(self.conv2(y))
        return F.relu(y + (self.norm0(self.conv0(x)) if self.halve else x))


class ResNet20(nn.Module):
    """ResNet-20 for 32x32 images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 16, 3, padding=1, bias=False), norm(16)
        channels = 16
        for stage, filters in enumerate((16, 32, 64)):
            for block in range(3):
                self.add_module(f"block{stage}{block}", Block(channels, filters, 2 if stage and not block else 1))
                channels = filters
        self.blocks = [module for module in self.children() if isinstance(module, Block)]
        self.head = nn.Linear(64, CLASSES)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 32, 32, 3) -> (batch, 10)."""
        x = F.relu(self.norm(self.conv(x.permute(0, 3, 1, 2))))
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


class Attention(nn.Module):
    """Self-attention with one projection for queries, keys and values."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.project, self.output = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, 256) -> the same."""
        q, k, v = self.project(x).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind()
        return self.output(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class Encoder(nn.Module):
    """A pre-norm encoder block."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.attention = nn.LayerNorm(width), Attention(width, heads)
        self.norm2 = nn.LayerNorm(width)
        self.dense1, self.dense2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens, 256) -> the same."""
        x = x + self.attention(self.norm1(x))
        return x + self.dense2(F.gelu(self.dense1(self.norm2(x))))


class Transformer(nn.Module):
    """Encoder blocks over tokens."""

    def __init__(self, blocks: int = 4, width: int = 256, heads: int = 8) -> None:
        super().__init__()
        self.embedding = nn.Embedding(VOCABULARY, width)
        for i in range(blocks):
            self.add_module(f"block{i}", Encoder(width, heads))
        self.blocks = [module for module in self.children() if isinstance(module, Encoder)]
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, tokens) -> (batch, 10)."""
        x = self.embedding(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))


class LSTM(nn.Module):
    """The last state of an LSTM, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.head = nn.LSTM(64, 128, batch_first=True), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, 64) -> (batch, 10)."""
        _, (last, _) = self.lstm(x)
        return self.head(last[0])


class GRU(nn.Module):
    """The last state of a GRU, and a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.gru, self.head = nn.GRU(64, 128, batch_first=True), nn.Linear(128, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, steps, 64) -> (batch, 10)."""
        _, last = self.gru(x)
        return self.head(last[0])


MODELS: dict[str, Callable[[], nn.Module]] = {
    "mlp": MLP, "resnet20": ResNet20, "transformer": Transformer, "lstm": LSTM, "gru": GRU,
    "transformer12": partial(Transformer, 12, 768, 12), **LARGER,
}  # fmt: skip


def to_torch(module: nn.Module, weights: list[Tensor]) -> list[Tensor]:
    """The weights of a Keras layer in the order and the layout of its PyTorch twin."""
    match module:
        case nn.Linear():
            return [weights[0].T, weights[1]]
        case nn.Conv2d():
            return [weights[0].permute(3, 2, 0, 1), *weights[1:]]
        case nn.LSTM():
            kernel, recurrent, bias = weights
            return [kernel.T, recurrent.T, bias, torch.zeros_like(bias)]
        case nn.GRU():  # torch has the reset gate before the update gate
            swapped = [torch.cat([part.chunk(3, -1)[i] for i in (1, 0, 2)], -1) for part in weights]
            return [swapped[0].T, swapped[1].T, *swapped[2]]
        case Attention():
            kernels = [kernel.flatten(1).T for kernel in weights[:6:2]]
            biases = [bias.flatten() for bias in weights[1:6:2]]
            return [torch.cat(kernels), torch.cat(biases), weights[6].flatten(0, 1).T, weights[7]]
        case _:
            return weights


@torch.no_grad()
def copy_weights(source: Any, target: nn.Module) -> None:
    """Gives a hand-written model the weights of the Ramify or Keras model of the same workload."""
    inside = [inner for layer in source.layers for inner in getattr(layer, "layers", [layer])]
    known = {layer.name: layer for layer in inside}
    for path, module in target.named_modules():
        if (name := path.replace(".", "_")) in known:
            weights = [torch.from_numpy(array) for array in known[name].get_weights()]
            own = [*module.parameters(), *(b for b in module.buffers() if b.ndim)]
            for parameter, value in zip(own, to_torch(module, weights), strict=True):
                parameter.copy_(value)
