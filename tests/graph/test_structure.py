from typing import Any, NamedTuple

from ramify.graph import structure


class Pair(NamedTuple):
    a: Any
    b: Any


def test_walk_gives_paths_in_order():
    nested = {"x": [1, (2, 3)], "y": Pair(4, {"z": 5})}
    assert list(structure.walk(nested)) == [
        (("x", 0), 1),
        (("x", 1, 0), 2),
        (("x", 1, 1), 3),
        (("y", 0), 4),
        (("y", 1, "z"), 5),
    ]


def test_map_keeps_every_kind_of_container():
    nested = {"x": [1, (2, 3)], "y": Pair(4, slice(5, None, 6))}
    mapped = structure.map_leaves(lambda n: None if n is None else n * 10, nested)
    assert mapped == {"x": [10, (20, 30)], "y": Pair(40, slice(50, None, 60))}
    assert isinstance(mapped["y"], Pair)


def test_pick_follows_paths_into_slices():
    nested = ({"k": slice(1, 2, 3)},)
    for path, leaf in structure.walk(nested):
        assert structure.pick(nested, path) == leaf


def test_unflatten_is_the_inverse_of_flatten():
    nested = {"x": [1, (2, 3)], "y": 4}
    assert structure.unflatten(nested, structure.flatten(nested)) == nested
