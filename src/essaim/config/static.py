"""Static files: hashed names, and only the parts of the design system that pages use."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class StaticStorage(CompressedManifestStaticFilesStorage):
    """Hashed and compressed files; a file missing from the manifest is served under its plain name, so that pages work
    before ``collectstatic`` (development, tests)."""

    manifest_strict = False
