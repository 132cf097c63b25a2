"""Limits on what clients ask and on how long personal data are kept; ``settings`` takes all of it."""

from essaim.config.environment import environment

_ENV = environment()
ESSAIM_TRUSTED_PROXIES = _ENV.trusted_proxies
ESSAIM_API_PER_MINUTE = _ENV.api_per_minute
ESSAIM_API_PUBLIC_PER_MINUTE = _ENV.api_public_per_minute
ESSAIM_RETENTION_REFUSED_DAYS = _ENV.retention_refused_days
ESSAIM_RETENTION_ACCOUNT_DAYS = _ENV.retention_account_days
AXES_LOCKOUT_CALLABLE = "essaim.portal.views.accounts.locked_out"
AXES_CLIENT_IP_CALLABLE = "essaim.portal.limits.client_address"
AXES_SENSITIVE_PARAMETERS = ["password"]
NINJA_NUM_PROXIES = 0
