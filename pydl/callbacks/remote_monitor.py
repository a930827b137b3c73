"""RemoteMonitor: the metrics of every epoch sent to a server."""

from __future__ import annotations

import json
import urllib.error
import urllib.parse
import urllib.request
import warnings
from typing import Any

from pydl.callbacks.callback import Callback


class RemoteMonitor(Callback):
    """Posts the number and the metrics of every epoch to a server; a silent server is no error.

    Args:
        root: address of the server.
        path: path on the server.
        field: form field that holds the JSON text, unless `send_as_json`.
        headers: HTTP headers.
        send_as_json: whether to send JSON in place of a form.

    Example:
        >>> monitor = pydl.callbacks.RemoteMonitor("http://localhost:9000", send_as_json=True)
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        text = json.dumps({"epoch": epoch, **(logs or {})})
        kind = "application/json"
        if not self.send_as_json:
            text = urllib.parse.urlencode({self.field: text})
            kind = "application/x-www-form-urlencoded"
        headers: dict[str, Any] = {"Content-Type": kind, **(self.headers or {})}
        request = urllib.request.Request(self.root + self.path, text.encode(), headers)
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except (urllib.error.URLError, OSError) as error:
            warnings.warn(
                f"[RemoteMonitor] expected a server at {self.root}, got: {error}", stacklevel=2
            )
