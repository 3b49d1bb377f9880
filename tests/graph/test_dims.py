import pytest

from ramify.errors import ArgumentError
from ramify.graph import dims


def test_known_sizes_survive_and_unknown_ones_differ():
    probes = dims.probes_of((None, None, 3))
    assert len(probes) == 3
    assert dims.merged(probes) == (None, None, 3)
    assert dims.merged(dims.probes_of((2, 5))) == (2, 5)


def test_batch_and_other_sizes_have_different_probes():
    for batch, length, _ in dims.probes_of((None, None, 3)):
        assert batch != length


def test_large_probes_halve_evenly_so_that_encoders_and_decoders_meet():
    for size in dims.SIZE[:2]:
        assert size % 64 == 0


@pytest.mark.parametrize("shape", [(3, -1), ("a",), (2.5, "x"), object()])
def test_a_wrong_shape_is_refused_with_its_name(shape):
    with pytest.raises(ArgumentError, match="is no shape"):
        dims.checked_shape(shape)


def test_hidden_probes_are_unknown_sizes_again():
    assert dims.hide_probes((4, dims.SIZE[0], 7)) == (None, None, 7)
    assert dims.hide_probes((9, 4)) == (9, 4)
