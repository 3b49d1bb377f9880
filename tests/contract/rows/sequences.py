"""Attention, and layers over time."""

from __future__ import annotations

from types import ModuleType
from typing import Any

from hypothesis import strategies as st

from tests.contract.draws import SMALL
from tests.contract.row import Row, inner

QUERY_VALUE = [(2, 5, 4), (2, 6, 4)]
QUERY_VALUE_KEY = [(2, 5, 4), (2, 6, 4), (2, 6, 4)]
BLIND = {"drawn masks": "what a query gets that may see no key depends, in Keras, on the way of computing"}
SEEN = {"return_attention_scores": st.booleans(), "use_causal_mask": st.booleans()}
ATTENTION = [
    Row(
        "Attention",
        {"use_scale": True},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        called=SEEN,
        options={"score_mode": st.sampled_from(["dot", "concat"])},
    ),
    Row("AdditiveAttention", {}, (QUERY_VALUE, QUERY_VALUE_KEY), called=SEEN),
    Row(
        "MultiHeadAttention",
        {"num_heads": 2, "key_dim": 3},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        spread=True,
        called=SEEN,
        exceptions=BLIND,
        options={
            "num_heads": SMALL,
            "key_dim": SMALL,
            "value_dim": st.none() | SMALL,
            "output_shape": st.none() | SMALL,
            "attention_axes": st.sampled_from([None, 1, (1,)]),
            "sliding_window": st.none() | SMALL,
            "use_gate": st.booleans(),
        },
    ),
    Row(
        "GroupQueryAttention",
        {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2},
        (QUERY_VALUE, QUERY_VALUE_KEY),
        spread=True,
        called=SEEN,
        exceptions=BLIND,
        options={
            "head_dim": SMALL,
            "num_query_heads": st.sampled_from([2, 4]),
            "num_key_value_heads": st.sampled_from([1, 2]),
            "sliding_window": st.none() | SMALL,
            "use_gate": st.booleans(),
        },
    ),
]

STEPS = ((2, 5, 3),)
INSIDE = {"units": "the states given have 4"}


def cells(library: ModuleType) -> dict[str, Any]:
    """Two cells, one above the other."""
    return {"cells": [library.layers.LSTMCell(4, name="low"), library.layers.GRUCell(3, name="high")]}


def stateful(name: str, **exceptions: str) -> Row:
    """States that stay from one call to the next."""
    if name.startswith("ConvLSTM"):
        args, shapes = {"filters": 2, "kernel_size": 3}, ((2, 3, *(4 + i for i in range(int(name[8]))), 3),)
    else:
        args, shapes = {"units": 4}, STEPS
    why = "Keras overwrites the states that its own backward pass needs, and fails"
    return Row(
        name,
        {**args, "stateful": True},
        shapes,
        batch=True,
        known=(-1, -2, -3, -4) if name.startswith("Conv") else (-1,),
        exceptions={"gradients": why, "options": "the rows without states that stay have them", **exceptions},
    )


RECURRENT = [
    Row("SimpleRNN", {"units": 4}, STEPS, keeps={"activity_regularizer": "Keras's SimpleRNN forgets it"}),
    *(Row(name, {"units": 4}, STEPS) for name in ("GRU", "LSTM")),
    Row("LSTM", {"units": 4, "return_sequences": True, "return_state": True}, STEPS),
    *(stateful(name) for name in ("SimpleRNN", "GRU", "LSTM")),
    stateful("ConvLSTM2D", **{"unknown sizes in Keras": "Keras's ConvLSTM needs all spatial sizes"}),
    Row("RNN", inner("GRUCell", 4), STEPS),
    Row("SimpleRNNCell", {"units": 4}, ([(2, 3), (2, 4)],), spread=True, keeps=INSIDE),
    Row("GRUCell", {"units": 4}, ([(2, 3), (2, 4)],), spread=True, keeps=INSIDE),
    Row("LSTMCell", {"units": 4}, ([(2, 3), [(2, 4), (2, 4)]],), spread=True, keeps=INSIDE),
    Row("StackedRNNCells", cells, ([(2, 3), [[(2, 4), (2, 4)], (2, 3)]],), spread=True),
    Row(
        "Bidirectional",
        inner("LSTM", 4),
        STEPS,
        options={"merge_mode": st.sampled_from(["concat", "sum", "mul", "ave", None])},
    ),
    Row("Bidirectional", inner("GRU", 4, return_sequences=True), STEPS),
    Row("TimeDistributed", inner("Dense", 4), ((2, 5, 3), (2, 5, 4, 3))),
    Row("TimeDistributed", inner("Conv2D", 4, 3), ((2, 3, 6, 7, 4),)),
    *(
        Row(
            f"ConvLSTM{rank}D",
            {"filters": 2, "kernel_size": 3},
            ((2, 3, *(6 + i for i in range(rank)), 6),),
            exceptions={"unknown sizes in Keras": "Keras's ConvLSTM needs all spatial sizes"},
        )
        for rank in (1, 2, 3)
    ),
]

ROWS = [*ATTENTION, *RECURRENT]
