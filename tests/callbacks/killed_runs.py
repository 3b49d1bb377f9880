"""Training that is killed again and again, and must end as if it had not been. Run by test_backup_and_restore.py.

A script, so that nothing but the main thread is there when it forks: each attempt is a process of its own that ends by
SIGKILL at a random moment, and importing torch only once keeps that fast.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch

import ramify
from ramify import callbacks, layers

SIZE, BATCH, EPOCHS = 96, 8, 4


def arrays():
    rng = np.random.default_rng(5)
    x = rng.random((SIZE, 6), dtype=np.float32)
    return x, [x.sum(1, keepdims=True), x[:, :2] - x[:, 2:4]]


class Batches(ramify.utils.PyDataset):
    """Draws noise from NumPy's global generator and shuffles with one of its own, between epochs."""

    def __init__(self):
        super().__init__()
        self.x, self.y = arrays()
        self.rng = np.random.default_rng(11)
        self.order = np.arange(SIZE)

    def __len__(self):
        return SIZE // BATCH

    def on_epoch_begin(self):
        self.order = self.rng.permutation(SIZE)

    def __getitem__(self, index):
        rows = self.order[index * BATCH : (index + 1) * BATCH]
        noise = np.random.normal(scale=0.01, size=(BATCH, 6)).astype("float32")
        return self.x[rows] + noise, [y[rows] for y in self.y]


def generator():
    x, y = arrays()
    rng = random.Random(3)
    while True:
        rows = rng.sample(range(SIZE), BATCH)
        yield x[rows], [part[rows] for part in y]


class Samples(torch.utils.data.Dataset):
    def __init__(self):
        self.x, self.y = arrays()

    def __len__(self):
        return SIZE

    def __getitem__(self, i):
        return self.x[i] + random.gauss(0, 0.01), [part[i] for part in self.y]


def data(kind):
    """Arguments of `fit`."""
    x, y = arrays()
    if kind == "arrays":
        return {"x": x, "y": y, "batch_size": BATCH, "validation_split": 0.25}
    if kind == "steps":
        return {"x": x, "y": y, "batch_size": BATCH, "steps_per_epoch": 7, "validation_data": (x, y)}
    if kind == "generator":
        return {"x": generator(), "steps_per_epoch": 11}
    if kind == "dataset":
        return {"x": Batches(), "validation_data": Batches(), "validation_steps": 5}
    own = torch.Generator().manual_seed(7)
    return {"x": torch.utils.data.DataLoader(Samples(), BATCH, shuffle=True, generator=own)}


def optimizer(kind):
    schedule = ramify.optimizers.schedules.CosineDecay(0.01, 40)
    return {
        "arrays": lambda: ramify.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
        "steps": lambda: ramify.optimizers.LossScaleOptimizer(ramify.optimizers.SGD(0.01, momentum=0.9), 2.0**6, 5),
        "generator": lambda: ramify.optimizers.AdamW(schedule, gradient_accumulation_steps=2),
        "dataset": lambda: torch.optim.Adam,
        "loader": lambda: ramify.optimizers.Nadam(0.01, clipnorm=1.0),
    }[kind]()


def make(kind):
    ramify.utils.set_random_seed(1)
    x = ramify.Input((6,))
    h = layers.BatchNormalization()(layers.Dense(16, activation="relu")(x))
    h = layers.Dropout(0.2)(layers.GaussianNoise(0.05, seed=4)(h))
    h = layers.Dropout(0.1, seed=ramify.random.SeedGenerator(9))(h)
    outputs = [layers.Dense(1, name="a")(h), layers.Dense(2, name="b", kernel_regularizer="l2")(h)]
    model = ramify.Model(x, outputs)
    model.compile(optimizer(kind), ["mse", "mae"], metrics=[["mae", "r2_score"], ["mse"]])
    return model


class Tell(callbacks.Callback):
    """Writes a byte into a pipe at every batch, so that the parent knows how far it is."""

    def __init__(self, pipe):
        super().__init__()
        self.pipe = pipe

    def on_train_batch_begin(self, batch, logs=None):
        os.write(self.pipe, b".")


def train(kind, folder, freq, pipe):
    model = make(kind)
    watched = [
        Tell(pipe),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.EarlyStopping("loss", patience=50, restore_best_weights=kind == "dataset"),
        callbacks.BackupAndRestore(folder / "backup", save_freq=freq, double_checkpoint=freq == 1),
    ]
    if kind in ("arrays", "loader"):
        watched.append(callbacks.ReduceLROnPlateau("a_loss", patience=1, min_delta=0.05, factor=0.7))
    if kind == "arrays":
        watched.append(callbacks.SwapEMAWeights(swap_on_epoch=True))
    history = model.fit(**data(kind), epochs=EPOCHS, verbose=0, callbacks=watched)
    return fingerprints(model, history, folder)


def fingerprints(model, history, folder):
    """Digests of everything that must be the same."""

    def digest(values):
        return hashlib.sha256(b"".join(np.ascontiguousarray(np.asarray(v)).tobytes() for v in values)).hexdigest()

    inner = getattr(model.optimizer, "optimizer", None)
    state = inner.state_dict()["state"].values() if inner is not None else ()
    return {
        "weights": digest(model.get_weights()),
        "optimizer": digest([v.numpy() for v in model.optimizer.variables]),
        "inner": digest([tensor.numpy() for slot in state for tensor in slot.values()]),
        "history": json.dumps([history.epoch, history.history]),
        "log": (folder / "log.csv").read_text(),
        "random": digest([torch.rand(3).numpy(), np.random.rand(3), np.array(random.random())]),
        "left": sorted(path.name for path in (folder / "backup").iterdir()),
    }


def attempt(kind, freq, folder, kill_at):
    """One process; killed some seconds after a number of batches, if it is not done by then. Whether it was killed."""
    hear, tell = os.pipe()
    child = os.fork()
    if not child:
        os.close(hear)
        try:
            (folder / "result.json").write_text(json.dumps(train(kind, folder, freq, tell)))
        except BaseException as error:  # noqa: BLE001 - whatever it is, the parent tells
            (folder / "error.txt").write_text(repr(error))
        finally:
            os._exit(0)
    os.close(tell)
    if kill_at is not None:
        batches, seconds = kill_at
        while batches and os.read(hear, 1):
            batches -= 1
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
    while os.read(hear, 4096):
        pass
    os.close(hear)
    _, status = os.waitpid(child, 0)
    if (folder / "error.txt").exists():
        raise RuntimeError((folder / "error.txt").read_text())
    return os.WIFSIGNALED(status)


def whole(kind, freq, place):
    """The result of a run that nobody kills, and about how many seconds each of its batches took."""
    folder = place / f"whole-{kind}-{freq}"
    folder.mkdir()
    start = time.perf_counter()
    attempt(kind, freq, folder, None)
    return json.loads((folder / "result.json").read_text()), (time.perf_counter() - start) / 40


def main(runs, kills, seed):
    """Print how many runs were killed how often, and what differed."""
    torch.set_num_threads(1)
    draw = random.Random(seed)
    cases = [(k, f) for k in ("arrays", "steps", "generator", "dataset", "loader") for f in (1, 3, "epoch")]
    draw.shuffle(cases)
    report = {"runs": 0, "kills": 0, "resumed": 0, "half_written": 0, "differences": []}
    make("arrays")  # what building and torch's optimizers import is there for all children
    torch.optim.Adam([torch.nn.Parameter(torch.ones(1))])
    with tempfile.TemporaryDirectory() as name:
        place, wanted = Path(name), {}
        for number in range(runs):
            case = cases[number % len(cases)]
            if case not in wanted:
                wanted[case] = whole(*case, place)
            want, seconds = wanted[case]
            folder = place / "killed"
            folder.mkdir()
            killed = 0
            while killed < kills and attempt(*case, folder, (draw.randrange(24), draw.uniform(0, 2 * seconds))):
                killed += 1
                report["resumed"] += any((folder / "backup").glob("*.ckpt"))
                report["half_written"] += len(list((folder / "backup").glob(".*.tmp")))
            if not (folder / "result.json").exists():
                attempt(*case, folder, None)
            got = json.loads((folder / "result.json").read_text())
            differ = [key for key in want if got[key] != want[key]]
            report["runs"] += 1
            report["kills"] += killed
            if differ:
                report["differences"].append([*case, killed, differ])
            shutil.rmtree(folder)
    print(json.dumps(report))


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
