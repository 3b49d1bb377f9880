import keras
import pytest

from ramify import tree
from ramify.errors import ArgumentError

STRUCTURES = [3, None, [], {}, [1, (2, [3])], {"b": 1, "a": [2, None]}, ({"x": (1,)}, [2]), {"z": {"y": []}}]


@pytest.mark.parametrize("structure", STRUCTURES, ids=str)
def test_structures_as_keras_sees_them(structure):
    assert tree.is_nested(structure) == keras.tree.is_nested(structure)
    assert tree.flatten(structure) == keras.tree.flatten(structure)
    assert tree.flatten_with_path(structure) == keras.tree.flatten_with_path(structure)
    assert tree.lists_to_tuples(structure) == keras.tree.lists_to_tuples(structure)
    count = len(tree.flatten(structure))
    assert tree.pack_sequence_as(structure, range(count)) == keras.tree.pack_sequence_as(structure, range(count))
    for none_is_leaf in (True, False):
        ours = tree.map_structure(str, structure, none_is_leaf=none_is_leaf)
        assert ours == keras.tree.map_structure(str, structure, none_is_leaf=none_is_leaf)
    for top_down in (True, False):
        ours = tree.traverse(lambda x: [x] if x == 1 else None, structure, top_down=top_down)
        assert ours == keras.tree.traverse(lambda x: [x] if x == 1 else None, structure, top_down=top_down)


@pytest.mark.parametrize("shapes", [(None, 3), [(1, 2), [3]], {"a": (None, 3), "b": ((4,),)}], ids=str)
def test_shapes_are_leaves(shapes):
    assert tree.map_shape_structure(str, shapes) == keras.tree.map_shape_structure(str, shapes)


def test_several_structures_and_none():
    assert tree.map_structure(max, {"a": (1, 5)}, {"a": (3, 2)}) == {"a": (3, 5)}
    assert tree.map_structure_up_to({"a": 0}, list, {"a": (1, 2)}) == {"a": [1, 2]}
    assert tree.traverse(lambda x: tree.MAP_TO_NONE if x == 1 else None, [1, 2]) == [None, 2]


DIFFERENT = [([1], [1, 2]), ([1], (1,)), ({"a": 1}, {"b": 1}), ([1], 1), ({"a": [1]}, {"a": [[1]]})]


@pytest.mark.parametrize(("a", "b"), DIFFERENT, ids=str)
def test_what_differs_is_told(a, b):
    with pytest.raises(ArgumentError, match="differ at"):
        tree.assert_same_structure(a, b)
    with pytest.raises(ArgumentError, match="differ at"):
        tree.map_structure(lambda x, y: x, a, b)


def test_paths_and_counts():
    tree.assert_same_paths([1, [2]], (3, (4,)))
    with pytest.raises(ArgumentError, match="only the first has"):
        tree.assert_same_paths([1], [1, 2])
    with pytest.raises(ArgumentError, match="2 places, but 1 leaves"):
        tree.pack_sequence_as([0, 0], [1])
    with pytest.raises(ArgumentError, match="at least one structure"):
        tree.map_structure(len)
