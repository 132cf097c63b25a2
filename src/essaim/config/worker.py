"""The worker: does queued work, and takes up again what a killed worker left."""

from __future__ import annotations

import os
import signal
import threading

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")


def main() -> None:
    """Runs until told to stop; sweeps every thirty seconds for work left by a killed worker."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import close_old_connections

    from essaim.foundation.tasks import sweep

    stopped = threading.Event()

    def sweeping() -> None:
        while not stopped.wait(30):
            sweep()
            close_old_connections()

    sweep()
    threading.Thread(target=sweeping, daemon=True).start()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        call_command("db_worker", interval=0.5, verbosity=0)
    except KeyboardInterrupt:
        pass
    finally:
        stopped.set()


if __name__ == "__main__":
    main()
