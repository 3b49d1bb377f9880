"""Data sets out of folders of files: one folder for each class."""

from __future__ import annotations

import os
import sys
import wave
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ramify import image_format
from ramify.errors import ArgumentError
from ramify.ops.image.resize import resize
from ramify.utils.arrays import to_categorical
from ramify.utils.images import load_img, smart_resize
from ramify.utils.samples import SampleDataset

IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp")


def image_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: tuple[int, int] = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Images out of a folder, with labels out of the names of the folders inside.

    Args:
        directory: folder with a folder for each class; the images lie anywhere below.
        labels: ``"inferred"`` from the folders; ``None`` for no labels; or a whole number for each image, in the order
            of their sorted paths.
        label_mode: ``"int"``; ``"categorical"`` for one-hot rows; ``"binary"`` for 0.0 and 1.0 of shape
            ``(batch, 1)``; ``None`` for images alone.
        class_names: the folders in the order that numbers them; sorted when ``None``.
        color_mode: ``"grayscale"``, ``"rgb"`` or ``"rgba"``: 1, 3 or 4 channels.
        batch_size: samples in a batch; ``None`` gives single samples.
        image_size: height and width that all images get.
        shuffle: whether the order of files is drawn; and every pass has its own order.
        seed: settles the draws.
        validation_split: share of the files, the last ones after the draw, that is kept for validation.
        subset: ``"training"``, ``"validation"`` or ``"both"``, with `validation_split`.
        interpolation: as `ramify.ops.image.resize` takes it.
        follow_links: whether links to folders are followed.
        crop_to_aspect_ratio: cut away what would change the proportions.
        pad_to_aspect_ratio: put black around instead.
        data_format: ``"channels_last"`` or ``"channels_first"``; the global setting when ``None``.
        format: accepted for Keras's sake; the result is of this library whatever it says.
        verbose: whether to print how many files were found.

    Returns:
        A `SampleDataset` with `class_names` and `file_paths`; two for ``"both"``. Images are float32 from 0 to 255, of
        shape ``(batch, height, width, channels)``.

    Raises:
        ArgumentError: no files, labels that do not fit, or arguments outside their range.
        ImportError: Pillow is not installed.
    """
    _known(format)
    channels_first = image_format.checked_data_format(data_format, "image_dataset_from_directory") == "channels_first"
    if color_mode not in ("grayscale", "rgb", "rgba"):
        raise ArgumentError(f"color_mode must be 'grayscale', 'rgb' or 'rgba', but is {color_mode!r}.")
    if crop_to_aspect_ratio and pad_to_aspect_ratio:
        raise ArgumentError("crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other. Choose one.")
    height, width = image_size

    def read(path: str) -> torch.Tensor:
        image = torch.from_numpy(np.array(load_img(path, color_mode), dtype="float32"))
        image = image[..., None] if image.ndim == 2 else image
        if crop_to_aspect_ratio:
            image = smart_resize(image, (height, width), interpolation)
        else:
            options: dict[str, Any] = {"data_format": "channels_last", "pad_to_aspect_ratio": pad_to_aspect_ratio}
            image = resize(image, (height, width), interpolation, **options)
        return image.movedim(-1, 0) if channels_first else image

    chosen = _Choice(directory, labels, label_mode, class_names, IMAGES, follow_links, verbose)
    return chosen.datasets(read, batch_size, shuffle, seed, validation_split, subset, workers=4)


def text_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """Texts (``.txt``, UTF-8) out of a folder, with labels out of the names of the folders inside.

    Args:
        directory: folder with a folder for each class.
        labels: as in `image_dataset_from_directory`.
        label_mode: likewise.
        class_names: likewise.
        batch_size: likewise.
        max_length: bytes that a text is cut to.
        shuffle: as in `image_dataset_from_directory`.
        seed: likewise.
        validation_split: likewise.
        subset: likewise.
        follow_links: likewise.
        format: likewise.
        verbose: likewise.

    Returns:
        A `SampleDataset` of lists of strings and labels; ``.map(lambda x, y: (vectorize(x), y))`` makes numbers.

    Raises:
        ArgumentError: as `image_dataset_from_directory`.
    """
    _known(format)

    def read(path: str) -> str:
        return Path(path).read_bytes()[:max_length].decode("utf-8", "replace")

    chosen = _Choice(directory, labels, label_mode, class_names, (".txt",), follow_links, verbose)
    return chosen.datasets(read, batch_size, shuffle, seed, validation_split, subset)


def audio_dataset_from_directory(
    directory: str | os.PathLike[str],
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
) -> Any:
    """Sounds (``.wav``) out of a folder, with labels out of the names of the folders inside.

    Args:
        directory: folder with a folder for each class.
        labels: as in `image_dataset_from_directory`.
        label_mode: likewise.
        class_names: likewise.
        batch_size: likewise.
        sampling_rate: samples per second that all sounds get (this needs SciPy); their own when ``None``.
        output_sequence_length: samples that all sounds are cut or filled up to; those of the longest in a batch when
            ``None``.
        ragged: must be false: tensors have one length.
        shuffle: as in `image_dataset_from_directory`.
        seed: likewise.
        validation_split: likewise.
        subset: likewise.
        follow_links: likewise.
        verbose: likewise.

    Returns:
        A `SampleDataset`; sounds are float32 from -1 to 1, of shape ``(batch, samples, channels)``.

    Raises:
        ArgumentError: as `image_dataset_from_directory`; `ragged`.
        ImportError: SciPy is not installed and `sampling_rate` asks for it.
    """
    if ragged:
        raise ArgumentError(
            "There are no ragged tensors here. Leave `ragged` out: short sounds are filled up with zeros."
        )

    def read(path: str) -> torch.Tensor:
        sound, rate = read_wav(path)
        if sampling_rate is not None and rate != sampling_rate:
            sound = _resampled(sound, rate, sampling_rate)
        if output_sequence_length is not None:
            sound = sound[:output_sequence_length]
            sound = np.pad(sound, ((0, output_sequence_length - len(sound)), (0, 0)))
        return torch.from_numpy(sound)

    chosen = _Choice(directory, labels, label_mode, class_names, (".wav",), follow_links, verbose)
    return chosen.datasets(read, batch_size, shuffle, seed, validation_split, subset)


def read_wav(path: str | os.PathLike[str]) -> tuple[np.ndarray, int]:
    """A sound in whole numbers of 8, 16, 24 or 32 bits, as float32 from -1 to 1 of shape ``(samples, channels)``.

    Returns:
        The sound and its samples per second.

    Raises:
        ArgumentError: another kind of file.
    """
    try:
        with wave.open(str(path)) as file:
            width, channels, rate = file.getsampwidth(), file.getnchannels(), file.getframerate()
            raw = np.frombuffer(file.readframes(file.getnframes()), np.uint8)
    except (wave.Error, EOFError) as error:
        raise ArgumentError(f"{path} is no WAV file in whole numbers ({error}). Convert it to 16-bit PCM.") from error
    if width == 1:
        values = raw.astype("float32") / 128 - 1  # the only kind without a sign
    else:
        bits = np.zeros((len(raw) // width, 4), np.uint8)
        bits[:, 4 - width :] = raw.reshape(-1, width)
        values = (bits.view("<i4")[:, 0] / 2.0**31).astype("float32")
    return values.reshape(-1, channels), rate


def _resampled(sound: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    try:
        from scipy.signal import resample_poly
    except ImportError as error:
        raise ImportError("Changing a sound's sampling rate needs SciPy: pip install scipy.") from error
    divisor = int(np.gcd(rate, wanted))
    made: np.ndarray = resample_poly(sound, wanted // divisor, rate // divisor, axis=0).astype("float32")
    return made


def _tell(line: str) -> None:
    sys.stdout.write(f"{line}\n")


def _known(format_: str) -> None:
    if format_ not in ("tf", "grain", "torch"):
        raise ArgumentError(f"format={format_!r} is unknown. Leave it out.")


class _Choice:
    """The files of a folder and their labels."""

    def __init__(
        self,
        directory: str | os.PathLike[str],
        labels: Any,
        label_mode: str | None,
        class_names: Sequence[str] | None,
        endings: tuple[str, ...],
        follow_links: bool,
        verbose: bool,
    ) -> None:
        self.root, self.verbose = Path(directory), verbose
        if not self.root.is_dir():
            raise ArgumentError(f"{self.root} is no folder. Pass the folder that holds one folder for each class.")
        if label_mode not in ("int", "categorical", "binary", None):
            raise ArgumentError(f"label_mode must be 'int', 'categorical', 'binary' or None, but is {label_mode!r}.")
        self.label_mode = None if labels is None else label_mode
        inferred = isinstance(labels, str) and labels == "inferred"
        if class_names is not None and not inferred:
            raise ArgumentError(
                "class_names orders the folders, so it goes with labels='inferred' alone. Leave it out."
            )
        folders = sorted(p.name for p in self.root.iterdir() if p.is_dir()) if inferred else []
        if class_names is not None and set(class_names) != set(folders):
            raise ArgumentError(f"class_names is {sorted(class_names)}, but the folders are {folders}. Name them all.")
        self.names = list(class_names) if class_names is not None else folders
        self.files: list[str] = []
        numbers: list[int] = []
        for number, name in enumerate(self.names) if inferred else [(0, "")]:
            found = sorted(_below(self.root / name, endings, follow_links))
            self.files += found
            numbers += [number] * len(found)
        if not self.files:
            raise ArgumentError(f"{self.root} holds no files with the endings {', '.join(endings)}. Check the folder.")
        self.labels: np.ndarray | None = None
        if self.label_mode is not None:
            self.labels = np.array(numbers) if inferred else self._given(labels)
            if not inferred:
                self.names = [str(label) for label in sorted(set(self.labels.tolist()))]
            if self.label_mode == "binary" and len(self.names) != 2:
                raise ArgumentError(f"label_mode='binary' takes two classes, but there are {len(self.names)}.")
        if verbose:
            classes = f" belonging to {len(self.names)} classes" if self.labels is not None else ""
            _tell(f"Found {len(self.files)} files{classes}.")

    def _given(self, labels: Any) -> np.ndarray:
        if not isinstance(labels, (list, tuple, np.ndarray)):
            raise ArgumentError(f"labels is 'inferred', None or a list of whole numbers, not {labels!r:.60}.")
        if len(labels) != len(self.files):
            raise ArgumentError(
                f"There are {len(labels)} labels, but {self.root} holds {len(self.files)} files. Give one for each, in "
                "the order of the sorted paths."
            )
        return np.asarray(labels, dtype="int64")

    def datasets(
        self,
        read: Callable[[str], Any],
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
        validation_split: float | None,
        subset: str | None,
        workers: int = 1,
    ) -> Any:
        """The data set of the files, or of the part that was asked for."""
        if (validation_split is None) != (subset is None):
            raise ArgumentError("validation_split and subset belong together. Pass both, or neither.")
        if validation_split is not None and not 0 < validation_split < 1:
            raise ArgumentError(f"validation_split must lie between 0 and 1, but is {validation_split}.")
        if subset not in (None, "training", "validation", "both"):
            raise ArgumentError(f"subset must be 'training', 'validation' or 'both', but is {subset!r}.")
        if subset in ("training", "validation") and shuffle and seed is None:
            raise ArgumentError("Two calls draw the same split with the same seed alone. Pass seed, or shuffle=False.")
        if shuffle and seed is None:
            seed = int(np.random.randint(10**6))  # noqa: NPY002 -- set_random_seed's
        order = np.arange(len(self.files))
        if shuffle:
            np.random.RandomState(seed).shuffle(order)  # the draw that Keras makes, so its splits
        if validation_split is None:
            return self._one(order, read, batch_size, shuffle, seed, workers)
        cut = len(order) - int(validation_split * len(order))
        if cut == len(order):
            raise ArgumentError(f"validation_split={validation_split} of {cut} files leaves none for validation.")
        parts = {"training": order[:cut], "validation": order[cut:]}
        for name in parts if subset == "both" else (str(subset),):
            if self.verbose:
                _tell(f"Using {len(parts[name])} files for {name}.")
        if subset == "both":
            training = self._one(parts["training"], read, batch_size, shuffle, seed, workers)
            return training, self._one(parts["validation"], read, batch_size, False, seed, workers)
        return self._one(parts[str(subset)], read, batch_size, shuffle, seed, workers)

    def _one(
        self,
        order: np.ndarray,
        read: Callable[[str], Any],
        batch_size: int | None,
        shuffle: bool,
        seed: int | None,
        workers: int,
    ) -> SampleDataset:
        files = [self.files[i] for i in order]
        labels = None if self.labels is None else self._as_tensors(self.labels[order])

        def sample(i: int) -> Any:
            return read(files[i]) if labels is None else (read(files[i]), labels[i])

        made = _Files(sample, len(files), batch_size, shuffle, seed, workers)
        made.file_paths, made.class_names = files, self.names if self.labels is not None else None
        return made

    def _as_tensors(self, labels: np.ndarray) -> torch.Tensor:
        if self.label_mode == "categorical":
            return torch.from_numpy(to_categorical(labels, len(self.names))).float()
        if self.label_mode == "binary":
            return torch.from_numpy(labels.astype("float32"))[:, None]
        return torch.from_numpy(labels.astype("int32"))


class _Files(SampleDataset):
    """Samples out of files, of which sounds may have different lengths."""

    def _made(self, numbers: np.ndarray) -> list[Any]:
        made = super()._made(numbers)
        parts = [one if isinstance(one, tuple) else (one,) for one in made]
        if not isinstance(parts[0][0], torch.Tensor) or parts[0][0].ndim != 2:
            return made
        longest = max(len(part[0]) for part in parts)
        filled = [torch.nn.functional.pad(part[0], (0, 0, 0, longest - len(part[0]))) for part in parts]
        return [(one, *part[1:]) if len(part) > 1 else one for one, part in zip(filled, parts, strict=True)]


def _below(folder: Path, endings: tuple[str, ...], follow_links: bool) -> list[str]:
    return [
        str(Path(where, name))
        for where, _, names in os.walk(folder, followlinks=follow_links)
        for name in names
        if name.lower().endswith(endings)
    ]
