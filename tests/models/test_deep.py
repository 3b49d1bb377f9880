"""Ten thousand layers: nothing in the way from building to running follows the graph by recursion."""

import torch

import ramify

DEPTH = 10_000


def test_a_chain_with_skips_builds_summarises_lowers_and_runs():
    x = skip = inputs = ramify.Input((4,))
    for i in range(DEPTH):
        x = ramify.layers.Dense(4, kernel_initializer="identity")(x)
        if i % 10 == 9:
            x = skip = ramify.layers.Average()([x, skip])
    model = ramify.Model(inputs, x)
    assert len(model.layers) == 1 + DEPTH + DEPTH // 10
    assert model.count_params() == DEPTH * 20
    lines = []
    model.summary(print_fn=lines.append)
    text = "\n".join(map(str, lines))
    assert f"{DEPTH * 20:,}" in text
    assert f"dense_{DEPTH - 1}" in text
    values = torch.randn(2, 4)
    torch.testing.assert_close(model(values), values)
    assert model.code.count("self.") == DEPTH + DEPTH // 10
    model(values).sum().backward()
    assert model.layers[1].kernel.grad is not None
