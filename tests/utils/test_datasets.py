"""Data sets out of folders, series and splits."""

from __future__ import annotations

import wave

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

import ramify
from ramify import utils
from ramify.errors import ArgumentError
from ramify.utils import SampleDataset
from ramify.utils.folders import read_wav

RNG = np.random.default_rng(0)


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    root = tmp_path_factory.mktemp("images")
    for name, colour in (("ants", 10), ("bees", 100), ("cats", 200)):
        (root / name / "deeper").mkdir(parents=True)
        for i in range(4):
            pixels = np.full((6 + i, 9, 3), colour + i, "uint8")
            Image.fromarray(pixels).save(root / name / ("deeper" if i % 2 else ".") / f"{i}.png")
        (root / name / "notes.txt").write_text(f"all about {name}, in full")
    return root


def folder(images, **kwargs):
    return utils.image_dataset_from_directory(images, **{"image_size": (4, 5), "verbose": False, **kwargs})


def test_images_come_with_the_labels_of_their_folders(images, capsys):
    data = folder(images, batch_size=5, shuffle=False, verbose=True)
    assert capsys.readouterr().out == "Found 12 files belonging to 3 classes.\n"
    assert data.class_names == ["ants", "bees", "cats"]
    assert len(data) == 3
    x, y = zip(*data, strict=True)
    assert [len(one) for one in x] == [5, 5, 2]
    assert x[0].shape == (5, 4, 5, 3)
    assert x[0].dtype == torch.float32
    assert torch.cat(y).tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert y[0].dtype == torch.int32
    values = torch.cat(x)[:, 0, 0, 0]
    want = [float(np.asarray(Image.open(path))[0, 0, 0]) for path in data.file_paths]
    assert values.tolist() == want


def test_label_modes_colours_and_layouts(images):
    one_hot = folder(images, label_mode="categorical", shuffle=False, batch_size=None)
    x, y = one_hot[5]
    assert x.shape == (4, 5, 3)
    assert y.tolist() == [0.0, 1.0, 0.0]
    plain = folder(images, labels=None, color_mode="rgba", data_format="channels_first", class_names=None)
    assert plain[0].shape == (12, 4, 4, 5)
    assert plain.class_names is None
    assert folder(images, color_mode="grayscale")[0][0].shape == (12, 4, 5, 1)
    given = folder(images, labels=[i % 2 for i in range(12)], label_mode="binary", shuffle=False)
    assert given[0][1].tolist() == [[float(i % 2)] for i in range(12)]
    ordered = folder(images, class_names=["cats", "bees", "ants"], shuffle=False)
    assert ordered[0][1].tolist() == [0] * 4 + [1] * 4 + [2] * 4
    assert ordered[0][0][0, 0, 0, 0] >= 200


def test_proportions_are_kept_where_that_is_asked_for(tmp_path):
    (tmp_path / "a").mkdir()
    pixels = np.zeros((4, 8, 3), "uint8")
    pixels[:, 2:6] = 255
    Image.fromarray(pixels).save(tmp_path / "a" / "wide.png")
    square = {"image_size": (4, 4), "labels": None, "verbose": False, "shuffle": False}
    cropped = utils.image_dataset_from_directory(tmp_path, crop_to_aspect_ratio=True, **square)[0]
    assert (cropped == 255).all()
    padded = utils.image_dataset_from_directory(tmp_path, pad_to_aspect_ratio=True, **square)[0]
    assert (padded[0, 0] == 0).all()
    assert (padded[0, 1:3, 1:3] == 255).all()


def test_a_split_is_the_same_in_two_calls_and_leaves_nothing_out(images, capsys):
    options = {"seed": 7, "validation_split": 0.25, "batch_size": 2}
    training, validation = (folder(images, subset=subset, **options) for subset in ("training", "validation"))
    assert len(set(training.file_paths)) == 9
    assert set(training.file_paths).isdisjoint(validation.file_paths)
    both = folder(images, subset="both", verbose=True, **options)
    assert [side.file_paths for side in both] == [training.file_paths, validation.file_paths]
    assert "Using 9 files for training.\nUsing 3 files for validation." in capsys.readouterr().out
    order = np.arange(12)
    np.random.RandomState(7).shuffle(order)  # Keras's draw
    paths = sorted(p for name in ("ants", "bees", "cats") for p in map(str, (images / name).rglob("*.png")))
    assert training.file_paths == [paths[i] for i in order[:9]]


def test_every_pass_has_its_order_and_the_seed_settles_all(images):
    def passes(seed):
        data = folder(images, seed=seed, batch_size=4, labels=None)
        return [[float(v) for batch in data for v in batch[:, 0, 0, 0]] for _ in range(2)]

    one, two = passes(1), passes(1)
    assert one == two
    assert one[0] != one[1]
    assert sorted(one[0]) == sorted(one[1])
    assert passes(2) != one


def test_texts_and_sounds(images, tmp_path):
    texts = utils.text_dataset_from_directory(images, shuffle=False, verbose=False, max_length=14)
    x, y = texts[0]
    assert x == ["all about ants", "all about bees", "all about cats"]
    assert y.tolist() == [0, 1, 2]
    vectorize = ramify.layers.TextVectorization()
    vectorize.adapt([text for batch, _ in texts for text in batch])
    assert texts.map(lambda words, label: vectorize(words))[0].shape == (3, 3)
    for name, length in (("high", 80), ("low", 50)):
        (tmp_path / name).mkdir()
        tone = (np.sin(np.arange(length)) * 2**14).astype("<i2")
        with wave.open(str(tmp_path / name / "a.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(8000)
            file.writeframes(tone.tobytes())
    sounds, labels = utils.audio_dataset_from_directory(tmp_path, shuffle=False, verbose=False)[0]
    assert sounds.shape == (2, 80, 1)
    assert sounds[1, 50:].abs().max() == 0
    np.testing.assert_allclose(sounds[0, :, 0], np.sin(np.arange(80)) / 2, atol=1e-4)
    assert labels.tolist() == [0, 1]
    assert utils.audio_dataset_from_directory(tmp_path, verbose=False, output_sequence_length=60)[0][0].shape[1] == 60
    half = utils.audio_dataset_from_directory(tmp_path, verbose=False, sampling_rate=4000)[0][0]
    assert half.shape == (2, 40, 1)
    with pytest.raises(ArgumentError, match="no WAV file"):
        read_wav(images / "ants" / "notes.txt")


@pytest.mark.parametrize("width", [1, 2, 3, 4])
def test_sounds_of_every_width_mean_the_same(tmp_path, width):
    want = np.array([0.5, -0.5, 0.25, -1.0])
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(width)
        file.setframerate(44100)
        whole = (want * 2 ** (8 * width - 1)).astype("<i8") + (128 if width == 1 else 0)
        file.writeframes(whole.view("u1").reshape(-1, 8)[:, :width].tobytes())
    sound, rate = read_wav(tmp_path / "a.wav")
    assert rate == 44100
    np.testing.assert_array_equal(sound, want.reshape(2, 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"label_mode": "words"}, "label_mode must be"),
        ({"labels": [1, 2]}, "2 labels, but .* 12 files"),
        ({"label_mode": "binary"}, "two classes, but there are 3"),
        ({"class_names": ["ants"]}, "Name them all"),
        ({"validation_split": 0.2}, "belong together"),
        ({"validation_split": 2.0, "subset": "both"}, "between 0 and 1"),
        ({"validation_split": 0.2, "subset": "test"}, "subset must be"),
        ({"validation_split": 0.2, "subset": "training"}, "Pass seed"),
        ({"validation_split": 0.01, "subset": "both"}, "leaves none for validation"),
        ({"color_mode": "cmyk"}, "color_mode must be"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "exclude each other"),
        ({"format": "csv"}, "format='csv'"),
        ({"batch_size": 0}, "batch_size must be"),
    ],
)
def test_what_does_not_fit_a_folder(images, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        folder(images, **arguments)


def test_folders_that_are_none(tmp_path):
    with pytest.raises(ArgumentError, match="is no folder"):
        folder(tmp_path / "nowhere")
    with pytest.raises(ArgumentError, match="holds no files"):
        folder(tmp_path)


def test_a_model_learns_from_a_folder(images):
    training, validation = folder(images, seed=0, validation_split=0.25, subset="both", batch_size=3)
    x = ramify.Input((4, 5, 3))
    y = ramify.layers.Dense(3, activation="softmax")(ramify.layers.GlobalAveragePooling2D()(x / 255.0))
    model = ramify.Model(x, y)
    model.compile(ramify.optimizers.Adam(0.1), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(training.prefetch(2), validation_data=validation, epochs=30, verbose=0).history
    assert history["accuracy"][-1] == 1.0
    assert history["val_accuracy"][-1] == 1.0


# ---- series ----


def windows(data, targets, length, stride, rate, start=None, end=None):
    """What the arguments mean, said in a loop."""
    data = data[start:end]
    targets = None if targets is None else targets[start:end]
    count = len(data) - (length - 1) * rate
    count = count if targets is None else min(count, len(targets))
    firsts = range(0, count, stride)
    return [data[i : i + length * rate : rate] for i in firsts], None if targets is None else [
        targets[i] for i in firsts
    ]


@pytest.mark.parametrize("targets", [True, False])
@pytest.mark.parametrize(
    "options",
    [{}, {"sequence_stride": 3}, {"sampling_rate": 2}, {"start_index": 5, "end_index": 25, "sequence_stride": 2}],
)
def test_windows_of_a_series(options, targets):
    data = RNG.normal(size=(30, 2)).astype("float32")
    goals = np.arange(30) if targets else None
    made = utils.timeseries_dataset_from_array(data, goals, 4, batch_size=7, **options)
    x = [batch[0] if targets else batch for batch in made]
    want_x, want_y = windows(
        data,
        goals,
        4,
        options.get("sequence_stride", 1),
        options.get("sampling_rate", 1),
        options.get("start_index"),
        options.get("end_index"),
    )
    np.testing.assert_array_equal(torch.cat(x), np.stack(want_x))
    if targets:
        np.testing.assert_array_equal(torch.cat([batch[1] for batch in made]), want_y)
        shuffled = utils.timeseries_dataset_from_array(data, goals, 4, shuffle=True, seed=1, **options)
        first, second = (torch.cat([y for _, y in shuffled]) for _ in range(2))
        assert sorted(first.tolist()) == sorted(second.tolist()) == sorted(map(int, want_y))
        single = utils.timeseries_dataset_from_array(data, goals, 4, batch_size=None, **options)
        np.testing.assert_array_equal(single[1][0], want_x[1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sequence_length": 0}, "sequence_length must be"),
        ({"sequence_stride": 40}, "sequence_stride must be"),
        ({"sequence_length": 20, "sampling_rate": 2}, "spans 39 values"),
        ({"start_index": 20, "end_index": 10}, "mark no part"),
        ({"format": "csv"}, "format='csv'"),
    ],
)
def test_what_does_not_fit_a_series(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        utils.timeseries_dataset_from_array(np.arange(30.0), None, **{"sequence_length": 3, **arguments})


# ---- splits, and what data sets offer ----

X = torch.arange(20.0).reshape(10, 2)
SOURCES = {
    "arrays": (X.numpy(), np.arange(10)),
    "TensorDataset": TensorDataset(X, torch.arange(10)),
    "DataLoader": DataLoader(TensorDataset(X, torch.arange(10)), batch_size=3),
    "batches": SampleDataset(lambda i: (X[i], i), 10, 4),
    "samples": list(zip(X.numpy(), range(10), strict=True)),
}


@pytest.mark.parametrize("name", SOURCES)
def test_splits_of_every_source(name):
    source = SOURCES[name]
    if name == "samples":
        source = iter(source)
    left, right = utils.split_dataset(source, left_size=0.75)
    assert (len(left), len(right)) == (8, 2)
    assert [int(y) for _, y in left] + [int(y) for _, y in right] == [*range(10)]
    np.testing.assert_array_equal(right[0][0], X[8])
    x, y = left.batch(5)[1]
    assert x.shape == (3, 2)
    assert y.tolist() == [5, 6, 7]


def test_a_drawn_split_is_settled_by_its_seed():
    def sides(seed):
        return [
            [int(v) for v in side] for side in utils.split_dataset(np.arange(10), right_size=3, shuffle=True, seed=seed)
        ]

    assert sides(1) == sides(1) != sides(2)
    assert sorted([*sides(1)[0], *sides(1)[1]]) == [*range(10)]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "needs left_size or right_size"),
        ({"left_size": 1.5}, "left_size=1.5"),
        ({"right_size": 10}, "right_size=10"),
        ({"left_size": 0.8, "right_size": 0.8}, "16 together"),
        ({"left_size": True}, "left_size=True"),
    ],
)
def test_splits_that_do_not_fit(sizes, message):
    with pytest.raises(ArgumentError, match=message):
        utils.split_dataset(np.arange(10), **sizes)


def test_splits_of_nothing():
    with pytest.raises(ArgumentError, match="no samples"):
        utils.split_dataset(np.zeros((0, 3)), left_size=0.5)
    with pytest.raises(ArgumentError, match="different numbers"):
        utils.split_dataset((np.arange(3), np.arange(4)), left_size=0.5)
    with pytest.raises(ArgumentError, match="not a int"):
        utils.split_dataset(3, left_size=0.5)


def test_steps_from_one_data_set_to_the_next():
    made = []
    data = SampleDataset(lambda i: (made.append(i), {"x": torch.tensor(float(i)), "name": str(i)})[1], 7, 3)
    assert data[1]["name"] == ["3", "4", "5"]
    assert [len(batch["x"]) for batch in data.skip(1)] == [3, 1]
    assert data.take(1).map(lambda batch: batch["x"] * 2)[0].tolist() == [0, 2, 4]
    assert [sample["name"] for sample in data.unbatch()] == [*"0123456"]
    cached = data.cache()
    made.clear()
    assert [batch["name"] for batch in cached] == [batch["name"] for batch in cached]
    assert made == [*range(7)]
    with pytest.raises(ArgumentError, match="in batches already"):
        data.batch(2)
    with pytest.raises(ArgumentError, match=r"\(2,\), \(3,\)"):
        SampleDataset(lambda i: torch.zeros(i + 2), 2, 2)[0]
    with pytest.raises(IndexError):
        data[3]
