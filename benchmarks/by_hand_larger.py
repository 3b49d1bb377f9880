"""The models of `architectures.py` as a PyTorch engineer writes them."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from architectures import CLASSES


class Siamese(nn.Module):
    """One tower over two inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.dense1, self.dense2, self.dense3 = nn.Linear(64, 64), nn.Linear(64, 64), nn.Linear(64, 32)
        self.head = nn.Linear(32, CLASSES)

    def tower(self, x: Tensor) -> Tensor:
        """(batch, 64) -> (batch, 32)."""
        return self.dense3(F.relu(self.dense2(F.relu(self.dense1(x)))))

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        """Two of (batch, 64) -> (batch, 10)."""
        distance = self.tower(a) - self.tower(b)
        return self.head(distance * distance)


class Branching(nn.Module):
    """Two inputs, two outputs."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right, self.joint = nn.Linear(64, 64), nn.Linear(32, 64), nn.Linear(128, 64)
        self.head0, self.head1 = nn.Linear(64, CLASSES), nn.Linear(64, CLASSES)

    def forward(self, a: Tensor, b: Tensor) -> list[Tensor]:
        """(batch, 64), (batch, 32) -> two of (batch, 10)."""
        x = F.relu(self.joint(torch.cat((F.relu(self.left(a)), F.relu(self.right(b))), -1)))
        return [self.head0(x), self.head1(x)]


class WideAndDeep(nn.Module):
    """A linear part beside a deep one."""

    def __init__(self) -> None:
        super().__init__()
        self.deep0, self.deep1, self.deep2 = nn.Linear(256, 256), nn.Linear(256, 128), nn.Linear(128, 64)
        self.head = nn.Linear(320, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 256) -> (batch, 10)."""
        y = F.relu(self.deep2(F.relu(self.deep1(F.relu(self.deep0(x))))))
        return self.head(torch.cat((x, y), -1))


class Thousand(nn.Module):
    """A chain of 1,000 layers."""

    def __init__(self) -> None:
        super().__init__()
        for i in range(1_000):
            self.add_module(f"dense{i}", nn.Linear(8, 8))
        self.chain = [module for module in self.children() if isinstance(module, nn.Linear)]
        self.head = nn.Linear(8, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 8) -> (batch, 10)."""
        skip = x
        for i, dense in enumerate(self.chain):
            x = dense(x)
            if i % 10 == 9:
                x = skip = x + skip
        return self.head(x)


class Conv(nn.Module):
    """Convolution and batch normalization, padded as Keras's "same" is."""

    def __init__(self, channels: int, filters: int, size: int, strides: int = 1) -> None:
        super().__init__()
        # With stride 2 and an even image, "same" pads one less before than after.
        lopsided = strides == 2 and size > 1
        self.pads = ((size - 2) // 2, (size - 1) // 2) * 2 if lopsided else None
        self.conv = nn.Conv2d(channels, filters, size, strides, padding=0 if lopsided else size // 2, bias=False)
        self.norm = nn.BatchNorm2d(filters, eps=1e-3, momentum=0.01)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, filters, height / strides, width / strides)."""
        return self.norm(self.conv(x if self.pads is None else F.pad(x, self.pads)))


class Inception(nn.Module):
    """Three blocks of four arms."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Conv(3, 32, 3)
        channels = 32
        for i in range(3):
            for name, inputs, filters, size in (
                ("one", channels, 32, 1), ("three0", channels, 32, 1), ("three1", 32, 32, 3),
                ("five0", channels, 16, 1), ("five1", 16, 32, 5), ("pool", channels, 32, 1),
            ):  # fmt: skip
                self.add_module(f"b{i}_{name}", Conv(inputs, filters, size))
            channels = 128
        self.head = nn.Linear(128, CLASSES)
        self.to(memory_format=torch.channels_last)

    def arm(self, x: Tensor, i: int, *names: str) -> Tensor:
        """Some convolutions of a block, one after the other."""
        for name in names:
            x = F.relu(getattr(self, f"b{i}_{name}")(x))
        return x

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 32, 32, 3) -> (batch, 10)."""
        x = F.relu(self.stem(x.permute(0, 3, 1, 2)))
        for i in range(3):
            pooled = F.max_pool2d(x, 3, 1, 1)
            arms = (self.arm(x, i, "one"), self.arm(x, i, "three0", "three1"), self.arm(x, i, "five0", "five1"))
            x = F.max_pool2d(torch.cat((*arms, self.arm(pooled, i, "pool")), 1), 2)
        return self.head(x.mean((2, 3)))


class Bottleneck(nn.Module):
    """The residual block of ResNet-50."""

    def __init__(self, channels: int, filters: int, strides: int, *, first: bool) -> None:
        super().__init__()
        self.a, self.b, self.c = (
            Conv(channels, filters, 1),
            Conv(filters, filters, 3, strides),
            Conv(filters, 4 * filters, 1),
        )
        if first:
            self.d = Conv(channels, 4 * filters, 1, strides)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, channels, height, width) -> (batch, 4 * filters, height / strides, width / strides)."""
        y = self.c(F.relu(self.b(F.relu(self.a(x)))))
        return F.relu(y + (self.d(x) if hasattr(self, "d") else x))


class ResNet50(nn.Module):
    """ResNet-50."""

    def __init__(self) -> None:
        super().__init__()
        self.stem, channels = Conv(3, 64, 7, 2), 64
        for stage, (filters, blocks) in enumerate(((64, 3), (128, 4), (256, 6), (512, 3))):
            for block in range(blocks):
                strides = 2 if stage and not block else 1
                self.add_module(f"s{stage}b{block}", Bottleneck(channels, filters, strides, first=not block))
                channels = 4 * filters
        self.blocks = [module for module in self.children() if isinstance(module, Bottleneck)]
        self.head = nn.Linear(2_048, CLASSES)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 224, 224, 3) -> (batch, 10)."""
        x = F.relu(self.stem(x.permute(0, 3, 1, 2)))
        x = F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=float("-inf")), 3, 2)
        for block in self.blocks:
            x = block(x)
        return self.head(x.mean((2, 3)))


class UNet(nn.Module):
    """A U-Net of three levels."""

    def __init__(self) -> None:
        super().__init__()
        self.down0a, self.down0b, self.down1a, self.down1b = (
            Conv(3, 16, 3),
            Conv(16, 16, 3),
            Conv(16, 32, 3),
            Conv(32, 32, 3),
        )
        self.middle = Conv(32, 64, 3)
        self.up1a, self.up1b, self.up0a, self.up0b = Conv(96, 32, 3), Conv(32, 32, 3), Conv(48, 16, 3), Conv(16, 16, 3)
        self.head = nn.Conv2d(16, CLASSES, 1)
        self.to(memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:
        """(batch, 64, 64, 3) -> (batch, 64, 64, 10)."""
        high = F.relu(self.down0b(F.relu(self.down0a(x.permute(0, 3, 1, 2)))))
        low = F.relu(self.down1b(F.relu(self.down1a(F.max_pool2d(high, 2)))))
        x = F.relu(self.middle(F.max_pool2d(low, 2)))
        x = F.relu(self.up1b(F.relu(self.up1a(torch.cat((F.interpolate(x, scale_factor=2), low), 1)))))
        x = F.relu(self.up0b(F.relu(self.up0a(torch.cat((F.interpolate(x, scale_factor=2), high), 1)))))
        return self.head(x).permute(0, 2, 3, 1)


LARGER: dict[str, type[nn.Module]] = {
    "siamese": Siamese, "branching": Branching, "wide_deep": WideAndDeep, "thousand": Thousand,
    "inception": Inception, "resnet50": ResNet50, "unet": UNet,
}  # fmt: skip
