"""An optimizer that has trained a part of a model takes on the rest, and loses nothing."""

from __future__ import annotations

import functools

import numpy as np
import pytest
import torch

import ramify
from ramify import layers, optimizers
from ramify.errors import ArgumentError

RNG = np.random.default_rng(0)
X = RNG.random((24, 4), dtype=np.float32)
Y = X.sum(1, keepdims=True)
KINDS = {
    "SGD": lambda: optimizers.SGD(0.01, momentum=0.9),
    "Adam": lambda: optimizers.Adam(0.01, amsgrad=True),
    "Adafactor": lambda: optimizers.Adafactor(0.01),
    "Muon": lambda: optimizers.Muon(0.01),
    "averages": lambda: optimizers.Adam(0.01, use_ema=True, gradient_accumulation_steps=2),
    "scaled": lambda: optimizers.LossScaleOptimizer(optimizers.RMSprop(0.01), 4.0),
    "several": lambda: optimizers.MultiOptimizer(Chosen()),
    "torch": lambda: functools.partial(torch.optim.Adam, lr=0.01),
}


class Chosen:
    """Matrices go to one optimizer, the rest to another."""

    def __init__(self):
        self.parts = optimizers.Adam(0.01), optimizers.SGD(0.01, momentum=0.9)

    def __call__(self, variable):
        return self.parts[variable.ndim < 2]


def frozen(kind):
    """A model whose first layer was frozen while it was trained, and what its optimizer knows of the others."""
    ramify.utils.set_random_seed(1)
    x = ramify.Input((4,))
    first = layers.Dense(3, name="first")
    model = ramify.Model(x, layers.Dense(1, name="last")(first(x)))
    first.trainable = False
    model.compile(KINDS[kind](), "mse")
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    return model, first


def state_of(optimizer):
    """Variable -> numbers of its state, in the order in which they were made."""
    parts = [optimizer, *getattr(optimizer, "optimizers", ()), getattr(optimizer, "inner_optimizer", None)]
    found = {}
    for part in filter(None, parts):
        for state, variable in part._references:
            found.setdefault(id(variable), []).append(state.detach().clone())
        inner = getattr(part, "optimizer", None)
        for variable, slots in inner.state.items() if inner is not None else ():
            found.setdefault(id(variable), []).extend(value.clone() for value in slots.values())
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_thawed_weights_move_and_the_state_of_the_others_stays(kind):
    model, first = frozen(kind)
    optimizer, kernel = model.optimizer, first.kernel.detach().clone()
    before, steps = state_of(optimizer), int(optimizer.iterations)
    assert len(before) == 2
    first.trainable = True
    model.compile(optimizer, "mse")
    after = state_of(optimizer)
    assert int(optimizer.iterations) == steps > 0
    for owner, states in before.items():
        assert all(map(torch.equal, states, after[owner]))
    model.fit(X, Y, batch_size=4, epochs=2, verbose=0)
    assert len(state_of(optimizer)) == 4
    assert not torch.equal(kernel, first.kernel)
    if kind != "several":  # the files of which hold their parts one after another
        places = [id(variable) for variable in model.trainable_weights]
        built = optimizer.inner_optimizer if kind == "scaled" else optimizer
        assert [id(variable) for variable in built._variables] == places  # as a new one has it when a file is loaded


def test_it_goes_on_as_one_that_knew_them_from_the_start():
    """Weights without gradients so far: state of zeros is what they would have had."""
    model, first = frozen("SGD")
    whole = optimizers.SGD(0.01, momentum=0.9)
    weights = [first.kernel, first.bias, *model.trainable_weights]
    whole.build(weights)
    for state, variable in whole._references:
        kept = state_of(model.optimizer).get(id(variable))
        if kept:
            state.copy_(kept[0])
    start = [weight.detach().clone() for weight in weights]
    grads = [torch.ones_like(weight) for weight in weights]
    whole.apply(grads, weights)
    wanted = [weight.detach().clone() for weight in weights]
    with torch.no_grad():
        for weight, value in zip(weights, start, strict=True):
            weight.copy_(value)
    model.optimizer.extend(weights)
    model.optimizer.apply(grads, weights)
    assert all(map(torch.equal, wanted, weights))


def test_averages_of_new_weights_begin_where_these_are():
    model, first = frozen("averages")
    first.trainable = True
    model.compile(model.optimizer, "mse")
    averages = {id(variable): average for variable, average in model.optimizer.averages}
    assert torch.equal(averages[id(first.kernel)], first.kernel)


def test_an_optimizer_that_cannot_stays_what_it_was():
    one, two = (torch.nn.Parameter(torch.ones(2)) for _ in range(2))
    optimizer = optimizers.TorchOptimizer(torch.optim.SGD([one], lr=0.1))
    optimizer.build([one])
    with pytest.raises(ArgumentError, match="made for other parameters"):
        optimizer.extend([one, two])
    optimizer.apply([torch.ones(2)], [one])
    assert torch.allclose(one, torch.full((2,), 0.9))
    with pytest.raises(ArgumentError, match=r"not built for the variable.*extend"):
        optimizer.apply([torch.ones(2)], [two])


def test_the_optimizer_of_another_model_is_refused_as_before():
    model, _ = frozen("Adam")
    x = ramify.Input((4,))
    other = ramify.Model(x, layers.Dense(1)(x))
    other.compile(model.optimizer, "mse")
    with pytest.raises(ArgumentError, match="for another model make a new optimizer"):
        other.fit(X, Y, verbose=0)
