"""Torch's modules in configs and files, without pickle."""

from __future__ import annotations

import json

import pytest
import torch
from torch import nn

from ramify import Input, Model, layers, saving
from ramify.errors import FileFormatError, UnsafeFileError
from ramify.registry import torch_modules
from ramify.registry.torch_modules import describe, restore

ARGUMENTS = {
    "ConstantPad1d": (1, 2.0), "ConstantPad2d": (1, 2.0), "ConstantPad3d": (1, 2.0), "Bilinear": (2, 3, 4),
    "ChannelShuffle": (2,), "Embedding": (5, 3), "EmbeddingBag": (5, 3), "Fold": (4, 2), "Unfold": (2,),
    "GroupNorm": (2, 4), "LayerNorm": (4,), "RMSNorm": (4,), "Linear": (2, 3), "LocalResponseNorm": (2,),
    "MultiheadAttention": (4, 2), "PixelShuffle": (2,), "PixelUnshuffle": (2,), "Threshold": (0.1, 0.2),
    "TransformerEncoderLayer": (4, 2), "Unflatten": (1, (2, 2)), "Upsample": (None, 2),
}  # fmt: skip
BY_START = {"Conv": (3, 4, 2), "LSTM": (3, 4), "GRU": (3, 4), "RNN": (3, 4), "BatchNorm": (3,), "InstanceNorm": (3,)}
BY_START |= {"Adaptive": (2,), "AvgPool": (2,), "MaxPool": (2,), "Zero": (1,), "Reflection": (1,), "Replication": (1,)}


def arguments(name):
    start = next((args for start, args in BY_START.items() if name.startswith(start)), ())
    return ARGUMENTS.get(name, start)


@pytest.mark.parametrize("name", sorted(torch_modules._TABLE))
def test_every_class_of_the_table(name):
    module = getattr(nn, name)(*arguments(name))
    found = describe(module)
    again = restore(json.loads(json.dumps(found)), "test")
    assert repr(again) == repr(module)
    again.load_state_dict(module.state_dict())


ODD = {
    "conv": lambda: nn.Conv2d(4, 6, (3, 2), stride=2, padding="valid", groups=2, bias=False, padding_mode="zeros"),
    "transposed": lambda: nn.ConvTranspose1d(3, 4, 3, stride=2, padding=1, output_padding=1, dilation=2),
    "norm": lambda: nn.BatchNorm1d(3, eps=0.1, momentum=None, affine=False, track_running_stats=True),
    "lstm": lambda: nn.LSTM(3, 4, 2, bias=False, batch_first=True, dropout=0.1, bidirectional=True, proj_size=2),
    "rnn": lambda: nn.RNN(3, 4, nonlinearity="relu"),
    "attention": lambda: nn.MultiheadAttention(4, 2, bias=False, add_bias_kv=True, kdim=3, vdim=5, batch_first=True),
    "transformer": lambda: nn.TransformerEncoderLayer(8, 2, 16, 0.3, "gelu", 1e-3, True, True),
    "embedding": lambda: nn.Embedding(5, 3, padding_idx=1, max_norm=2.0),
    "half": lambda: nn.Linear(2, 3).to(torch.bfloat16),
    "frozen": lambda: nn.Linear(2, 3).requires_grad_(False),
    "nested": lambda: nn.Sequential(nn.ModuleDict({"a": nn.Linear(2, 2)}), nn.ModuleList([nn.ReLU(inplace=True)])),
}


@pytest.mark.parametrize("name", ODD)
def test_options(name):
    module = ODD[name]()
    again = restore(json.loads(json.dumps(describe(module))), "test")
    assert repr(again) == repr(module)
    for (a, p), (b, q) in zip(module.named_parameters(), again.named_parameters(), strict=True):
        assert (a, p.shape, p.dtype, p.requires_grad) == (b, q.shape, q.dtype, q.requires_grad)


def test_what_is_more_than_its_class_is_not_described():
    class Own(nn.Linear):
        pass

    hooked = nn.Linear(2, 3)
    hooked.register_forward_hook(lambda *_: None)
    changed = nn.Linear(2, 3)
    changed.weight = nn.Parameter(torch.ones(3, 7))
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 3))
    for module in (Own(2, 3), hooked, changed, normed, nn.Sequential(Own(2, 3))):
        assert describe(module) is None


def test_in_a_file(tmp_path):
    x = Input((8, 3))
    net = nn.Sequential(nn.Conv1d(8, 4, 2), nn.BatchNorm1d(4), nn.Flatten(), nn.Linear(8, 5), nn.GELU("tanh"))
    model = Model(x, layers.Dense(2)(layers.TorchModuleWrapper(net)(x)))
    data = torch.randn(6, 8, 3)
    model(data, training=True)
    model.save(tmp_path / "m.keras")
    loaded = saving.load_model(tmp_path / "m.keras")
    torch.testing.assert_close(loaded(data), model(data), rtol=0, atol=0)
    model.save_weights(tmp_path / "m.safetensors")
    loaded.load_weights(tmp_path / "m.safetensors")


@pytest.mark.parametrize(
    "config",
    [
        {"class": "torch.nn.Linear", "arguments": {"in_features": 2, "out_features": 3, "evil": 1}},
        {"class": "torch.hub.load", "arguments": {}},
        {"class": "os.system", "arguments": {"command": "true"}},
        {"class": "torch.nn.Linear", "arguments": {"in_features": {"a": 1}, "out_features": 3}},
        {"class": "torch.nn.Linear", "arguments": {"in_features": "x", "out_features": 3}},
        {"class": "torch.nn.Linear", "arguments": {"in_features": 2, "out_features": 3}, "dtype": "load"},
        {"class": "torch.nn.Linear", "arguments": {"in_features": 2, "out_features": 3}, "frozen": ["gone"]},
        {"class": "torch.nn.Sequential", "children": {"0": 3}},
        {"class": "torch.nn.Sequential", "children": {"0": {"class_name": "Dense", "config": {}}}},
    ],
)
def test_configs_that_no_module_has(config):
    entry = {"class_name": "TorchModuleWrapper", "module": "keras.layers", "registered_name": None}
    entry["config"] = {"name": "t", "module": {"class_name": "__torch_module__", "config": config}}
    with pytest.raises((FileFormatError, UnsafeFileError)):
        saving.deserialize_keras_object(entry)
