"""Every setting read from outside, typed, with its default: the only place where ``ESSAIM_*`` variables are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(BaseSettings):
    """Settings of one installation. Each field ``x`` is read from the environment variable ``ESSAIM_X``."""

    model_config = SettingsConfigDict(env_prefix="ESSAIM_", extra="ignore", frozen=True)

    home: Path = Field(Path("var"), description="Folder of the embedded database, ledger and files received.")
    database_url: str = Field("", description="PostgreSQL address (postgresql://…). Empty: SQLite inside ESSAIM_HOME.")
    ledger_url: str = Field("", description="Folder or s3:// address of the ledger. Empty: ESSAIM_HOME/ledger.")
    files_url: str = Field("", description="Folder of the files received. Empty: ESSAIM_HOME/files.")
    static_dir: Path | None = Field(None, description="Folder of the site's own static files. Empty: ESSAIM_HOME/static.")
    data_dir: Path | None = Field(None, description="Folder of public data files used by the demonstration and tests.")
    secret_key: str = Field("", description="Signing key. Empty: generated once and kept in ESSAIM_HOME/secret_key.")
    debug: bool = Field(False, description="Developer error pages. Never in production.")
    allowed_hosts: str = Field("localhost,127.0.0.1,[::1]", description="Host names served, separated by commas.")
    base_url: str = Field("http://127.0.0.1:8000", description="Public address of the site, used in links and sign-in.")
    https: bool = Field(False, description="Set when served over HTTPS: secure cookies and HSTS.")
    theme: Literal["dsfr", "neutre"] = Field(
        "neutre", description="dsfr for State operators (logo of the State), neutre for everybody else."
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="Engine that computes figures.")
    spark_master: str = Field("local[2]", description="Spark master when ESSAIM_ENGINE=spark.")
    secrecy_threshold: int = Field(
        5, description="Public figures on fewer pupils or schools than this are suppressed."
    )
    upload_max_mb: int = Field(100, description="Largest file accepted, in megabytes.")
    upload_hours: int = Field(48, description="Hours an upload cut short is kept, to be resumed, after its last part.")
    check_seconds: float = Field(300.0, description="Longest time given to understanding one file, in seconds.")
    check_memory_mb: int = Field(4096, description="Largest memory given to understanding one file, in megabytes.")
    guide_dir: str = Field(
        "", description="Folder of Markdown pages shown instead of those of the guide that bear the same name (mentions-legales.md, accessibilite.md…)."
    )
    session_hours: int = Field(10, description="Hours after which a session ends.")
    lockout_attempts: int = Field(8, description="Failed sign-ins before an account is locked for an hour.")
    retention_refused_days: int = Field(180, description="Days a refused file is kept before purge.")
    retention_account_days: int = Field(1095, description="Days an unused account is kept before erasure.")
    api_per_minute: int = Field(300, description="Requests a minute that a token may make to the API.")
    api_public_per_minute: int = Field(60, description="Requests a minute that an address may make to the API without a token.")
    trusted_proxies: int = Field(0, description="Reverse proxies in front of the site, whose X-Forwarded-For is believed.")
    oidc_issuer: str = Field("", description="OpenID Connect issuer (ProConnect). Empty: local accounts only.")
    oidc_client_id: str = Field("", description="Client identifier given by the OpenID Connect provider.")
    oidc_client_secret: str = Field("", description="Client secret given by the OpenID Connect provider.")
    oidc_name: str = Field("ProConnect", description="Name of the OpenID Connect provider, as shown on the sign-in button.")
    oidc_scopes: str = Field(
        "openid given_name usual_name email uid siret", description="Scopes asked of the OpenID Connect provider."
    )
    oidc_algorithm: str = Field("RS256", description="Algorithm of the tokens signed by the OpenID Connect provider.")
    email_url: str = Field("", description="smtp://user:password@host:port of the mail server. Empty: mails are written to ESSAIM_HOME/mails.")
    email_from: str = Field("Essaim <ne-pas-repondre@essaim.local>", description="Sender of the digests.")
    metrics_token: str = Field("", description="Token that /metrics asks of programs of other machines. Empty: this machine only.")
    log_json: bool = Field(False, description="Structured logs in JSON, one line an event.")
    demo: bool = Field(False, description="Shows the demonstration accounts on the sign-in page.")


def environment() -> Environment:
    """The settings of this process, read afresh."""
    return Environment()
