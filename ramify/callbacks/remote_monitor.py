"""`RemoteMonitor`: the metrics of every epoch, sent to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ramify.callbacks.callback import Callback
from ramify.errors import ArgumentError

Logs = Mapping[str, Any] | None

TIMEOUT = 10.0
"""Seconds that a server may take to answer."""


class RemoteMonitor(Callback):
    """Sends ``{"epoch": ..., metrics}`` to a server by HTTP POST at the end of every epoch.

    A server that does not answer, or answers with an error, is a warning: training goes on.

    Args:
        root: address of the server, ``http://`` or ``https://``.
        path: where on the server.
        field: name of the form's field that holds the JSON.
        headers: HTTP headers to send along.
        send_as_json: send the JSON itself as the body, instead of a form.

    Raises:
        ArgumentError: an address of another kind.

    >>> RemoteMonitor("http://localhost:8000").path
    '/publish/epoch/end/'
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: Mapping[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        if urllib.parse.urlsplit(root).scheme not in ("http", "https"):
            raise ArgumentError(f"root={root!r} is no address of a server. Begin it with http:// or https://.")
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        """Send."""
        text = json.dumps({"epoch": epoch, **{name: _plain(value) for name, value in (logs or {}).items()}})
        if self.send_as_json:
            body, kind = text, "application/json"
        else:
            body, kind = urllib.parse.urlencode({self.field: text}), "application/x-www-form-urlencoded"
        headers = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, body.encode(), headers, method="POST")  # noqa: S310 -- checked
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT):  # noqa: S310 -- likewise
                pass
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(
                f"RemoteMonitor could not send the metrics of epoch {epoch + 1} to {self.root}{self.path}: {error}. "
                "Training goes on.",
                stacklevel=2,
            )


def _plain(value: Any) -> Any:
    return value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value
