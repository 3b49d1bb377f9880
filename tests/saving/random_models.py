"""Random functional models: one program for `ramify` and for `keras`, drawn from a seed."""

from __future__ import annotations

import random


class Drawn:
    """A model under construction; `k` is the library."""

    def __init__(self, k, seed):
        self.k, self.rng = k, random.Random(seed)
        self.pool = []
        self.kept = {}

    def model(self):
        rng, k = self.rng, self.k
        inputs = [self._input(i) for i in range(rng.randint(1, 3))]
        self.pool = list(inputs)
        for _ in range(rng.randint(4, 12)):
            made = self._step(rng.choice(self.pool[-5:]))
            self.pool += made if isinstance(made, list) else [made]
        ends = self.pool[len(inputs) :][-rng.randint(1, 3) :]
        if rng.random() < 0.3:
            return k.Model(inputs, {f"out_{i}": end for i, end in enumerate(ends)})
        return k.Model(inputs, ends if len(ends) > 1 else ends[0])

    def _input(self, i):
        shape = self.rng.choice([(6,), (6,), (5, 4), (8, 8, 3)])
        return self.k.Input(shape, name=f"in_{i}")

    def _step(self, x):
        choices = {
            2: [self._vector, self._vector, self._elementwise, self._merge, self._nested, self._operation],
            3: [self._sequence, self._sequence, self._elementwise, self._merge, self._operation, self._nested],
            4: [self._image, self._image, self._elementwise, self._merge],
        }
        return self.rng.choice(choices[len(x.shape)])(x)

    def _layer(self, make, x, *args, **kwargs):
        """A new layer, or one that was made for the same size already: weights are shared then."""
        name, *arguments = make
        key = (name, str(arguments), tuple(x.shape[1:]))
        if key not in self.kept or self.rng.random() < 0.6:
            extra = arguments[1] if len(arguments) > 1 else {}
            self.kept[key] = getattr(self.k.layers, name)(*arguments[0], **extra)
        return self.kept[key](x, *args, **kwargs)

    def _vector(self, x):
        size = x.shape[-1]
        return self._layer(
            self.rng.choice(
                [
                    ("Dense", (6,), {"activation": "relu", "kernel_regularizer": "l2"}),
                    ("Dense", (6,), {"activation": "tanh", "use_bias": False}),
                    ("BatchNormalization", ()),
                    ("LayerNormalization", ()),
                    ("UnitNormalization", ()),
                    ("PReLU", ()),
                    ("Reshape", ((1, size),)),
                    ("RepeatVector", (3,)),
                ]
            ),
            x,
        )

    def _sequence(self, x):
        made = self.rng.choice(
            [
                ("LSTM", (4,), {"return_sequences": True}),
                ("GRU", (4,), {"return_sequences": True}),
                ("SimpleRNN", (6,)),
                ("LSTM", (6,)),
                ("Conv1D", (4, 2), {"padding": "causal"}),
                ("EinsumDense", ("btd,de->bte",), {"output_shape": (None, 4), "bias_axes": "e"}),
                ("GlobalAveragePooling1D", ()),
                ("GlobalMaxPooling1D", ()),
                ("LayerNormalization", ()),
                ("MultiHeadAttention", (2, 3)),
                ("Bidirectional", None),
                ("TimeDistributed", None),
                ("Flatten", ()),
                ("SpatialDropout1D", (0.3,)),
            ]
        )
        if made[0] == "MultiHeadAttention":
            return self._layer(made, x, x)
        if made[0] == "Bidirectional":
            return self.k.layers.Bidirectional(self.k.layers.GRU(2, return_sequences=True))(x)
        if made[0] == "TimeDistributed":
            return self.k.layers.TimeDistributed(self.k.layers.Dense(4))(x)
        return self._layer(made, x)

    def _image(self, x):
        return self._layer(
            self.rng.choice(
                [
                    ("Conv2D", (4, 3), {"padding": "same", "activation": "relu"}),
                    ("Conv2D", (4, 2), {"padding": "same", "dilation_rate": 2}),
                    ("DepthwiseConv2D", (3,), {"padding": "same"}),
                    ("SeparableConv2D", (4, 3), {"padding": "same"}),
                    ("BatchNormalization", ()),
                    ("GroupNormalization", (1,)),
                    ("UpSampling2D", ()),
                    ("MaxPooling2D", (2,), {"padding": "same"}),
                    ("AveragePooling2D", (2,), {"padding": "same"}),
                    ("ZeroPadding2D", (1,)),
                    ("Cropping2D", (1,)) if min(x.shape[1:3]) > 3 else ("ReLU", ()),
                    ("GlobalAveragePooling2D", ()),
                    ("GlobalMaxPooling2D", ()),
                    ("Flatten", ()),
                ]
            ),
            x,
        )

    def _elementwise(self, x):
        made = [
            ("Activation", ("gelu",)),
            ("Activation", ("silu",)),
            ("ReLU", (), {"max_value": 3.0, "negative_slope": 0.1}),
            ("LeakyReLU", (0.2,)),
            ("ELU", ()),
            ("Dropout", (0.3,)),
            ("GaussianNoise", (0.1,)),
            ("Rescaling", (0.5, 0.1)),
            ("Softmax", ()),
        ]
        return self._layer(self.rng.choice(made), x)

    def _merge(self, x):
        alike = [t for t in self.pool if tuple(t.shape) == tuple(x.shape)]
        others = [self.rng.choice(alike) for _ in range(self.rng.randint(1, 2))]
        name = self.rng.choice(["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Subtract"])
        return getattr(self.k.layers, name)()([x, *(others[:1] if name == "Subtract" else others)])

    def _nested(self, x):
        """A model in the model, called once or twice."""
        i = self.k.Input(x.shape[1:])
        inner = self.k.layers.Dense(x.shape[-1])(i)
        if self.rng.random() < 0.5:
            deep = self.k.Sequential([self.k.Input(x.shape[1:]), self.k.layers.Dense(x.shape[-1], activation="tanh")])
            inner = deep(inner)
        made = self.k.Model(i, self.k.layers.LayerNormalization()(inner))
        return made(made(x)) if self.rng.random() < 0.5 else made(x)

    def _operation(self, x):
        o = self.k.ops
        made = [
            lambda: x * 0.5 + 1.0,
            lambda: 1.0 - x,
            lambda: x / (abs(x) + 1.0),
            lambda: -(x**2),
            lambda: x[..., :3],
            lambda: o.concatenate([x, x], axis=-1),
            lambda: o.tanh(o.clip(x, -1.0, 1.0)),
            lambda: o.softmax(x, axis=-1),
            lambda: o.where(x > 0, x, 0.1 * x),
            lambda: o.mean(x, axis=-1, keepdims=True),
            lambda: o.maximum(x, o.roll(x, 1, axis=-1)),
            lambda: o.split(x, 2, axis=-1) if x.shape[-1] % 2 == 0 else o.square(x),
            lambda: o.cumsum(x, axis=-1),
            lambda: o.matmul(x, o.ones((x.shape[-1], 4))),
        ]
        return self.rng.choice(made)()


def build(k, seed):
    """The model of a seed."""
    return Drawn(k, seed).model()
