"""Makes the pictures of the explorer that the pages show: `python docs/screenshots.py`. Needs Chromium."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.visualize.architectures import ARCHITECTURES
from tests.visualize.explorer.chromium import Chromium, find_chromium

HERE = Path(__file__).parent


def main() -> None:
    """Open a block of ResNet-50, choose a layer in it, colour by FLOPs."""
    program = find_chromium()
    if program is None:
        sys.exit("No Chromium found. Install it, or name one in the variable CHROMIUM.")
    browser = Chromium(program, 1280, 860)
    try:
        with tempfile.TemporaryDirectory() as folder:
            page = ARCHITECTURES["resnet50"]().explore(Path(folder) / "resnet50.html").path
            browser.open(page)
            browser.key("/")
            browser.write("conv2_block2_1_conv")
            browser.key("Enter")
            browser.js("document.getElementById('find').value = ''")
            for _ in range(2):
                browser.key("h")
            browser.screenshot(HERE / "explorer.png")
    finally:
        browser.close()


if __name__ == "__main__":
    main()
