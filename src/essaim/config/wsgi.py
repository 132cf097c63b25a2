"""Entry point of the web server."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")
application = get_wsgi_application()


def _announce() -> None:
    """Loads every page before the first request, and says that this home is at work."""
    from django.conf import settings
    from django.urls import get_resolver

    from essaim.config.presence import hold_home

    hold_home(settings.HOME)
    len(get_resolver().url_patterns)


_announce()
