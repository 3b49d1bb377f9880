"""An einsum equation of an input and a kernel, taken apart: which letter has which size."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ramify.errors import ArgumentError, ShapeError

Shape = tuple[int | None, ...]

_FORMS = re.compile(r"(\.\.\.)?([a-zA-Z]+)(\.\.\.)?,([a-zA-Z]+)->(\.\.\.)?([a-zA-Z]+)(\.\.\.)?")


@dataclass(frozen=True)
class Equation:
    """Letters of input, kernel and output; and on which side axes are left out (``"left"``, ``"right"`` or ``""``)."""

    inputs: str
    kernel: str
    outputs: str
    dots: str

    @classmethod
    def parse(cls, text: str) -> Equation:
        """Read ``"ab,bc->ac"``, ``"...b,bc->...c"`` or ``"ab...,bc->ac..."``.

        Raises:
            ArgumentError: any other form, or a letter whose size nothing can tell.

        >>> Equation.parse("abc,cd->abd").kernel
        'cd'
        """
        match = _FORMS.fullmatch(text.replace(" ", ""))
        if match is None:
            raise ArgumentError(
                f"'{text}' is no equation of an input and a kernel. Write it as 'ab,bc->ac', '...b,bc->...c' or "
                "'ab...,bc->ac...'."
            )
        left_in, inputs, right_in, kernel, left_out, outputs, right_out = match.groups()
        if (left_in, right_in) != (left_out, right_out) or (left_in and right_in):
            raise ArgumentError(f"'{text}' must have '...' on one side, the same for input and output.")
        unknown = [c for c in kernel if c not in inputs + outputs] + [c for c in outputs if c not in inputs + kernel]
        if unknown:
            raise ArgumentError(
                f"The letter '{unknown[0]}' in '{text}' has no size: it must stand in two of the parts."
            )
        return cls(inputs, kernel, outputs, "left" if left_in else "right" if right_in else "")

    @property
    def trailing(self) -> int:
        """How many last axes of the input are summed, if it is a plain matrix product over them; else 0."""
        if self.dots == "right":
            return 0
        for count in range(1, len(self.inputs) + 1):
            kept, summed = self.inputs[:-count], self.inputs[-count:]
            made = self.kernel[count:]
            plain = self.kernel.startswith(summed) and made and self.outputs == kept + made
            if plain and len(set(kept + summed + made)) == len(kept + summed + made):
                return count
        return 0

    def weight_shapes(
        self, input_shape: Shape, output_shape: Shape, bias_axes: str | None
    ) -> tuple[Shape, Shape | None]:
        """The shapes of kernel and bias.

        Args:
            input_shape: the input's, with the batch axis.
            output_shape: the output's, without the batch axis and what ``...`` stands for.
            bias_axes: the output's axes that the bias has.

        Raises:
            ShapeError: sizes that contradict one another, or that are needed and not known.
        """
        passed = len(input_shape) - len(self.inputs)
        if passed < 0 or (passed and not self.dots):
            raise ShapeError(f"an input of shape {input_shape} has not the axes '{self.inputs}'.")
        named = input_shape[passed:] if self.dots == "left" else input_shape[: len(self.inputs)]
        sizes = dict(zip(self.inputs, named, strict=True))
        made = self._output_sizes(output_shape, input_shape[0], sizes)
        for letter, size in made.items():
            if size is not None and letter in sizes and sizes[letter] not in (size, None):
                raise ShapeError(
                    f"axis '{letter}' has size {sizes[letter]} in the input but {size} in output_shape={output_shape}. "
                    "Make them equal, or write None in `output_shape`."
                )
        sizes = {**made, **{letter: size for letter, size in sizes.items() if size is not None}}
        kernel = tuple(self._known(letter, sizes, input_shape) for letter in self.kernel)
        if not bias_axes:
            return kernel, None
        absent = [letter for letter in bias_axes if letter not in self.outputs]
        if absent:
            raise ShapeError(f"the bias has an axis '{absent[0]}' that is not among '{self.outputs}'.")
        first = min(self.outputs.index(letter) for letter in bias_axes)
        own = [self._known(c, sizes, input_shape) if c in bias_axes else 1 for c in self.outputs[first:]]
        return kernel, (*own, *([1] * passed if self.dots == "right" else []))

    def _output_sizes(
        self, output_shape: Shape, batch: int | None, sizes: dict[str, int | None]
    ) -> dict[str, int | None]:
        """Output letter -> size as far as `output_shape` tells it; the first letter is the batch unless dots are."""
        letters, given = self.outputs, (batch, *output_shape)
        if self.dots == "left":
            given = output_shape
            letters = letters[-len(given) :] if len(given) < len(letters) else letters
            given = given[len(given) - len(letters) :]
        elif self.dots == "right":
            given = given[: len(letters)]
        if len(given) != len(letters):
            raise ShapeError(
                f"output_shape={output_shape} does not name the axes '{self.outputs}' (the first is the batch). "
                "Give one size for each of the others."
            )
        return {c: sizes.get(c) if size is None else size for c, size in zip(letters, given, strict=True)}

    def _known(self, letter: str, sizes: dict[str, int | None], input_shape: Shape) -> int:
        size = sizes.get(letter)
        if size is None:
            raise ShapeError(
                f"a weight has the axis '{letter}', whose size is not known for an input of "
                f"shape {input_shape}. "
                "Give it in `Input(shape=...)` or in `output_shape`."
            )
        return size
