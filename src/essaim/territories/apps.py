from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from django.apps import AppConfig

if TYPE_CHECKING:
    from essaim.engines.intake.references import Reference


class TerritoriesConfig(AppConfig):
    name = "essaim.territories"
    label = "territories"
    verbose_name = "Territoires"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make the registers available to the checks, and the units to the mandates."""
        from essaim.foundation.contracts import register_reference
        from essaim.foundation.reads import register_scope_resolver
        from essaim.territories.reads.references import REGISTERS
        from essaim.territories.reads.scopes import RegisterScopes

        for name in REGISTERS:
            register_reference(name, partial(_register, name))
        register_scope_resolver(RegisterScopes())


def _register(name: str) -> "Reference | None":
    """The register called ``name``, from the snapshot (made again from the ledger if the cache was emptied)."""
    from django.conf import settings

    from essaim.territories.reads.frames import frame
    from essaim.territories.reads.references import snapshot_reference

    if frame("establishments") is None:
        return None
    return snapshot_reference(Path(settings.ESSAIM_CACHE_DIR), name)
