"""Static files: hashed names, and only the parts of the design system that pages use. As a program, gathers them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed files; a file missing from the manifest is served under its plain name, so that pages work
    before ``collectstatic`` (development, tests)."""

    manifest_strict = False

    def __init__(self, *args: Any, **named: Any) -> None:
        self._addresses: dict[str, str] = {}
        super().__init__(*args, **named)

    def url(self, name: str, force: bool = False) -> str:
        """The address of a file. Each page asks for eight: with a manifest, which does not change while a process serves
        pages, each is worked out once."""
        from django.conf import settings

        if force or settings.DEBUG or not self.hashed_files:
            return str(super().url(name, force))
        if name not in self._addresses:
            self._addresses[name] = str(super().url(name))
        return self._addresses[name]

    def load_manifest(self) -> Any:
        """The manifest read, what was worked out from another one forgotten."""
        self._addresses.clear()
        return super().load_manifest()

    def stored_name(self, name: str) -> str:
        try:
            return super().stored_name(name)
        except ValueError:
            return name


def gather() -> bool:
    """Gathers the static files into STATIC_ROOT, once per version of the code; whether there was anything to do.

    Needs neither database nor secrets. To be called once Django is set up."""
    from django.conf import settings
    from django.core.management import call_command

    stamp = Path(settings.STATIC_ROOT) / ".ready"
    newest = max(path.stat().st_mtime for path in (Path(settings.BASE_DIR) / "portal" / "static").rglob("*"))
    if stamp.exists() and stamp.stat().st_mtime >= newest:
        return False
    call_command("collectstatic", verbosity=0, interactive=False, ignore_patterns=list(settings.STATIC_IGNORED))
    stamp.touch()
    return True


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "essaim.config.settings")
    import django

    django.setup()
    gather()
