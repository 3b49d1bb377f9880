"""A history draws itself."""

from __future__ import annotations

import math
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

import ramify
from ramify.callbacks import History
from ramify.callbacks.chart import Chart, log_ticks, ticks
from ramify.errors import ArgumentError

SVG = "{http://www.w3.org/2000/svg}"


def history(**metrics):
    made = History()
    for epoch in range(len(next(iter(metrics.values())))):
        made.on_epoch_end(epoch, {name: values[epoch] for name, values in metrics.items()})
    return made


def paths(chart, name):
    found = ET.fromstring(chart.svg).iter(f"{SVG}path")
    return [path.get("d") for path in found if path.get("class") == f"line {name}" and "L" in path.get("d")]


def test_a_panel_for_each_metric_with_its_validation():
    x = ramify.Input((2,))
    model = ramify.Model(x, [ramify.layers.Dense(1, name=name)(x) for name in "ab"])
    model.compile("sgd", "mse", metrics=[["mae"], []])
    data = np.ones((8, 2)), [np.ones((8, 1))] * 2
    chart = model.fit(*data, epochs=4, verbose=0, validation_data=data, validation_freq=2).plot()
    titles = [text.text for text in ET.fromstring(chart.svg).iter(f"{SVG}text") if text.get("class") == "title"]
    assert titles == ["a_loss", "a_mae", "b_loss", "loss"]
    assert [len(d.split("L")) for d in paths(chart, "training")] == [4] * 4
    assert [len(d.split("L")) for d in paths(chart, "validation")] == [2] * 4
    ends = [re.findall(r"[ML]([\d.]+)", d) for d in (paths(chart, "training")[0], paths(chart, "validation")[0])]
    assert ends[0][1] == ends[1][0]  # the second epoch stands above the second epoch
    assert ends[0][3] == ends[1][1]


def test_places_are_those_of_the_values():
    [line] = paths(history(loss=[1.0, 0.5, 0.0]).plot(), "training")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", line)]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.1)
    assert heights[0] < heights[2]
    [line] = paths(history(loss=[100.0, 10.0, 1.0]).plot(log_scale=True), "training")
    heights = [float(y) for y in re.findall(r" ([\d.]+)", line)]
    assert heights[1] == pytest.approx((heights[0] + heights[2]) / 2, abs=0.1)


def test_values_that_are_no_numbers_leave_gaps():
    chart = history(loss=[1.0, 2.0, math.nan, 3.0], acc=[math.nan] * 4).plot()
    assert "no finite values" in chart.svg
    root = ET.fromstring(chart.svg)
    assert len(list(root.iter(f"{SVG}circle"))) == 1  # the value that stands alone
    assert len(paths(chart, "training")) == 1
    assert "nan" not in "".join(path.get("d") for path in root.iter(f"{SVG}path"))


def test_what_is_asked_for(tmp_path):
    made = history(loss=[1.0, 2.0], val_loss=[1.0, 2.0], matrix=[np.ones(2), np.ones(2)])
    assert repr(made.plot()) == "<Chart: loss>"
    assert repr(made.plot("loss")) == repr(made.plot(["loss"]))
    with pytest.raises(ArgumentError, match=r"no metric 'acc'. It has loss"):
        made.plot("acc")
    with pytest.raises(ArgumentError, match="no metrics yet"):
        History().plot()
    for name, start in (("a.svg", "<svg"), ("a.html", "<!doctype html>")):
        made.plot().save(tmp_path / name)
        assert (tmp_path / name).read_text().startswith(start)
    with pytest.raises(ArgumentError, match=r"not as 'a.jpg'"):
        made.plot().save(tmp_path / "a.jpg")
    assert made.plot()._repr_html_().startswith("<img ")
    assert made.plot()._repr_svg_() == made.plot().svg


def test_names_are_escaped():
    chart = Chart({"a<b>&'": {"training": [(1, 1.0), (2, 3.0)]}})
    titles = [text.text for text in ET.fromstring(chart.svg).iter(f"{SVG}text") if text.get("class") == "title"]
    assert titles == ["a<b>&'"]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.13, 0.87), (-5, 12345), (3e-9, 4e-9), (7, 7), (0, 0), (-2, -1)])
def test_marks_enclose_the_values(low, high):
    marks = ticks(low, high)
    assert marks[0] <= low
    assert marks[-1] >= high
    assert 2 <= len(marks) <= 8
    steps = np.diff(marks)
    assert np.allclose(steps, steps[0])


def test_marks_of_a_logarithmic_axis():
    assert log_ticks([(1, 0.02), (2, 5.0)]) == [0.01, 0.1, 1.0, 10.0]
    assert log_ticks([(1, 1.0)]) == [1.0, 10.0]
