"""The progress bar: calm in a terminal, plain in a pipe, legible in 80 columns."""

from __future__ import annotations

import contextlib
import io
import os
import re

import numpy as np
import pytest

import ramify
from ramify.callbacks import progress
from ramify.callbacks.progress import Progbar, shown


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    out = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(progress.shutil, "get_terminal_size", lambda: os.terminal_size((80, 24)))
    with contextlib.ExitStack() as stack:
        # Entered by the test itself: pytest puts its own stdout in place after the fixtures were made.
        out.enter = lambda: stack.enter_context(contextlib.redirect_stdout(out))
        yield out


@pytest.fixture
def clock(monkeypatch):
    class Clock:
        now = 100.0

        def __call__(self):
            return self.now

    clock = Clock()
    monkeypatch.setattr(progress.time, "perf_counter", clock)
    return clock


def screen(text, width=80):
    """What a terminal shows after all this was written to it."""
    lines, row, column = [""], 0, 0
    for token in re.findall(r"\x1b\[(?:\d+A|J)|\r|\n|[^\x1b\r\n]+", text):
        if token == "\r":
            column = 0
        elif token == "\n":
            row, column = row + 1, 0
            while row >= len(lines):
                lines.append("")
        elif token == "\x1b[J":
            lines[row] = lines[row][:column]
            del lines[row + 1 :]
        elif token.startswith("\x1b"):
            row -= int(token[2:-1])
        else:
            assert column + len(token) < width
            lines[row] = lines[row][:column].ljust(column) + token + lines[row][column + len(token) :]
            column += len(token)
    return lines


def test_a_terminal_is_drawn_at_most_ten_times_a_second(terminal, clock):
    terminal.enter()
    bar = Progbar(100_000, interval=0.1)
    drawn = 0
    for step in range(1, 100_001):
        clock.now += 0.0001
        before = terminal.tell()
        bar.update(step, {"loss": 0.5}, finalize=False)
        drawn += terminal.tell() > before
    assert 80 <= drawn <= 100  # in ten seconds


def test_long_lines_go_on_in_indented_ones(terminal, clock):
    terminal.enter()
    values = {f"output_{i}_accuracy": 0.5 for i in range(6)}
    bar = Progbar(10, interval=0.1)
    for step in range(1, 11):
        clock.now += 1.0
        bar.update(step, values)
    lines = screen(terminal.getvalue())
    assert lines[-1] == ""
    assert len(lines) == 5  # three of the bar's own: nothing is left of earlier drawings
    assert lines[0].startswith("10/10 ━━━━━━━━━━━━━━━━━━━━ 10s 1s/step - output_0")
    assert all(line.startswith("    output") for line in lines[1:-1])
    assert sum(line.count("accuracy: 0.5000") for line in lines) == 6


def test_time_left_and_time_spent(terminal, clock):
    terminal.enter()
    bar = Progbar(100, interval=0.1)
    clock.now += 9.0
    bar.update(1)  # the first step, which warms up, does not count
    clock.now += 1.0
    bar.update(11)
    assert "11/100 ━━────────────────── 8s left 100ms/step" in screen(terminal.getvalue())[-1]
    clock.now += 8.9
    bar.update(100)
    assert "18s 100ms/step" in screen(terminal.getvalue())[-2]


def test_an_unknown_end(terminal, clock):
    terminal.enter()
    bar = Progbar(None, interval=0.1)
    clock.now += 1.0
    bar.update(3)
    assert screen(terminal.getvalue())[-1] == "3/Unknown 1s 333ms/step"


def test_a_pipe_gets_one_plain_line_per_epoch(capsys):
    x = ramify.Input((4,))
    model = ramify.Model(x, [ramify.layers.Dense(1, name=n)(x) for n in "ab"])
    model.compile("sgd", "mse", metrics=[["mae"], ["mae"]])
    data = np.ones((64, 4), "float32"), [np.ones((64, 1), "float32")] * 2
    for verbose in ("auto", 1, 2):
        model.fit(*data, epochs=2, verbose=verbose, validation_split=0.5, batch_size=4)
        out = capsys.readouterr().out
        assert "\x1b" not in out
        assert "\r" not in out
        lines = out.splitlines()
        assert len(lines) == 4
        assert lines[::2] == ["Epoch 1/2", "Epoch 2/2"]
        assert re.fullmatch(
            r"8/8 - \d+s - \d+[mu]?s/step - a_loss: \S+ - a_mae: \S+ - b_loss: \S+ - b_mae: \S+ "
            r"- loss: \S+ - val_a_loss: .*",
            lines[1],
        )
    model.fit(*data, verbose=0)
    model.predict(data[0])
    assert capsys.readouterr().out == ""
    model.evaluate(*data)
    model.predict(data[0], verbose=1, batch_size=16)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert re.fullmatch(r"4/4 - 0s - \d+[mu]s/step", lines[1])


def test_a_whole_fit_in_a_terminal(terminal):
    terminal.enter()
    x = ramify.Input((4,))
    model = ramify.Model(x, ramify.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    model.fit(np.ones((64, 4)), np.ones((64, 1)), epochs=2, batch_size=8, validation_split=0.5)
    lines = screen(terminal.getvalue())
    assert [line[:9] for line in lines] == ["Epoch 1/2", "4/4 ━━━━━", "Epoch 2/2", "4/4 ━━━━━", ""]
    assert "val_loss" in lines[1]


def test_numbers():
    assert shown(np.array([1.0, 2.0])) == "[1.0000, 2.0000]"
    assert shown(float("nan")) == "nan"
    assert shown(12345.678) == "12345.6780"
    assert shown("high") == "high"


def test_averages_of_stateless_values(capsys):
    bar = Progbar(2, verbose=2, stateful_metrics=["a"])
    bar.update(1, [("a", 1.0), ("b", 1.0)])
    bar.update(2, [("a", 3.0), ("b", 3.0)])
    assert "a: 3.0000 - b: 2.0000" in capsys.readouterr().out
    bar = Progbar(2, verbose=2)
    bar.add(1)
    bar.add(1)
    assert capsys.readouterr().out.startswith("2/2")


def small_model():
    x = ramify.Input((4,))
    model = ramify.Model(x, ramify.layers.Dense(1)(x))
    model.compile("sgd", "mse")
    return model


DATA = np.ones((64, 4), "float32"), np.ones((64, 1), "float32")


def test_a_long_epoch_in_a_file_shows_that_it_lives(capsys, clock):
    bar = Progbar(1000)
    for step in range(1, 1001):
        clock.now += 1.0
        bar.update(step, {"loss": 0.5}, finalize=False)
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" - ")[0].strip() for line in lines] == ["60/1000", "180/1000", "420/1000", "900/1000"]
    assert lines[0] == "  60/1000 - 1:00 - 15:40 left - 1s/step - loss: 0.5000"


def test_no_step_of_a_file_is_drawn_with_one_line_per_epoch(capsys, clock):
    bar = Progbar(1000, verbose=2)
    for step in range(1, 1000):
        clock.now += 100.0
        bar.update(step, {"loss": 0.5})
    assert capsys.readouterr().out == ""


def test_a_notebook_gets_one_line_that_is_written_over(monkeypatch, clock, capsys):
    monkeypatch.setattr(progress, "in_notebook", lambda: True)
    bar = Progbar(3, interval=0.1)
    for step, name in ((1, "a_long_name"), (2, "b"), (3, "b")):
        clock.now += 1.0
        bar._values.clear()
        bar.update(step, {name: 0.5})
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert out.count("\n") == 1
    assert screen(out)[0].rstrip().endswith("b: 0.5000")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_an_error_ends_the_line_that_was_begun(terminal, clock, error):
    terminal.enter()

    def stop(batch, logs):
        clock.now += 1.0
        if batch == 3:
            raise error

    model = small_model()
    with pytest.raises(error):
        model.fit(*DATA, batch_size=8, callbacks=[ramify.callbacks.LambdaCallback(on_train_batch_begin=stop)])
    lines = screen(terminal.getvalue())
    assert lines[0].startswith("3/8 ━━━")
    assert lines[-1] == ""
    with pytest.raises(error):
        model.fit(*DATA, batch_size=8, callbacks=[ramify.callbacks.LambdaCallback(on_epoch_begin=stop_at_once(error))])
    assert screen(terminal.getvalue()) == lines  # nothing was drawn, so that no line is to be ended


def stop_at_once(error):
    def hook(epoch, logs):
        raise error

    return hook


def test_without_interactive_logging_a_logger_is_told(capsys, caplog):
    ramify.config.disable_interactive_logging()
    try:
        assert not ramify.utils.is_interactive_logging_enabled()
        with caplog.at_level("INFO", "ramify"):
            small_model().fit(*DATA, epochs=2, batch_size=32, callbacks=[ramify.callbacks.TerminateOnNaN()])
            small_model().fit(DATA[0], DATA[1] * np.nan, callbacks=[ramify.callbacks.TerminateOnNaN()])
            small_model().fit(*DATA, verbose=0)
    finally:
        ramify.utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    told = [record.getMessage() for record in caplog.records]
    assert told[::2][:2] == ["Epoch 1/2", "Epoch 2/2"]
    assert told[1].startswith("2/2 - ")
    assert "loss: " in told[1]
    assert told[4] == "Batch 0: Invalid loss, terminating training"
    assert len(told) == 6
