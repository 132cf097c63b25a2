"""Django settings, derived from ``Environment``; nothing here reads the environment directly."""

from __future__ import annotations

import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from essaim.config.databases import database_settings
from essaim.config.environment import environment
from essaim.config.logs import logging_settings
from essaim.config.protection import *  # noqa: F403
from essaim.config.sign_in import *  # noqa: F403

ENV = environment()
BASE_DIR = Path(__file__).resolve().parent.parent
HOME = ENV.home.absolute()
ESSAIM_LEDGER_URL = ENV.ledger_url or str(HOME / "ledger")
ESSAIM_FILES_DIR = Path(ENV.files_url) if ENV.files_url else HOME / "files"
ESSAIM_CACHE_DIR = HOME / "cache"
ESSAIM_ENGINE = ENV.engine
ESSAIM_SPARK_MASTER = ENV.spark_master
ESSAIM_SECRECY_THRESHOLD = ENV.secrecy_threshold
ESSAIM_THEME = ENV.theme
ESSAIM_GUIDE_DIR = ENV.guide_dir
ESSAIM_DEMO = ENV.demo
ESSAIM_DATA_DIR = ENV.data_dir
ESSAIM_CHECK_SECONDS = ENV.check_seconds
ESSAIM_CHECK_MEMORY_MB = ENV.check_memory_mb
ESSAIM_BASE_URL = ENV.base_url
ESSAIM_UPLOAD_MAX_MB = ENV.upload_max_mb
ESSAIM_UPLOAD_HOURS = ENV.upload_hours
ESSAIM_METRICS_TOKEN = ENV.metrics_token


def _secret_key() -> str:
    """The configured key, or one generated once and kept in the home folder, readable by its owner only."""
    if ENV.secret_key:
        return ENV.secret_key
    path = HOME / "secret_key"
    if not path.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_text(secrets.token_urlsafe(50))
    return path.read_text().strip()


SECRET_KEY = _secret_key()
DEBUG = ENV.debug
ALLOWED_HOSTS = [host.strip() for host in ENV.allowed_hosts.split(",") if host.strip()]
CSRF_TRUSTED_ORIGINS = [ENV.base_url]

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "widget_tweaks",
    "dsfr",
    "django_htmx",
    "django_tasks",
    "django_tasks_db",
    "rules.apps.AutodiscoverRulesConfig",
    "axes",
    "csp",
    "essaim.foundation.apps.FoundationConfig",
    "essaim.territories.apps.TerritoriesConfig",
    "essaim.equipment.apps.EquipmentConfig",
    "essaim.training.apps.TrainingConfig",
    "essaim.resources.apps.ResourcesConfig",
    "essaim.families.apps.FamiliesConfig",
    "essaim.evaluation.apps.EvaluationConfig",
    "essaim.portal.apps.PortalConfig",
]

MIDDLEWARE = [
    "essaim.config.logs.RequestLog",
    "essaim.config.metrics.Measured",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "essaim.portal.typography.Typeset",
    "axes.middleware.AxesMiddleware",
    # Nothing above reads the body; the page that refuses knows who reads it.
    "essaim.portal.limits.RefuseOversized",
    "essaim.portal.refusals.LeadOn",
]

ROOT_URLCONF = "essaim.config.urls"
WSGI_APPLICATION = "essaim.config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "essaim.portal.context.site",
            ]
        },
    }
]
FORM_RENDERER = "dsfr.forms.DsfrDjangoTemplates"
DSFR_USE_INTEGRITY_CHECKSUMS = False

DATABASES = {"default": database_settings(ENV.database_url, HOME / "essaim.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}

AUTH_USER_MODEL = "foundation.Account"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "connexion"
LOGIN_REDIRECT_URL = "accueil"
LOGOUT_REDIRECT_URL = "accueil"
AXES_FAILURE_LIMIT = ENV.lockout_attempts
AXES_COOLOFF_TIME = 1
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLE_ACCESS_FAILURE_LOG = False
AXES_VERBOSE = False
# The hour told to who is locked out is kept, whatever they try meanwhile.
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False

LANGUAGE_CODE = "fr"
TIME_ZONE = "Europe/Paris"
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = ENV.static_dir or HOME / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "essaim.config.static.StaticStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_SKIP_COMPRESS_EXTENSIONS = ("jpg", "png", "webp", "gz", "br", "woff", "woff2", "svg", "xlsx")
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
# Parts of the design system that no page uses: collecting them took a minute and a half.
STATIC_IGNORED = ("component", "core", "legacy", "layout", "analytics", "scheme", "*.map", "*.module.js", "dsfr.css", "artwork/pictograms")
WHITENOISE_AUTOREFRESH = DEBUG

SESSION_COOKIE_AGE = ENV.session_hours * 3600
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = ENV.https
SESSION_COOKIE_SAMESITE = "Lax"
SECURE_HSTS_SECONDS = 31_536_000 if ENV.https else 0
# Behind a proxy of ours, HTTPS is what the proxy says it is; the proxy must set this header itself (deploy/nginx.conf does).
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENV.https and ENV.trusted_proxies else None
CSRF_FAILURE_VIEW = "essaim.portal.views.pages.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 2**20
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 2**20

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
    }
}

_MAIL = urlsplit(ENV.email_url)
DEFAULT_FROM_EMAIL = ENV.email_from
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if ENV.email_url else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = HOME / "mails"
EMAIL_HOST, EMAIL_PORT = _MAIL.hostname or "localhost", _MAIL.port or 25
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_MAIL.username or ""), unquote(_MAIL.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _MAIL.scheme == "smtps", _MAIL.scheme == "smtp+tls"
EMAIL_TIMEOUT = 20
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
LOGGING = logging_settings(as_json=ENV.log_json)
