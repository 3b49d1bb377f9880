"""Where Keras on torch fails or is wrong, what cannot be compared, and errors."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict

import pytest
import torch

from ramify import layers, ops
from ramify.errors import ArgumentError, ShapeError


def test_what_is_no_class_is_nowhere():
    assert ops.one_hot(torch.tensor([-1, 3, 1]), 3).tolist() == [[0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert ops.multi_hot(torch.tensor([[-1, 3, 1]]), 3).tolist() == [[0, 1, 0]]


def test_normalizing_over_an_axis_in_the_middle():
    x, gamma, beta = torch.rand(2, 3, 4), torch.rand(3), torch.rand(3)
    y = ops.layer_normalization(x, gamma, beta, axis=1)
    expected = ops.layer_normalization(x.transpose(1, 2), gamma, beta).transpose(1, 2)
    torch.testing.assert_close(y, expected)
    root = x / (x.square().mean(1, keepdim=True) + 1e-7).sqrt() * gamma[:, None]
    torch.testing.assert_close(ops.rms_normalization(x, gamma, axis=1), root)
    torch.testing.assert_close(ops.layer_normalization(x, gamma, axis=1, rms_scaling=True), root)


def test_moments_of_large_halves_stay_finite():
    x = torch.tensor([[60000.0, -60000.0]], dtype=torch.float16)
    mean, variance = ops.moments(x, 1)
    assert (mean.item(), variance.item()) == (0, 65504)


def test_pooling_leaves_padding_out():
    x = torch.ones(1, 5, 5, 1)
    for size, step in itertools.product((2, 3), (1, 2, 3)):
        assert (ops.average_pool(x, size, step, "same") == 1).all()
        assert (ops.max_pool(-x, size, step, "same") == -1).all()


@pytest.mark.parametrize("padding", ["valid", "same"])
def test_a_transposed_convolution_is_the_gradient_of_a_convolution(padding):
    x, kernel = torch.rand(2, 8, 8, 3, requires_grad=True), torch.rand(3, 3, 3, 5)
    y = ops.conv(x, kernel, 2, padding)
    upstream = torch.rand_like(y)
    (expected,) = torch.autograd.grad(y, x, upstream)
    got = ops.conv_transpose(upstream, kernel, 2, padding)
    sizes = [min(a, b) for a, b in zip(got.shape, expected.shape, strict=True)]
    if padding == "valid":
        block = tuple(slice(0, n) for n in sizes)
        torch.testing.assert_close(got[block], expected[block])
    else:  # the odd zero lies on the other side
        assert got.shape == expected.shape


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
def test_operations_are_the_layers(rank, padding):
    x = torch.rand(2, *(7,) * rank, 4)
    conv = getattr(layers, f"Conv{rank}D")(6, 3, strides=2, padding=padding, use_bias=False)
    expected = conv(x)
    torch.testing.assert_close(expected, ops.conv(x, conv.kernel, 2, padding))
    back = getattr(layers, f"Conv{rank}DTranspose")(6, 3, strides=2, padding=padding, output_padding=1, use_bias=False)
    expected = back(x)
    torch.testing.assert_close(expected, ops.conv_transpose(x, back.kernel, 2, padding, 1))
    for word, op in (("Max", ops.max_pool), ("Average", ops.average_pool)):
        pool = getattr(layers, f"{word}Pooling{rank}D")(2, strides=1, padding=padding)
        torch.testing.assert_close(pool(x), op(x, 2, 1, padding))


def test_a_soft_cap_bends_scores():
    q, k, v = torch.randn(3, 2, 5, 4, 8).unbind()
    got = ops.dot_product_attention(q, k, v, attn_logits_soft_cap=0.5)
    scores = torch.einsum("bqhd,bkhd->bhqk", q, k) / math.sqrt(8)
    weights = torch.softmax(0.5 * torch.tanh(scores / 0.5), -1)
    torch.testing.assert_close(got, torch.einsum("bhqk,bkhd->bqhd", weights, v))
    wide = ops.dot_product_attention(q, k[:, :, :2], v[:, :, :2], is_causal=True, attn_logits_soft_cap=1e4)
    torch.testing.assert_close(
        wide, ops.dot_product_attention(q, k[:, :, :2], v[:, :, :2], is_causal=True), atol=1e-4, rtol=1e-4
    )


def likeliest(logits, blank):
    """Every alignment, added up."""
    total = defaultdict(float)
    scores = torch.log_softmax(logits.double(), -1)
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        labels = tuple(c for i, c in enumerate(path) if c != blank and (i == 0 or path[i - 1] != c))
        total[labels] += math.exp(sum(float(scores[i, c]) for i, c in enumerate(path)))
    return sorted(((math.log(v), k) for k, v in total.items()), reverse=True)


@pytest.mark.parametrize("blank", [0, 2])
def test_a_beam_that_is_wide_enough_finds_the_likeliest_labels(blank):
    x = torch.randn(3, 5, 3)
    labels, scores = ops.ctc_decode(x, torch.tensor([5, 3, 1]), "beam_search", 1000, 3, mask_index=blank)
    for sample, length in enumerate((5, 3, 1)):
        best = likeliest(x[sample, :length], blank)
        for path in range(3):
            assert tuple(c for c in labels[path, sample].tolist() if c >= 0) == best[path][1]
            assert scores[sample, path].item() == pytest.approx(best[path][0], rel=1e-5)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda: ops.conv(torch.ones(2, 3), torch.ones(1, 3, 3)), ShapeError, "sequences, images or volumes"),
        (lambda: ops.conv(torch.ones(1, 5, 3), torch.ones(3, 3, 3, 3)), ShapeError, "kernel of 3 axes"),
        (lambda: ops.conv(torch.ones(1, 5, 3), torch.ones(3, 2, 4)), ShapeError, "multiple"),
        (lambda: ops.conv(torch.ones(1, 5, 5, 3), torch.ones(3, 3, 3, 4), padding="causal"), ArgumentError, "padding"),
        (lambda: ops.max_pool(torch.ones(1, 5, 3), 0), ArgumentError, "pool_size"),
        (lambda: ops.normalize(torch.ones(2), order=0), ArgumentError, "order"),
        (lambda: ops.layer_normalization(torch.ones(2), scale=1), ArgumentError, "scale"),
        (lambda: ops.one_hot([1], 3, sparse=True), ArgumentError, "sparse"),
        (lambda: ops.multi_hot([1]), ArgumentError, "num_classes"),
        (lambda: ops.depth_to_space(torch.ones(1, 2, 2, 3), 2), ShapeError, "divides"),
        (lambda: ops.space_to_depth(torch.ones(1, 3, 2, 3), 2), ShapeError, "divides"),
        (lambda: ops.space_to_depth(torch.ones(3, 2, 3), 2), ShapeError, "batch of images"),
        (lambda: ops.categorical_crossentropy(torch.ones(2, 3), torch.ones(2, 4)), ShapeError, "one shape"),
        (lambda: ops.sparse_categorical_crossentropy([1, 2, 3], torch.ones(2, 4)), ShapeError, "one target"),
        (lambda: ops.ctc_loss([1], torch.ones(1, 2, 3), [1], [2]), ShapeError, "labels"),
        (lambda: ops.ctc_decode(torch.ones(1, 2, 3), [2], "best"), ArgumentError, "'best'"),
        (lambda: ops.dot_product_attention(*torch.ones(3, 2, 5, 8)), ShapeError, "heads"),
    ],
)
def test_errors_say_what_to_do(call, error, words):
    with pytest.raises(error, match=words):
        call()
