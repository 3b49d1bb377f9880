"""Callbacks of one's own: one that keeps the best weights, one that watches gradients, and a function as a callback.

Run it with ``python examples/custom_callbacks.py``.
"""

from __future__ import annotations

from typing import Any

from sklearn.datasets import load_wine
from sklearn.preprocessing import scale

import ramify
from ramify import Input, Model, layers
from ramify.callbacks import Callback, LambdaCallback


class KeepBest(Callback):
    """Goes back to the weights of the best epoch when training ends."""

    def __init__(self, monitor: str = "val_loss") -> None:
        super().__init__()
        self.monitor, self.best, self.epoch = monitor, float("inf"), -1
        self.weights: list[Any] = []

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Compare, and remember."""
        if logs[self.monitor] < self.best:
            self.best, self.epoch = logs[self.monitor], epoch
            self.weights = self.model.get_weights()

    def on_train_end(self, logs: Any = None) -> None:
        """Go back."""
        self.model.set_weights(self.weights)


class GradientNorms(Callback):
    """Notes how long the gradient is after each batch; the gradients still stand on the weights then."""

    def __init__(self) -> None:
        super().__init__()
        self.norms: list[float] = []

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Measure."""
        squares = [weight.grad.square().sum() for weight in self.model.trainable_weights if weight.grad is not None]
        self.norms.append(float(sum(squares)) ** 0.5)


def main() -> tuple[float, float]:
    """Train too long on purpose, and come back."""
    ramify.utils.set_random_seed(0)
    x, y = load_wine(return_X_y=True)
    x = scale(x).astype("float32")
    train, held_out = (x[::2], y[::2]), (x[1::2], y[1::2])

    inputs = Input((13,))
    model = Model(inputs, layers.Dense(3, activation="softmax")(layers.Dense(64, activation="relu")(inputs)))
    model.compile(ramify.optimizers.SGD(0.5, momentum=0.9), "sparse_categorical_crossentropy", run_eagerly=True)
    best, norms = KeepBest(), GradientNorms()
    told = LambdaCallback(on_train_begin=lambda _: print("Training begins."))
    history = model.fit(*train, validation_data=held_out, epochs=25, verbose=0, callbacks=[best, norms, told])

    last, kept = history.history["val_loss"][-1], model.evaluate(*held_out, verbose=0)
    print(f"Best epoch: {best.epoch + 1} with {best.best:.4f}; the last had {last:.4f}; the model now has {kept:.4f}")
    print(f"Gradients:  {norms.norms[0]:.3f} long at first, {norms.norms[-1]:.4f} at the end")
    return best.best, kept


if __name__ == "__main__":
    main()
