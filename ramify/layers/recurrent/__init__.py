"""Recurrent layers: cells, layers that run them over time, and wrappers of those."""

from ramify.layers.recurrent.bidirectional import Bidirectional
from ramify.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from ramify.layers.recurrent.gru import GRU, GRUCell
from ramify.layers.recurrent.lstm import LSTM, LSTMCell
from ramify.layers.recurrent.rnn import RNN
from ramify.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from ramify.layers.recurrent.stacked import StackedRNNCells
from ramify.layers.recurrent.time_distributed import TimeDistributed

__all__ = [  # noqa: RUF022 - in lines, not in a column
    "Bidirectional", "ConvLSTM1D", "ConvLSTM2D", "ConvLSTM3D", "GRU", "GRUCell", "LSTM", "LSTMCell", "RNN", "SimpleRNN",
    "SimpleRNNCell", "StackedRNNCells", "TimeDistributed",
]  # fmt: skip
