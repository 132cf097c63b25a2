"""What every page knows."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:
    """Theme and mode of the installation."""
    return {"theme": settings.ESSAIM_THEME, "demo": settings.ESSAIM_DEMO}
