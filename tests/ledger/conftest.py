"""An object store for the ledger."""

from object_store import bucket, s3_server

__all__ = ["bucket", "s3_server"]
