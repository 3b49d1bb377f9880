"""Losses beside their numbers: look-up, fused means, masks, structures, torch's own, errors."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ramify import losses
from ramify.errors import ArgumentError, ShapeError


@pytest.mark.parametrize(
    ("name", "kwargs", "y_true", "y_pred"),
    [
        ("MeanSquaredError", {}, torch.randn(6, 5), torch.randn(6, 5)),
        ("MeanAbsoluteError", {}, torch.randn(6, 5), torch.randn(6, 5)),
        ("Huber", {"delta": 0.5}, torch.randn(6, 5), torch.randn(6, 5)),
        ("BinaryCrossentropy", {}, torch.rand(6, 5).round(), torch.rand(6, 5)),
        ("BinaryCrossentropy", {"from_logits": True}, torch.rand(6, 5).round(), torch.randn(6, 5)),
        ("CategoricalCrossentropy", {"from_logits": True}, torch.eye(5)[[0, 3, 1]], torch.randn(3, 5)),
        ("SparseCategoricalCrossentropy", {"from_logits": True}, torch.tensor([[0, 3], [1, 1]]), torch.randn(2, 2, 5)),
    ],
)
def test_fused_means_are_the_general_ones(name, kwargs, y_true, y_pred):
    loss = getattr(losses, name)(**kwargs)
    one, two = (y_pred.clone().requires_grad_() for _ in range(2))
    fused = loss.mean_fused(y_true, one)
    assert fused is not None
    assert torch.equal(loss(y_true, one), fused)
    general = loss.call(y_true, two).mean()
    torch.testing.assert_close(fused, general, rtol=1e-6, atol=1e-6)
    fused.backward()
    general.backward()
    torch.testing.assert_close(one.grad, two.grad, rtol=1e-5, atol=1e-7)


def test_large_class_numbers_stay_whole():
    # 2**24 + 1 is no float32
    number = 2**24 + 1
    loss = losses.SparseCategoricalCrossentropy()
    assert loss._convert(torch.tensor([number]), None).tolist() == [number]


@pytest.mark.parametrize(
    ("identifier", "kind"),
    [
        ("mse", losses.MeanSquaredError),
        ("kld", losses.KLDivergence),
        ("Huber", losses.Huber),
        (losses.hinge, losses.Hinge),
        (losses.Poisson, losses.Poisson),
        (losses.Poisson(), losses.Poisson),
        ({"class_name": "Dice", "config": {"axis": 1}}, losses.Dice),
        (lambda y_true, y_pred: y_pred - y_true, losses.LossFunctionWrapper),
        (torch.nn.SmoothL1Loss(), losses.TorchLoss),
    ],
)
def test_as_loss(identifier, kind):
    assert type(losses.as_loss(identifier)) is kind


def test_names_of_functions_are_kept():
    assert losses.as_loss("mse").name == "mean_squared_error"
    assert losses.as_loss(losses.huber).name == "huber"
    assert losses.as_loss(lambda y_true, y_pred: y_pred, name="own").name == "own"
    assert losses.get(None) is losses.as_loss(None) is None


def test_unknown_losses():
    with pytest.raises(ArgumentError, match="Did you mean"):
        losses.get("mean_squared_eror")
    with pytest.raises(ArgumentError, match="no loss"):
        losses.get(3)
    with pytest.raises(ArgumentError, match="reduction"):
        losses.Hinge(reduction="median")


def test_nested_structures_reach_call():
    class Own(losses.Loss):
        def call(self, y_true, y_pred):
            assert isinstance(y_true["a"], torch.Tensor)
            return (y_true["a"] - y_pred["a"]).square() + y_pred["b"][0]

    result = Own()({"a": [1.0, 2.0]}, {"a": np.zeros(2), "b": [torch.ones(2)]})
    assert result == pytest.approx(3.5)


def test_one_weight_per_sample():
    y_pred = torch.ones(2, 3, 4)
    loss = losses.MeanSquaredError(reduction="none")
    weighted = loss(torch.zeros(2, 3, 4), y_pred, sample_weight=[1.0, 3.0])
    assert weighted.tolist() == [[1.0] * 3, [3.0] * 3]
    y_pred._ramify_mask = torch.tensor([[True, False, True], [False, False, True]])
    masked = loss(torch.zeros(2, 3, 4), y_pred, sample_weight=[1.0, 3.0])
    assert masked.tolist() == [[1.0, 0.0, 1.0], [0.0, 0.0, 3.0]]


def test_weights_that_do_not_fit():
    with pytest.raises(ShapeError, match=r"sample_weight of shape \(5,\)"):
        losses.MeanSquaredError()(torch.zeros(2, 3), torch.zeros(2, 3), sample_weight=[1.0] * 5)


def test_targets_that_do_not_fit():
    with pytest.raises(ArgumentError, match="from 0 to 7 do not fit predictions of 3 classes"):
        losses.SparseCategoricalCrossentropy(from_logits=True)(torch.tensor([0, 7]), torch.zeros(2, 3))
    with pytest.raises(ArgumentError, match="one unit per class"):
        losses.sparse_categorical_crossentropy([0, 3], torch.full((2, 3), 0.3))
    with pytest.raises(ShapeError, match="one class number per prediction"):
        losses.sparse_categorical_crossentropy(torch.eye(3), torch.full((3, 3), 0.3))
    with pytest.raises(ShapeError, match="one-hot"):
        losses.categorical_crossentropy(torch.tensor([0.0, 1.0]), torch.full((2, 3), 0.3))


@pytest.mark.parametrize(
    ("module", "y_true", "y_pred"),
    [
        (torch.nn.MSELoss(), np.ones((4, 2)), torch.zeros(4, 2)),
        (torch.nn.CrossEntropyLoss(), np.array([[0], [2]]), torch.randn(2, 3)),
        (torch.nn.CrossEntropyLoss(label_smoothing=0.1), np.array([0, 2]), torch.randn(2, 3)),
        (torch.nn.BCEWithLogitsLoss(), np.array([[0], [1]]), torch.randn(2, 1)),
        (torch.nn.L1Loss(reduction="sum"), np.ones((4, 2)), torch.zeros(4, 2)),
    ],
)
def test_torch_losses(module, y_true, y_pred):
    loss = losses.get(module)
    target = torch.tensor(y_true)
    classes = isinstance(module, torch.nn.CrossEntropyLoss)
    target = target.reshape(-1) if classes else target.to(y_pred.dtype)
    assert torch.equal(loss(y_true, y_pred), module(y_pred, target))
    nothing = loss(y_true, y_pred, sample_weight=[0.0] * len(y_true))
    assert nothing == 0
    assert module.reduction in ("mean", "sum")


def test_a_function_loss_makes_a_round_trip():
    loss = losses.LossFunctionWrapper(losses.huber, delta=0.5, name="h")
    again = losses.deserialize(losses.serialize(loss))
    assert again.get_config() == loss.get_config()
    assert again([[0.0]], [[3.0]]) == loss([[0.0]], [[3.0]])
