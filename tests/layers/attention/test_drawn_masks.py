"""Attention with drawn options and masks: values, weights and gradients are Keras's.

What a query gets that may see no key depends, in Keras, on the way of computing: such queries are left out.
"""

from __future__ import annotations

import keras
import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import ramify
from tests.contract.compare import assert_close

BOOL = st.booleans()
BATCH, QUERIES, KEYS = 2, 5, 6
HEADED = {
    "dropout": st.sampled_from([0.0, 0.3]),
    "sliding_window": st.none() | st.integers(1, 4),
    "use_gate": BOOL,
    "use_bias": BOOL,
    "flash_attention": st.sampled_from([None, False]),
}
PLAIN = {"dropout": st.sampled_from([0.0, 0.3]), "use_scale": BOOL}
LAYERS = {
    "MultiHeadAttention": {"num_heads": st.sampled_from([1, 2]), "key_dim": st.integers(1, 4), **HEADED},
    "GroupQueryAttention": {
        "head_dim": st.integers(1, 4),
        "num_query_heads": st.sampled_from([2, 4]),
        "num_key_value_heads": st.sampled_from([1, 2]),
        **HEADED,
    },
    "Attention": {"score_mode": st.sampled_from(["dot", "concat"]), **PLAIN},
    "AdditiveAttention": PLAIN,
}


def mask(*shape):
    """Truth values, more of them true than false; or none."""
    generator = torch.Generator()
    return st.none() | st.integers(0, 999).map(lambda n: torch.rand(shape, generator=generator.manual_seed(n)) < 0.7)


MASKS = st.fixed_dictionaries(
    {
        "query_mask": mask(BATCH, QUERIES),
        "value_mask": mask(BATCH, KEYS),
        "key_mask": mask(BATCH, KEYS),
        "attention_mask": mask(BATCH, QUERIES, KEYS),  # test_attention.py has those of other ranks
    }
)


def seeing(masks, options, causal):
    """Which queries may see a key, ``(batch, queries)``."""
    allowed = torch.ones(BATCH, QUERIES, KEYS, dtype=torch.bool)
    for name, rule in masks.items():
        if rule is not None:
            allowed = allowed & {"query_mask": rule[:, :, None], "attention_mask": rule}.get(name, rule[:, None])
    apart = torch.arange(QUERIES)[:, None] - torch.arange(KEYS)
    if causal:
        allowed = allowed & (apart >= 0)
    if (window := options.get("sliding_window")) is not None:
        allowed = allowed & (apart.abs() < window)
    return allowed.any(-1)


def run(layer, inputs, call, sees, weights):
    """Outputs (and attention weights) of the queries that see something, and the gradients of all that went in."""
    given = [x.clone().requires_grad_() for x in inputs]
    found = layer(given, **call) if "mask" in call else layer(*given, **call)
    output, *scores = found if isinstance(found, tuple) else (found,)
    output = output * sees[..., None]
    factors = torch.linspace(-1, 2, output.numel()).reshape(output.shape)
    grads = torch.autograd.grad((output * factors).sum(), [*given, *weights], allow_unused=True)
    return [output, *(one * sees.view(BATCH, *(1,) * (one.ndim - 3), QUERIES, 1) for one in scores)], grads


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("examples", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_as_keras(name, examples):
    headed = name in ("MultiHeadAttention", "GroupQueryAttention")

    @settings(
        max_examples=examples,
        deadline=None,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        options=st.fixed_dictionaries(LAYERS[name]),
        masks=MASKS,
        causal=BOOL,
        scores=BOOL,
        keys=BOOL,
        training=BOOL,
        seed=st.integers(0, 99),
    )
    def compare(options, masks, causal, scores, keys, training, seed):
        if training:
            options = {**options, "dropout": 0.0}  # else each draws for itself
        sizes = [QUERIES, KEYS, KEYS][: 2 + keys]
        inputs = [torch.randn(BATCH, n, 4, generator=torch.Generator().manual_seed(seed + n)) for n in sizes]
        call = {"use_causal_mask": causal, "return_attention_scores": scores, "training": training}
        if headed:
            masks = {**masks, "key_mask": masks["key_mask"] if keys else None}
            call |= masks
        else:
            masks = {name: masks[name] for name in ("query_mask", "value_mask")}
            call["mask"] = list(masks.values())
        ours, theirs = getattr(ramify.layers, name)(**options), getattr(keras.layers, name)(**options)
        for layer in (ours, theirs):
            layer(*inputs) if headed else layer(inputs)
        values = [torch.randn(w.shape, generator=torch.Generator().manual_seed(seed)).numpy() for w in theirs.weights]
        theirs.set_weights(values)
        ours.set_weights(values)
        sees = seeing(masks, options, causal)
        got, grads = run(ours, inputs, call, sees, ours.weights)
        want, expected = run(theirs, inputs, call, sees, [w.value for w in theirs.weights])
        assert_close(got, want, 1e-5, "output")
        assert_close(grads, expected, 1e-5, "gradient")

    compare()


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("heads", [(2, 2), (4, 2)])
def test_every_kernel_gives_the_same(heads, masked):
    x = torch.randn(BATCH, QUERIES, 16)
    call = {"attention_mask": torch.ones(QUERIES, QUERIES, dtype=torch.bool).tril()} if masked else {}
    layers = [ramify.layers.GroupQueryAttention(8, *heads, flash_attention=flash) for flash in (None, True, False)]
    results = []
    for layer in layers:
        layer(x, x)
        layer.set_weights(layers[0].get_weights())
        results.append([layer(x, x, **call), *torch.autograd.grad(layer(x, x, **call).square().sum(), layer.weights)])
    for others in results[1:]:
        assert_close(others, results[0], 1e-5)
