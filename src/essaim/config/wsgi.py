"""Entry point of the web server: the site behind its door, which speaks RSGI (granian) and WSGI."""

import os

from django.core.wsgi import get_wsgi_application

from essaim.config.door import Door

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")


def _open() -> Door:
    """Loads every page before the first request, says that this home is at work, and goes on loading what pages read."""
    site = get_wsgi_application()
    from django.conf import settings
    from django.urls import get_resolver

    from essaim.config.ahead import load_ahead
    from essaim.config.lightness import settle
    from essaim.config.presence import hold_home
    from essaim.portal.limits import largest_request

    hold_home(settings.HOME)
    len(get_resolver().url_patterns)
    settle()
    load_ahead()
    return Door(site, largest_request)


application = _open()
