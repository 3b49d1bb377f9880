"""Runs the chapters under ``ramify run`` and writes what became of each to the file that it is given."""

import json
import sys
import traceback
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from chapters import AFTER, BEFORE, IMPORTS, MENDED, PRINTED, TRAIN_MENDED


def outcome(code):
    try:
        exec(compile(code, "chapter", "exec"), {"__name__": "__main__"})
    except Exception as error:  # noqa: BLE001 - whatever a chapter raises is what the test wants to see
        return {"error": type(error).__name__, "message": str(error), "trace": traceback.format_exc()}
    return {"error": None}


if __name__ == "__main__":
    results = {}
    for title, printed in PRINTED.items():
        granted = "" if title.startswith("5.1") else IMPORTS + BEFORE.get(title, "")
        results[title] = outcome(granted + printed + AFTER.get(title, ""))
    for mend, code in MENDED.items():
        imports = IMPORTS + f"from tensorflow.keras.layers import {mend}\n"
        results[f"6.1 with {mend}"] = outcome(imports + code + TRAIN_MENDED)
    Path(sys.argv[1]).write_text(json.dumps(results))
