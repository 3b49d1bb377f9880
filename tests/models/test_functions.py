"""`Function` and `Operation`: computations with a name, as Keras has them."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import torch

import ramify
from ramify.errors import DisconnectedError


def numbers(value):
    return np.asarray(keras.ops.convert_to_numpy(value)).tolist()


def same(use):
    ours, theirs = use(ramify), use(keras)
    assert ours == theirs
    return ours


def test_a_function_computes_again_on_what_it_is_given():
    def use(library):
        a, b = library.Input((2,)), library.Input((2,))
        function = library.Function([a, b], {"sum": a + b, "difference": a - b}, name="both")
        made = function([torch.ones(1, 2), torch.full((1, 2), 3.0)])
        again = function([library.Input((2,)), library.Input((2,))])
        shapes = function.compute_output_shape([(3, 2), (3, 2)])
        return (
            function.name,
            {name: numbers(value) for name, value in made.items()},
            {name: tuple(value.shape) for name, value in again.items()},
            {name: tuple(shape) for name, shape in shapes.items()},
            (len(function.inputs), len(function.outputs)),
        )

    assert same(use)[1] == {"sum": [[4.0, 4.0]], "difference": [[-2.0, -2.0]]}


def test_a_function_of_part_of_a_graph():
    def use(library):
        x = library.Input((2,))
        hidden = library.layers.Rescaling(2.0)(x)
        y = library.layers.Rescaling(1.0, offset=1.0)(hidden)
        return [numbers(library.Function(start, y)(torch.ones(1, 2))) for start in (x, hidden)]

    assert same(use) == [[[3.0, 3.0]], [[2.0, 2.0]]]


def test_the_operations_of_a_function_stand_in_order():
    x = ramify.Input((2,))
    layer, between = ramify.layers.Dense(2), ramify.layers.ReLU()
    function = ramify.Function(x, layer(between(layer(x))))
    assert function.operations == [layer, between]


def test_an_input_that_is_missing_is_told():
    for library, error in ((keras, ValueError), (ramify, DisconnectedError)):
        a, b = library.Input((2,)), library.Input((2,))
        with pytest.raises(error):
            library.Function(a, a + b)


def scaled(library):
    class Scaled(library.Operation):
        def __init__(self, factor, name=None):
            super().__init__(name=name)
            self.factor = factor

        def call(self, x):
            return x * self.factor, x + self.factor

        def compute_output_spec(self, x):  # which only Keras needs
            return library.KerasTensor(x.shape, x.dtype), library.KerasTensor(x.shape, x.dtype)

    return Scaled


def test_an_operation_is_called_on_tensors_and_symbols():
    def use(library):
        x = library.Input((2,))
        operation = scaled(library)(3, name="scaled")
        symbols = operation(x)
        model = library.Model(x, list(symbols))
        real = [numbers(one) for one in operation(torch.ones(1, 2))]
        assert [numbers(one) for one in model(torch.ones(1, 2))] == real
        return real, [tuple(one.shape) for one in symbols], tuple(operation.input.shape), len(operation.output)

    assert same(use) == ([[[3.0, 3.0]], [[4.0, 4.0]]], [(None, 2)] * 2, (None, 2), 2)


def test_an_operation_comes_back_from_its_config():
    def use(library):
        kind = scaled(library)
        twin = kind.from_config(kind(3, name="scaled").get_config())
        return twin.get_config(), twin.factor, twin.name

    assert same(use) == ({"name": "scaled", "factor": 3}, 3, "scaled")


def test_layers_are_operations():
    assert same(lambda library: isinstance(library.layers.Dense(1), library.Operation))
    assert same(lambda library: issubclass(library.layers.Dense, library.Operation))
    assert not same(lambda library: issubclass(scaled(library), library.layers.Dense))
