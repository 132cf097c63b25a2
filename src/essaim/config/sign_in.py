"""Sign-in with OpenID Connect (ProConnect); ``settings`` takes all of it. Addresses come from the provider's own description."""

from essaim.config.environment import environment

_ENV = environment()
ESSAIM_OIDC_ISSUER = _ENV.oidc_issuer.rstrip("/")
ESSAIM_OIDC_NAME = _ENV.oidc_name
ESSAIM_BASE_URL = _ENV.base_url.rstrip("/")
OIDC_RP_CLIENT_ID = _ENV.oidc_client_id
OIDC_RP_CLIENT_SECRET = _ENV.oidc_client_secret
OIDC_RP_SCOPES = _ENV.oidc_scopes
OIDC_RP_SIGN_ALGO = _ENV.oidc_algorithm
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_USE_NONCE = True
OIDC_STORE_ID_TOKEN = True
OIDC_STORE_ACCESS_TOKEN = False
OIDC_TIMEOUT = 10
OIDC_MAX_STATES = 5
OIDC_AUTHENTICATION_CALLBACK_URL = "oidc-retour"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "rules.permissions.ObjectPermissionBackend",
    "essaim.portal.sign_in.backend.ProviderBackend",
    "django.contrib.auth.backends.ModelBackend",
]
