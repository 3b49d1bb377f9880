"""Numbers, whole numbers, words and sounds on their way into a model."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.contract.row import Row, indices, words

SOME = ((2, 3), (2, 5, 3))
TABLES = "Keras needs TensorFlow for it; tests/layers/preprocessing/keras_answers.json has what it answered there"
STRINGS = "torch has no strings: the layer takes lists and arrays of them outside of models"
MODES = st.sampled_from(["multi_hot", "one_hot", "count"])

ROWS = [
    Row("Rescaling", {"scale": 0.5}, SOME, known=(), options={"scale": st.floats(-2, 2), "offset": st.floats(-2, 2)}),
    Row(
        "Normalization",
        {"mean": 0.5, "variance": 4.0},
        SOME,
        options={
            "mean": st.floats(-2, 2),
            "variance": st.floats(0.1, 2),
            "axis": st.sampled_from([-1, None]),
            "invert": st.booleans(),
        },
    ),
    Row(
        "Discretization",
        {"bin_boundaries": [-1.0, 0.0, 0.5]},
        SOME,
        options={"output_mode": MODES | st.just("int"), "bin_boundaries": st.sampled_from([[0.0], [-1.0, 1.0]])},
        keeps=dict.fromkeys(("num_bins", "epsilon"), "what `adapt` is given; the family's tests have them"),
        exceptions={"drawn ranks": "Keras counts over other axes of three"},
    ),
    Row(
        "CategoryEncoding",
        {"num_tokens": 7},
        ((4, 3), (4, 1)),
        make=indices(7),
        options={"output_mode": MODES, "num_tokens": st.integers(7, 9)},
        exceptions={"dtypes": "under a mixed policy, Keras declares the dtype of computation and returns float32"},
    ),
    Row(
        "Hashing",
        {"num_bins": 5},
        ((4, 3), (4, 1)),
        make=indices(90),
        options={
            "num_bins": st.integers(1, 9),
            "mask_value": st.none() | st.integers(0, 9),
            "salt": st.none() | st.integers(0, 9) | st.tuples(st.integers(0, 9), st.integers(0, 9)),
            "output_mode": MODES | st.just("int"),
        },
        exceptions={"keras": TABLES},
    ),
    Row(
        "HashedCrossing",
        {"num_bins": 5},
        ([(4,), (4,)], [(4, 1), (4, 1)]),
        make=indices(9),
        options={"num_bins": st.integers(1, 9), "output_mode": st.sampled_from(["int", "one_hot"])},
        exceptions={"keras": TABLES},
    ),
    Row(
        "IntegerLookup",
        {"vocabulary": [4, 5, 9]},
        ((4, 3), (4, 1)),
        make=indices(12),
        options={
            "output_mode": MODES | st.just("int"),
            "num_oov_indices": st.integers(0, 3),
            "mask_token": st.none() | st.just(0),
            "oov_token": st.integers(-2, -1),
            "pad_to_max_tokens": st.booleans(),
            "max_tokens": st.none() | st.integers(6, 9),
            "vocabulary": st.sampled_from([[4, 5], [7, 3, 1, 2]]),
        },
        keeps={
            **dict.fromkeys(("idf_weights", "invert", "vocabulary_dtype"), "the family's tests have them"),
            **dict.fromkeys(("salt", "oov_method"), "for tables of several unknowns; the family's tests have them"),
        },
        exceptions={"keras": TABLES, "unknown words": "without a place for them, an unknown number is refused"},
    ),
    Row(
        "StringLookup",
        {"vocabulary": ["a", "b"]},
        ((4, 3),),
        make=words,
        exceptions={"keras": TABLES, "graph": STRINGS, "options": "keras_answers.json draws them"},
    ),
    Row(
        "TextVectorization",
        {"vocabulary": ["a", "b"]},
        ((4,),),
        make=words,
        exceptions={"keras": TABLES, "graph": STRINGS, "options": "keras_answers.json draws them"},
    ),
    Row(
        "STFTSpectrogram",
        {"frame_length": 64, "frame_step": 32},
        ((2, 200, 1), (2, 200, 3)),
        tolerance=(1e-4, "the kernels are sines, which libraries round each in its way"),
        keeps={"data_format": "swaps what must be long; the family's tests have both"},
        options={
            "mode": st.sampled_from(["log", "magnitude", "psd", "real", "imag", "angle", "stft"]),
            "frame_length": st.sampled_from([32, 64]),
            "frame_step": st.sampled_from([16, 32]),
            "fft_length": st.sampled_from([None, 64, 128]),
            "window": st.sampled_from(["hann", "hamming", "tukey", "blackman", None]),
            "periodic": st.booleans(),
            "scaling": st.sampled_from(["density", "spectrum", None]),
            "expand_dims": st.booleans(),
        },
    ),
    Row(
        "MelSpectrogram",
        {"fft_length": 128, "sequence_stride": 64, "num_mel_bins": 8},
        ((2, 300),),
        known=(),
        tolerance=(1e-4, "decibels of sums that nearly cancel"),
        exceptions={"rank": "what Keras makes of more axes is no sound"},
        options={
            "fft_length": st.sampled_from([64, 128]),
            "sequence_stride": st.sampled_from([32, 64]),
            "sequence_length": st.sampled_from([None, 64]),
            "window": st.sampled_from(["hann", "hamming", None]),
            "sampling_rate": st.sampled_from([8000, 16000]),
            "num_mel_bins": st.integers(4, 12),
            "min_freq": st.sampled_from([20.0, 100.0]),
            "max_freq": st.sampled_from([None, 3000.0]),
            "power_to_db": st.booleans(),
            "top_db": st.floats(20, 90),
            "mag_exp": st.sampled_from([1.0, 2.0]),
            "min_power": st.sampled_from([1e-10, 1e-3]),
            "ref_power": st.sampled_from([1.0, 10.0]),
        },
    ),
]
