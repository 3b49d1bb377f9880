"""`summary`: what stands in it, how it fits, and where it goes."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import time
import types
import xml.etree.ElementTree as ET

import pytest
import torch
from rich.cells import cell_len

import ramify
from ramify import layers
from ramify.errors import ArgumentError
from ramify.visualize import summary
from ramify.visualize.rows import rows_of
from ramify.visualize.table import wrap


def text_of(model, **kwargs):
    lines = []
    summary(model, print_fn=lines.append, **kwargs)
    assert len(lines) == 1
    return lines[0]


def two_inputs():
    a, b = ramify.Input((8,), name="a"), ramify.Input((8,), name="b")
    inner = ramify.Input((8,))
    encoder = ramify.Model(inner, layers.Dense(4)(layers.Dense(6, activation="relu")(inner)), name="encoder")
    x = layers.Concatenate()([encoder(a), encoder(b)])
    long = layers.Dense(3, name="a_very_long_name_for_a_dense_layer_that_has_to_be_wrapped_somewhere")(x)
    return ramify.Model([a, b], [long, layers.Dense(2, name="数字の層")(torch.relu(long * 2)[:, 1:])], name="two")


def squeezed(text):
    return re.sub(r"\s+", "", text)


def test_a_stack():
    model = ramify.Sequential([ramify.Input((4,)), layers.Dense(3, name="one"), layers.Dense(2, name="two")], name="s")
    assert text_of(model).splitlines() == [
        'Model: "s"',
        "─────────────────────────────────────",
        " Layer (type)  Output shape  Param #",
        "─────────────────────────────────────",
        " one (Dense)   (None, 3)          15",
        " two (Dense)   (None, 2)           8",
        "─────────────────────────────────────",
        " Total params: 23 (92.00 B)",
        " Trainable params: 23 (92.00 B)",
        " Non-trainable params: 0 (0.00 B)",
    ]


def test_branches_show_what_they_are_connected_to():
    rows = {row.name: row for row in rows_of(two_inputs())}
    assert rows["concatenate"].sources == ["encoder #1", "encoder #2"]
    assert rows["encoder"].sources == ["a", "b"]
    assert rows["mul"].kind == "operation"
    assert rows["relu"].sources == ["mul"]


def test_rows_follow_the_layers_and_operations_what_they_read():
    model = two_inputs()
    names = [row.name for row in rows_of(model)]
    assert [name for name in names if name in {layer.name for layer in model.layers}] == [
        layer.name for layer in model.layers
    ]
    assert names.index("mul") < names.index("relu") < names.index("数字の層")


def test_a_shared_layer_is_marked_and_counts_once():
    text = text_of(two_inputs())
    assert text.count("encoder (Functional)") == 1
    assert "shared, 2 calls" in text
    assert "Total params: 115 (460.00 B)" in text  # 82 + 27 + 6


def test_nothing_is_wider_than_the_line_and_nothing_is_cut_off():
    for width in (60, 80, 100):
        text = text_of(two_inputs(), line_length=width, show_trainable=True)
        assert max(cell_len(line) for line in text.splitlines()) <= width
        column = text.splitlines()[2].index("Output")
        name = "".join(line[:column] for line in text.splitlines() if line.startswith(" "))
        assert "a_very_long_name_for_a_dense_layer_that_has_to_be_wrapped_somewhere" in squeezed(name)


def test_wide_characters_keep_the_columns_in_line():
    text = text_of(two_inputs())
    line = next(line for line in text.splitlines() if "数字の層" in line)
    header = text.splitlines()[2]
    assert cell_len(line[: line.index("(None")]) == header.index("Output")


@pytest.mark.parametrize(
    "text", ["abcdefghijklmnop", "a b c d e f g h", "aaaa_bbbb_cccc (Dense)", "数字の層数字の層", "    x y"]
)
@pytest.mark.parametrize("width", [4, 5, 8])
@pytest.mark.parametrize("hang", [0, 2])
def test_wrapped_text_is_all_there_and_fits(text, width, hang):
    lines = wrap(text, width, hang)
    assert squeezed("".join(lines)) == squeezed(text)
    assert max(cell_len(line) for line in lines) <= width
    assert all(line.startswith(" " * hang) for line in lines[1:])


def test_models_in_the_model_are_opened():
    text = text_of(two_inputs(), expand_nested=True)
    assert "└ dense (Dense)" in text or "└ dense_1 (Dense)" in text
    assert "└" not in text_of(two_inputs())


def test_models_three_deep():
    x = ramify.Input((4,))
    model = ramify.Model(x, layers.Dense(4, name="deep")(x), name="m0")
    for i in range(1, 3):
        x = ramify.Input((4,))
        model = ramify.Model(x, model(x), name=f"m{i}")
    assert "    └ deep" not in text_of(model)
    assert "  └ deep (Dense)" in text_of(model, expand_nested=True)


def test_trainable_or_not():
    model = two_inputs()
    model.get_layer("encoder").trainable = False
    lines = text_of(model, show_trainable=True).splitlines()
    assert next(line for line in lines if "encoder (" in line).endswith(" N")
    assert next(line for line in lines if "数字の層" in line).endswith(" Y")
    assert next(line for line in lines if "concatenate" in line).endswith(" -")
    assert " Trainable params: 33 (132.00 B)" in lines
    assert " Non-trainable params: 82 (328.00 B)" in lines


def test_a_part():
    text = text_of(two_inputs(), layer_range=["encoder", "conc.*"])
    assert "encoder" in text
    assert "a (InputLayer)" not in text
    assert "mul" not in text
    with pytest.raises(
        ArgumentError, match=r"'nope', which no layer of 'two' is called\. The layers are a, b, encoder"
    ):
        text_of(two_inputs(), layer_range=["nope", "encoder"])
    with pytest.raises(ArgumentError, match="names of the first and last"):
        text_of(two_inputs(), layer_range=["encoder"])


def test_columns_where_they_are_wanted():
    header = text_of(two_inputs(), line_length=100, positions=[0.3, 0.5, 0.6, 1.0]).splitlines()[2]
    assert [header.index(word) for word in ("Layer", "Output", "Connected")] == [1, 31, 61]


class Plain(ramify.Model):
    def __init__(self):
        super().__init__(name="plain")
        self.one, self.two = layers.Dense(3), layers.Dense(2)

    def call(self, x):
        return self.two(self.one(x))


def test_a_subclassed_model_before_and_after_its_first_call():
    model = Plain()
    before = text_of(model)
    assert before.count("unbuilt") == 2
    assert "Not built yet: 2 of 2 layers" in before
    model(torch.zeros(5, 4))
    after = text_of(model)
    assert "unbuilt" not in after
    assert "(5, 3)" in after
    assert "Total params: 23" in after


def test_the_optimizer_is_counted_once_it_has_a_state():
    class Optimizer:
        built = True
        variables = (torch.zeros(10), torch.zeros(()))

    model = ramify.Sequential([ramify.Input((4,)), layers.Dense(1)])
    model.optimizer = Optimizer()
    text = text_of(model)
    assert "Optimizer params: 11 (44.00 B)" in text
    assert "Total params: 16 (64.00 B)" in text


def test_no_escapes_in_pipes(capsys):
    summary(two_inputs())
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.startswith('Model: "two"\n')


def test_colors_in_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        encoding = "utf-8"

        def isatty(self):
            return True

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys, "stdout", Terminal())
    summary(two_inputs())
    out = sys.stdout.getvalue()
    assert "\x1b[" in out
    plain = re.sub(r"\x1b\[[\d;]*m", "", out)
    assert max(cell_len(line) for line in plain.splitlines()) <= 120


def test_a_stream_that_knows_only_ascii():
    code = (
        "import ramify; from ramify.visualize import summary; x = ramify.Input((4,)); "
        "summary(ramify.Model(x, ramify.layers.Dense(2)(x)), expand_nested=True)"
    )
    env = {"PYTHONIOENCODING": "ascii", "PYTHONPATH": "."}
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, env=env, check=False)
    assert result.returncode == 0, result.stderr
    assert b"-----" in result.stdout


def test_masks_are_not_shown_as_operations():
    x = ramify.Input((5,), dtype="int32")
    model = ramify.Model(x, layers.LSTM(3)(layers.Embedding(10, 4, mask_zero=True)(x)))
    assert [row.kind for row in rows_of(model)] == ["InputLayer", "Embedding", "LSTM"]


def test_several_results_of_one_call():
    x = ramify.Input((5, 4))
    _, state, cell = layers.LSTM(3, return_state=True, name="lstm")(x)
    rows = rows_of(ramify.Model(x, layers.Add()([state, cell])))
    assert rows[-1].sources == ["lstm[1]", "lstm[2]"]


@pytest.mark.slow
def test_ten_thousand_layers():
    x = start = ramify.Input((2,))
    for _ in range(5_000):
        x = layers.Add()([x, layers.Dense(2)(x)])
    model = ramify.Model(start, x)
    begun = time.process_time()
    text = text_of(model)
    assert time.process_time() - begun < 2.5
    assert len(text.splitlines()) > 10_000


def test_operations_and_memory_for_a_batch():
    rows = {row.name: row for row in rows_of(two_inputs(), batch_size=10)}
    assert rows["encoder"].flops == 2 * 2 * 10 * (8 * 6 + 6 * 4)  # two calls
    assert rows["concatenate"].flops == 0
    assert rows["concatenate"].memory == 10 * 8 * 4
    text = text_of(two_inputs(), batch_size=10)
    assert "FLOPs" in text.splitlines()[2]
    assert "For 10 samples: 3.44 kFLOPs" in text
    assert max(cell_len(line) for line in text.splitlines()) <= 80
    assert "FLOPs" not in text_of(two_inputs())
    with pytest.raises(ArgumentError, match="number of samples"):
        text_of(two_inputs(), batch_size=0)


def test_types_are_not_broken_where_there_is_room():
    text = text_of(two_inputs(), batch_size=8, show_trainable=True, expand_nested=True)
    for kind in ("(InputLayer)", "(Functional)", "(Concatenate)", "(operation)"):
        assert kind in text


def test_a_notebook_gets_a_table(monkeypatch, capsys):
    shown = []

    class Kernel:
        kernel = object()

    python, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    python.get_ipython, display.display, python.display = Kernel, shown.append, display
    for name, module in {"IPython": python, "IPython.display": display, "ipykernel": types.ModuleType("k")}.items():
        monkeypatch.setitem(sys.modules, name, module)
    summary(two_inputs())
    assert capsys.readouterr().out == ""
    html = ET.fromstring(f"<r>{shown[0]._repr_html_().replace('<br>', '<br/>')}</r>")
    rows = [[cell.text for cell in row] for row in html.iter("tr")]
    assert rows[0] == ["Layer (type)", "Output shape", "Param #", "Connected to"]
    assert ["encoder (Functional)\n  shared, 2 calls", "(None, 4)", "82", "a, b"] in rows
    assert repr(shown[0]) == text_of(two_inputs())
    summary(two_inputs(), line_length=70)  # who asks for a width asks for text
    assert len(shown) == 1
    assert "concatenate" in capsys.readouterr().out
