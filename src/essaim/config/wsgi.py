"""Entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")
application = get_wsgi_application()


def _announce() -> None:
    from django.conf import settings

    from essaim.config.presence import hold_home

    hold_home(settings.HOME)


_announce()
