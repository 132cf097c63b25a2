"""Settings of the test suite: the real ones, in a throw-away home and database. Read before any conftest."""

import atexit
import os
import shutil
import tempfile

_home = tempfile.mkdtemp(prefix="essaim-tests-")
atexit.register(shutil.rmtree, _home, ignore_errors=True)
os.environ["ESSAIM_HOME"] = _home
os.mkdir(os.path.join(_home, "static"))
os.environ.setdefault("ESSAIM_SECRET_KEY", "tests-only")
# The browser driver of the journeys leaves an event loop running in the process; nothing here is asynchronous.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

from databases import prepare_database  # noqa: E402

prepare_database()

from essaim.config.settings import *  # noqa: E402,F403

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
# Each test client is a new site: the sixteen hundred static files are looked for when asked for, not listed each time.
WHITENOISE_AUTOREFRESH = True
