"""Random models, optimizers and losses, to be trained in two ways."""

from __future__ import annotations

import functools
import inspect

import numpy as np
import torch
from hypothesis import strategies as st

import ramify
from ramify import layers, optimizers

NOT_FOR_ALL = ("Optimizer", "LossScaleOptimizer", "MultiOptimizer", "TorchOptimizer")  # they hold other optimizers
OPTIMIZERS = {
    name: kind
    for name, kind in vars(optimizers).items()
    if inspect.isclass(kind) and issubclass(kind, optimizers.Optimizer) and name not in NOT_FOR_ALL
}


@st.composite
def plans(draw):
    """Everything about one model and how it is trained, as plain data."""
    return {
        "blocks": draw(st.lists(st.sampled_from(sorted(BLOCKS)), min_size=1, max_size=5)),
        "joins": draw(st.lists(st.integers(0, 5), min_size=5, max_size=5)),
        "image": draw(st.booleans()),
        "outputs": draw(st.integers(1, 2)),
        "optimizer": draw(st.sampled_from(sorted(OPTIMIZERS))),
        "rate": draw(st.sampled_from([0.01, "schedule", "function"])),
        "extra": draw(
            st.sampled_from(
                [
                    {},
                    {"clipnorm": 0.1},
                    {"global_clipnorm": 0.1},
                    {"clipvalue": 0.01},
                    {"use_ema": True, "ema_overwrite_frequency": 3},
                    {"gradient_accumulation_steps": 2},
                    {"weight_decay": 0.01},
                    {"loss_scale_factor": 8.0},
                ]
            )
        ),
        "dynamic_scale": draw(st.booleans()),
        "policy": draw(st.sampled_from(["float32", "float32", "mixed_bfloat16"])),
        "weighted": draw(st.booleans()),
        "loss": draw(st.sampled_from(["mse", "huber", "classes"])),
        "regularized": draw(st.booleans()),
        "constrained": draw(st.booleans()),
        "seed": draw(st.integers(0, 1000)),
    }


def dense(plan):
    options = {"kernel_regularizer": "l2"} if plan["regularized"] else {}
    options |= {"kernel_constraint": "max_norm"} if plan["constrained"] else {}
    return functools.partial(layers.Dense, 6, **options)


def twice(layer):
    return lambda x: layer(layer(x))


BLOCKS = {
    "dense": lambda plan: dense(plan)(activation="relu"),
    "gelu": lambda plan: dense(plan)(activation="gelu"),
    "tanh": lambda plan: lambda x: layers.Activation("tanh")(dense(plan)()(x)),
    "dropout": lambda plan: layers.Dropout(0.3),
    "seeded dropout": lambda plan: layers.Dropout(0.3, seed=plan["seed"]),
    "noise": lambda plan: layers.GaussianNoise(0.1),
    "batch norm": lambda plan: layers.BatchNormalization(),
    "layer norm": lambda plan: layers.LayerNormalization(),
    "activity": lambda plan: dense(plan)(activity_regularizer="l2"),
    "shared": lambda plan: twice(dense(plan)()),
    "softmax": lambda plan: layers.Softmax(),
    "ops": lambda plan: lambda x: torch.sigmoid(x) * 2 - x.mean(-1, keepdim=True),
}


def build(plan):
    """The model of a plan, without its training."""
    ramify.utils.set_random_seed(plan["seed"])
    if plan["image"]:
        x = start = ramify.Input((4, 4, 2))
        x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
        x = layers.GlobalAveragePooling2D()(layers.BatchNormalization()(x))
    else:
        start = ramify.Input((3,), dtype="int32")
        x = layers.Embedding(9, 5, mask_zero=True)(start)
        x = layers.LSTM(5)(x)
    made = [layers.Dense(6)(x)]
    for name, join in zip(plan["blocks"], plan["joins"], strict=False):
        x = BLOCKS[name](plan)(made[-1])
        made.append(layers.Add()([x, made[join]]) if join < len(made) else x)
    size = 3 if plan["loss"] == "classes" else 1
    heads = [layers.Dense(size, name=f"out{i}", dtype="float32")(made[-1 - i]) for i in range(plan["outputs"])]
    return ramify.Model(start, heads if len(heads) > 1 else heads[0])


def compiled(plan, **how):
    """The model of a plan, ready to be trained."""
    before = ramify.config.dtype_policy()
    ramify.config.set_dtype_policy(plan["policy"])
    try:
        model = build(plan)
    finally:
        ramify.config.set_dtype_policy(before)
    rate = {"schedule": optimizers.schedules.ExponentialDecay(0.01, 2, 0.5), "function": lambda: 0.005}
    optimizer = OPTIMIZERS[plan["optimizer"]](rate.get(plan["rate"], plan["rate"]), **plan["extra"])
    if plan["dynamic_scale"]:
        optimizer = optimizers.LossScaleOptimizer(optimizer, initial_scale=64.0, dynamic_growth_steps=2)
    loss = "mse" if plan["loss"] == "mse" else "huber"
    measured = ["mae"]
    if plan["loss"] == "classes":
        loss, measured = ramify.losses.SparseCategoricalCrossentropy(from_logits=True), ["accuracy"]
    several = plan["outputs"] > 1
    model.compile(
        optimizer,
        [loss] * plan["outputs"] if several else loss,
        loss_weights=[1.0, 0.5] if several else None,
        metrics=[measured] * plan["outputs"] if several else measured,
        weighted_metrics=([["mse"]] * plan["outputs"] if several else ["mse"]) if plan["loss"] != "classes" else None,
        **how,
    )
    return model


def batches(plan, number, size=5):
    """Batches for a plan, as `train_on_batch` takes them."""
    draw = np.random.default_rng(plan["seed"])
    for _ in range(number):
        x = draw.random((size, 4, 4, 2), "float32") if plan["image"] else draw.integers(0, 9, (size, 3))
        y = draw.integers(0, 3, size) if plan["loss"] == "classes" else draw.random((size, 1), "float32")
        weight = draw.random(size, "float32") if plan["weighted"] else None
        yield x, [y] * plan["outputs"] if plan["outputs"] > 1 else y, weight
