"""`BatchNormalization`: every channel to mean 0 and variance 1, over the batch."""

from __future__ import annotations

import math
from typing import Any

import torch

from ramify.errors import ArgumentError
from ramify.layers.arguments import own_arguments
from ramify.layers.input_spec import InputSpec
from ramify.layers.normalization.affine import Affine
from ramify.layers.normalization.layout import ChannelView, checked_axis
from ramify.layers.normalization.moments import replicas, weighted_moments
from ramify.registry import serializable


@serializable("keras.layers")
class BatchNormalization(Affine):
    """``gamma * (x - mean) / sqrt(variance + epsilon) + beta`` for every channel.

    While training, mean and (biased) variance are those of the batch, and moving averages of both are kept; otherwise,
    and where `trainable` is false, the moving averages are used.

    Source: Ioffe & Szegedy, 2015, https://arxiv.org/abs/1502.03167.

    Args:
        axis: the axis of the channels.
        momentum: share of the moving averages that a step keeps: ``new = momentum * old + (1 - momentum) * batch``.
            torch's momentum is one minus this.
        epsilon: keeps the division finite.
        center: whether to add `beta`.
        scale: whether to multiply by `gamma`.
        beta_initializer: how beta, of shape ``(channels,)``, starts.
        gamma_initializer: how gamma starts.
        moving_mean_initializer: how the moving mean starts.
        moving_variance_initializer: how the moving variance starts.
        beta_regularizer: penalty on beta.
        gamma_regularizer: penalty on gamma.
        beta_constraint: applied to beta after every update.
        gamma_constraint: applied to gamma after every update.
        renorm: whether a batch is brought to the statistics that were seen so far, which helps where batches are small
            (Ioffe, 2017, https://arxiv.org/abs/1702.03275).
        renorm_clipping: limits of that correction: ``rmin`` and ``rmax`` of its factor, ``dmax`` of its offset; none
            when not given.
        renorm_momentum: the `momentum` of the statistics for it.
        synchronized: whether the statistics are those of the batches of all processes of `torch.distributed` together.

    Call arguments:
        inputs: tensor with at least two axes.
        training: whether to use the batch's statistics.
        mask: booleans over the first axes of the input; what is masked does not count for the statistics.

    Shapes:
        any -> the same.

    Raises:
        ArgumentError: `renorm_clipping` names something else.
        ShapeError: no such axis, or its size is unknown.

    Example:

    >>> layer = BatchNormalization(momentum=0.9)
    >>> _ = layer(torch.tensor([[1.0], [3.0]]), training=True)
    >>> layer.moving_mean.numpy(), layer.moving_variance.numpy()
    (array([0.2], dtype=float32), array([1.], dtype=float32))
    """

    momentum: float
    moving_stddev: Any
    renorm_mean: Any
    renorm_stddev: Any
    renorm_momentum: float
    synchronized: bool

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(own_arguments(locals()), kwargs)
        self.renorm_clipping = dict(renorm_clipping or {}) if renorm else renorm_clipping
        if renorm and set(self.renorm_clipping) - {"rmin", "rmax", "dmax"}:
            raise ArgumentError(f"renorm_clipping takes 'rmin', 'rmax' and 'dmax', but received {renorm_clipping!r}.")
        self.axis = int(axis)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        """Make gamma, beta and the moving averages for the channels."""
        channels = checked_axis(self.axis, tuple(input_shape), self.describe())
        # The kernels take half precision inputs with statistics and weights in float32.
        self.add_affine((channels,), scale=self.scale, center=self.center, autocast=False)
        self.moving_mean = self.add_weight(
            (channels,), self.moving_mean_initializer, trainable=False, autocast=False, name="moving_mean"
        )
        self.moving_variance = self.add_weight(
            (channels,), self.moving_variance_initializer, trainable=False, autocast=False, name="moving_variance"
        )
        if self.renorm:
            for name, start in (("moving_stddev", "ones"), ("renorm_mean", "zeros"), ("renorm_stddev", "ones")):
                setattr(self, name, self.add_weight((channels,), start, trainable=False, autocast=False, name=name))
        self._view = ChannelView(len(input_shape), self.axis)
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(
        self, inputs: torch.Tensor, training: bool | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """The normalized input."""
        view = self._view
        if training and self._trainable:
            if mask is not None or self.renorm or (self.synchronized and replicas() > 1):
                return self._weighted(inputs, mask)
            return view.leave(self._on_batch(view.enter(inputs)), inputs)
        variance = self._buffers["moving_variance"]
        if view.image:
            return self._kernel(inputs.permute(0, 3, 1, 2), variance).permute(0, 2, 3, 1)
        return view.leave(self._kernel(view.enter(inputs), variance), inputs)

    def _kernel(self, x: torch.Tensor, variance: torch.Tensor | None, training: bool = False) -> torch.Tensor:
        # An attribute that torch has to look for costs a microsecond, as much as a view: so the dicts are asked.
        own = self._parameters
        return torch.batch_norm(
            x,
            own["gamma"] if "gamma" in own else self.gamma,  # noqa: SIM401 - the default would be looked up first
            own["beta"] if "beta" in own else self.beta,  # noqa: SIM401 - as above
            self._buffers["moving_mean"],
            variance,
            training,
            1 - self.momentum,
            self.epsilon,
            torch.backends.cudnn.enabled,
        )

    def _on_batch(self, x: torch.Tensor) -> torch.Tensor:
        """Normalize by the batch's statistics, and move the averages.

        The kernel moves the variance towards that of the population, `n / (n - 1)` times the batch's own, which is what
        Keras keeps. The update is linear: done on a moving variance scaled by the same factor, it gives the wanted one
        times that factor. The scaled copy also keeps autograd from noticing that the average changes.
        """
        variance = self.moving_variance
        count = x.numel() // max(x.shape[1], 1)
        if count > 1:
            scaled = variance * (count / (count - 1))
            y = self._kernel(x, scaled, True)
            torch.mul(scaled, (count - 1) / count, out=variance)
            return y
        if count == 0:
            return self._kernel(x, variance)
        y = self._kernel(x, variance.clone(), True)
        variance.mul_(self.momentum)  # one number has variance 0
        return y

    def _weighted(self, inputs: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
        """The same in plain operations, for statistics that are not simply those of the batch at hand."""
        wide = inputs.float() if inputs.dtype in (torch.float16, torch.bfloat16) else inputs
        mean, variance = weighted_moments(wide, self._view.axis, mask, together=self.synchronized and replicas() > 1)
        factor, offset = torch.rsqrt(variance + self.epsilon), None
        if self.renorm:
            kept = self.renorm_mean.dtype
            share, offset = self._correction(mean.detach().to(kept), (1 / factor.detach()).to(kept))
            factor = factor * share
        self.moving_mean.lerp_(mean.detach().to(self.moving_mean.dtype), 1 - self.momentum)
        if not self.renorm:
            self.moving_variance.lerp_(variance.detach().to(self.moving_variance.dtype), 1 - self.momentum)
        if self.gamma is not None:
            factor, offset = factor * self.gamma, None if offset is None else offset * self.gamma
        sizes = [-1 if axis == self._view.axis else 1 for axis in range(inputs.ndim)]
        y = (wide - mean.view(sizes)) * factor.view(sizes)
        if offset is not None:
            y = y + offset.view(sizes)
        if self.beta is not None:
            y = y + self.beta.view(sizes)
        return y.to(inputs.dtype)

    def _correction(self, mean: torch.Tensor, stddev: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """What brings a batch to the statistics so far, a factor and an offset; the statistics then follow."""
        clip = self.renorm_clipping
        share = (stddev / self.renorm_stddev).clamp(clip.get("rmin", 0.0), clip.get("rmax"))
        most = clip.get("dmax", math.inf)
        offset = ((mean - self.renorm_mean) / self.renorm_stddev).clamp(-most, most)
        self.renorm_mean.lerp_(mean, 1 - self.renorm_momentum)
        self.renorm_stddev.lerp_(stddev, 1 - self.renorm_momentum)
        self.moving_stddev.lerp_(stddev, 1 - self.momentum)
        self.moving_variance.copy_(self.moving_stddev.square() - self.epsilon)
        return share, offset
