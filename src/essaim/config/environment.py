"""Every setting read from outside, typed, with its default: the only place where ``ESSAIM_*`` variables are read."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Environment(BaseSettings):
    """Settings of one installation. Each field ``x`` is read from the environment variable ``ESSAIM_X``."""

    model_config = SettingsConfigDict(env_prefix="ESSAIM_", extra="ignore", frozen=True)

    home: Path = Field(Path("var"), description="Dossier de la base embarquée, du registre et des fichiers reçus.")
    database_url: str = Field("", description="Adresse PostgreSQL (postgresql://…). Vide : SQLite dans ESSAIM_HOME.")
    ledger_url: str = Field("", description="Dossier ou adresse s3:// du registre. Vide : ESSAIM_HOME/ledger.")
    files_url: str = Field("", description="Dossier des fichiers reçus. Vide : ESSAIM_HOME/files.")
    static_dir: Path | None = Field(None, description="Dossier des fichiers statiques du site. Vide : ESSAIM_HOME/static.")
    data_dir: Path | None = Field(None, description="Dossier des fichiers de données publiques lus par la démonstration et les tests.")
    secret_key: str = Field("", description="Clé de signature. Vide : créée une fois et gardée dans ESSAIM_HOME/secret_key.")
    debug: bool = Field(False, description="Pages d'erreur du développeur. Jamais en production.")
    allowed_hosts: str = Field("localhost,127.0.0.1,[::1]", description="Noms d'hôte servis, séparés par des virgules.")
    base_url: str = Field("http://127.0.0.1:8000", description="Adresse publique du site, pour les liens et la connexion.")
    https: bool = Field(False, description="À mettre quand le site est servi en HTTPS : témoins sécurisés et HSTS.")
    theme: Literal["dsfr", "neutre"] = Field(
        "neutre", description="dsfr pour les opérateurs de l'État (marque de l'État), neutre pour tous les autres."
    )
    engine: Literal["duckdb", "spark"] = Field("duckdb", description="Moteur qui calcule les chiffres.")
    spark_master: str = Field("local[2]", description="Maître Spark quand ESSAIM_ENGINE=spark.")
    secrecy_threshold: int = Field(
        5, description="Les chiffres publics sur moins d'élèves ou d'établissements que ce nombre sont masqués."
    )
    upload_max_mb: int = Field(100, description="Taille du plus gros fichier accepté, en mégaoctets.")
    upload_hours: int = Field(48, description="Heures pendant lesquelles un envoi interrompu est gardé, pour être repris, après sa dernière partie.")
    check_seconds: float = Field(300.0, description="Temps le plus long donné à la lecture d'un fichier, en secondes.")
    check_memory_mb: int = Field(4096, description="Mémoire la plus grande donnée à la lecture d'un fichier, en mégaoctets.")
    guide_dir: str = Field(
        "", description="Dossier de pages Markdown montrées à la place de celles du guide qui portent le même nom (mentions-legales.md, accessibilite.md…)."
    )
    session_hours: int = Field(10, description="Heures au bout desquelles une session prend fin.")
    lockout_attempts: int = Field(8, description="Connexions manquées avant qu'un compte soit bloqué une heure.")
    retention_refused_days: int = Field(180, description="Jours pendant lesquels un fichier refusé est gardé avant la purge.")
    retention_account_days: int = Field(1095, description="Jours pendant lesquels un compte inutilisé est gardé avant effacement.")
    api_per_minute: int = Field(300, description="Requêtes par minute qu'un jeton peut faire à l'API.")
    api_public_per_minute: int = Field(60, description="Requêtes par minute qu'une adresse peut faire à l'API sans jeton.")
    trusted_proxies: int = Field(0, description="Nombre de mandataires devant le site, dont l'en-tête X-Forwarded-For est cru.")
    oidc_issuer: str = Field("", description="Émetteur OpenID Connect (ProConnect). Vide : comptes locaux seulement.")
    oidc_client_id: str = Field("", description="Identifiant client donné par le fournisseur OpenID Connect.")
    oidc_client_secret: str = Field("", description="Secret client donné par le fournisseur OpenID Connect.")
    oidc_name: str = Field("ProConnect", description="Nom du fournisseur OpenID Connect, tel qu'il paraît sur le bouton de connexion.")
    oidc_scopes: str = Field(
        "openid given_name usual_name email uid siret", description="Portées demandées au fournisseur OpenID Connect."
    )
    oidc_algorithm: str = Field("RS256", description="Algorithme des jetons signés par le fournisseur OpenID Connect.")
    email_url: str = Field("", description="Serveur de courrier, smtp://identifiant:secret@hôte:port. Vide : les courriels sont écrits dans ESSAIM_HOME/mails.")
    email_from: str = Field("Essaim <ne-pas-repondre@essaim.local>", description="Expéditeur des récapitulatifs.")
    metrics_token: str = Field("", description="Jeton que /metrics demande aux programmes d'autres machines. Vide : cette machine seulement.")
    log_json: bool = Field(False, description="Journaux structurés en JSON, une ligne par événement.")
    demo: bool = Field(False, description="Montre les comptes de démonstration sur la page de connexion.")


def environment() -> Environment:
    """The settings of this process, read afresh."""
    return Environment()
