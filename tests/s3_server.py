"""An S3-compatible server on the loopback, in a process of its own: ``s3_server.py``, prints its port.

Requests are served one at a time, so that a conditional write is atomic as a real service promises. ``POST /_lose/N``: the
next N commits (writes under ``_delta_log``) are carried out but answered by an error, as when the network fails at
the worst moment; answers how many were still to be lost.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable
from typing import Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

_lock, _lost = threading.Lock(), [0]
_moto = DomainDispatcherApplication(create_backend_app)


def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """The S3 service, with answers lost on demand."""
    path, method = environ["PATH_INFO"], environ["REQUEST_METHOD"]
    with _lock:
        if path.startswith("/_lose/"):
            left, _lost[0] = _lost[0], int(path.rsplit("/", 1)[1])
            start_response("200 OK", [("Content-Type", "text/plain")])
            return [str(left).encode()]
        is_commit = method == "PUT" and "/_delta_log/" in path and path.endswith(".json")
        if not (is_commit and _lost[0]):
            return list(_moto(environ, start_response))
        _lost[0] -= 1
        list(_moto(environ, lambda *_: None))
        start_response("500 Internal Server Error", [("Content-Type", "text/plain")])
        return [b"lost"]


if __name__ == "__main__":
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, application, threaded=True)
    print(server.server_port, flush=True)
    server.serve_forever()
