"""Memory that steps give back stays with the process for the next step, and goes back after training."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries are not asked")

SCRIPT = """
import json, resource, sys
import numpy as np
import ramify
from ramify.heap import keep_freed_memory

class Faults(ramify.callbacks.Callback):
    def on_train_begin(self, logs=None):
        self.seen = []
    def on_train_batch_end(self, batch, logs=None):
        self.seen.append(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize() / 2**20

x = ramify.Input((64,))
h = ramify.layers.Dense(1024, activation="relu")(x)
model = ramify.Model(x, ramify.layers.Dense(1)(h))
model.compile("sgd", "mse", jit_compile=False)
data = np.ones((8192 * 12, 64), "float32")
faults = Faults()
before = resident()
model.fit(data, data[:, :1], batch_size=8192, callbacks=[faults], verbose=0)  # 32 MiB a layer and batch
late = sorted(map(int, np.diff(faults.seen)))[5]  # of eleven steps
print(json.dumps({"kept": keep_freed_memory(), "faults": late, "grown": resident() - before}))
"""


def run(**environment):
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("MALLOC_", "GLIBC_", "RAMIFY_KEEP"))}
    env = {**kept, "OMP_NUM_THREADS": "1", **environment}
    made = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=env, capture_output=True, text=True, check=True, timeout=300
    )
    return json.loads(made.stdout)


def test_steps_take_no_new_pages_and_training_gives_them_back():
    told = run()
    assert told["kept"]
    assert told["faults"] < 100  # 8,192 pages are one layer's outputs
    assert told["grown"] < 60


@pytest.mark.parametrize(
    "environment",
    [{"RAMIFY_KEEP_MEMORY": "0"}, {"MALLOC_MMAP_THRESHOLD_": "131072"}, {"GLIBC_TUNABLES": "glibc.malloc.perturb=0"}],
)
def test_who_sets_the_allocator_himself_is_not_overruled(environment):
    assert not run(**environment)["kept"]
