"""Recurrent layers: cells, layers that run them over time, and wrappers of those."""

from ramify.layers.recurrent.gru import GRU, GRUCell
from ramify.layers.recurrent.lstm import LSTM, LSTMCell
from ramify.layers.recurrent.rnn import RNN
from ramify.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from ramify.layers.recurrent.stacked import StackedRNNCells

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "GRUCell",
    "LSTMCell",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
]
