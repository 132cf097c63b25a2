"""``python -m essaim.config.health [--worker]``: whether the site of this container answers, or its worker lives. Exit code 0 or 1."""

from __future__ import annotations

import sys
import urllib.request

from essaim.config.environment import environment
from essaim.config.presence import is_dead


def site_is_ready(port: int = 8000) -> bool:
    """Whether the site on this machine has its database, ledger and files."""
    host = environment().allowed_hosts.split(",")[0].strip()
    asked = urllib.request.Request(f"http://127.0.0.1:{port}/readyz", headers={"Host": host, "X-Forwarded-Proto": "https"})
    try:
        with urllib.request.urlopen(asked, timeout=4) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def worker_is_alive() -> bool:
    """Whether a worker of this home lives."""
    home = environment().home.absolute()
    return any(not is_dead(home, path.name) for path in (home / "workers").glob("*"))


def main() -> int:
    """Exit code for a container's health check."""
    return 0 if (worker_is_alive() if "--worker" in sys.argv else site_is_ready()) else 1


if __name__ == "__main__":
    sys.exit(main())
