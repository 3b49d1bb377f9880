"""`Saver`: the methods of a model that write files and read weights."""

from __future__ import annotations

import os
from typing import Any

from ramify.saving import checkpoint, models, weights
from ramify.saving import export as exporting
from ramify.saving.report import LoadReport


class Saver:
    """Mixin for models."""

    def save(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Save the model with its weights, how it was compiled, and its optimizer's state. See `saving.save_model`.

        Args:
            filepath: where to, ending in ``.keras``.
            overwrite: whether a file of that name may be replaced.
            zipped: must be true or not given.
            **kwargs: none are taken.
        """
        models.save_model(self, filepath, overwrite, zipped, **kwargs)  # type: ignore[arg-type]

    def save_weights(
        self, filepath: str | os.PathLike[str], overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Save the weights. See `saving.save_weights`.

        Args:
            filepath: ends in ``.weights.h5`` or ``.safetensors``; with `max_shard_size`, in ``.weights.json``.
            overwrite: whether a file of that name may be replaced.
            max_shard_size: in GiB; the weights are spread over files of at most this size.
        """
        weights.save_weights(self, filepath, overwrite, max_shard_size)  # type: ignore[arg-type]

    def load_weights(self, filepath: str | os.PathLike[str], skip_mismatch: bool = False, **kwargs: Any) -> LoadReport:
        """Load the weights. See `saving.load_weights`.

        Args:
            filepath: a ``.weights.h5``, ``.weights.json``, ``.keras``, ``.safetensors`` or ``.h5`` file.
            skip_mismatch: leave weights that do not fit as they are, and warn, instead of raising.
            **kwargs: `by_name`: whether layers are told by their names, those that the file lacks staying as they are.

        Returns:
            What was loaded and what was not.
        """
        return weights.load_weights(self, filepath, skip_mismatch, **kwargs)  # type: ignore[arg-type]

    def export(
        self,
        filepath: str | os.PathLike[str],
        format: str | None = None,
        verbose: bool | None = None,
        input_signature: Any = None,
        **kwargs: Any,
    ) -> None:
        """Write what the model computes in inference as a program that runs without this library.

        Args:
            filepath: where to; ends in ``.pt2`` (`torch.export.load` reads it) or ``.onnx``.
            format: ``"torch"`` or ``"onnx"``; by the ending when not given.
            verbose: whether to say where the file is; true when not given.
            input_signature: shapes and dtypes of the inputs, such as `InputSpec`, nested as the model takes them.
                Its own inputs when not given.
            **kwargs: for ONNX, passed to `torch.onnx.export`, such as ``opset_version=18``.
        """
        exporting.export(self, filepath, format, verbose, input_signature, **kwargs)  # type: ignore[arg-type]

    def to_json(self, **kwargs: Any) -> str:
        """The architecture, and how the model was compiled, as JSON; `models.model_from_json` reads it.

        Args:
            **kwargs: passed to `json.dumps`, such as ``indent=2``.
        """
        return models.to_json(self, **kwargs)  # type: ignore[arg-type]

    def save_checkpoint(self, filepath: str | os.PathLike[str], overwrite: bool = True) -> None:
        """Save all that training goes on from. See `saving.save_checkpoint`.

        Args:
            filepath: where to; ``.ckpt`` is the usual ending.
            overwrite: whether a file of that name may be replaced.
        """
        checkpoint.save_checkpoint(self, filepath, overwrite)

    def load_checkpoint(self, filepath: str | os.PathLike[str]) -> None:
        """Load what `save_checkpoint` saved. See `saving.load_checkpoint`.

        Args:
            filepath: the file, or a folder of `OrbaxCheckpoint`.
        """
        checkpoint.load_checkpoint(self, filepath)

    def training_state(self) -> checkpoint.Snapshot:
        """A copy of all that training goes on from, to be written while it does."""
        return checkpoint.Snapshot(self)

    def open_checkpoint(self, filepath: str | os.PathLike[str]) -> checkpoint.Checkpoint:
        """Read a checkpoint, and compare its checksum, without loading it yet.

        Args:
            filepath: the file.
        """
        return checkpoint.Checkpoint(filepath)
