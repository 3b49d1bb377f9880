"""Every option of every layer, as hypothesis draws them: with each rank of input, with and without masks."""

from __future__ import annotations

import keras
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from ramify.errors import RamifyError
from tests.contract.compare import marked, same_config, same_values, shareable
from tests.contract.row import Row
from tests.contract.table import ROWS

EXAMPLES = 8
DRAWN = [
    pytest.param(row, id=f"{row.name}-{i}")
    for i, row in enumerate(ROWS)
    if "graph" not in row.exceptions and (row.drawn or row.called)
]
pytestmark = [
    pytest.mark.filterwarnings("ignore:Layer .* does not support .*mask:UserWarning"),
    pytest.mark.filterwarnings("ignore:(?s).*softmax over axis -1 .* has size 1:UserWarning"),  # Keras's
    pytest.mark.filterwarnings("ignore:You passed `rms_scaling=True`:UserWarning"),  # Keras's
]


def keras_takes_masks(row: Row, shapes, changes, called) -> bool:
    """Whether Keras's layer has no accident; steps that stand last have no mask here."""
    if changes.get("data_format") == "channels_first":
        return False
    tensors = row.tensors(shapes)
    marked(tensors)
    try:
        row.call(row.layer(keras, **changes), tensors, **called)
    except (AttributeError, RuntimeError):
        return False
    return True


@pytest.mark.parametrize("row", DRAWN)
@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(100, marks=pytest.mark.slow)])
def test_drawn_options(row: Row, examples):
    @settings(
        max_examples=examples,
        phases=[Phase.generate],  # shrinking a model takes minutes; the message has all that was drawn
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        changes=st.fixed_dictionaries({}, optional=row.drawn),
        called=st.fixed_dictionaries({}, optional=row.called),
        shapes=st.sampled_from(row.shapes[:1] if "drawn ranks" in row.exceptions else row.shapes),
        masked=st.just(False) if {"masks", "drawn masks"} & {*row.exceptions} else st.booleans(),
    )
    def compare(changes, called, shapes, masked):
        try:
            row.call(row.layer(keras, **changes), row.tensors(shapes), **called)
        except ValueError:
            with pytest.raises(RamifyError):
                row.call(row.layer(**changes), row.tensors(shapes), **called)
            return
        masked = masked and keras_takes_masks(row, shapes, changes, called)
        got = same_values(row, shapes, changes, training=False, masked=masked, called=called)
        if not row.is_random(changes) or shareable(row, shapes):
            same_values(row, shapes, changes, training=True, masked=masked, called=called)
        symbols = row.call(row.layer(**changes), row.symbols(shapes), **called)
        assert [s.shape[1:] for s in symbols] == [tuple(t.shape[1:]) for t in got]
        assert same_config(row.layer(**changes), row.layer(keras, **changes), row)

    compare()
