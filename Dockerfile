# Essaim: one image for the site, its worker and its commands.   docker build -t essaim .
FROM python:3.11-slim-bookworm AS build
WORKDIR /srv/essaim
COPY requirements/uv.txt requirements/core.txt requirements/core.in requirements/
RUN python -m venv /srv/uv && /srv/uv/bin/python -m pip install --no-cache-dir -r requirements/uv.txt \
 && python -m venv --without-pip /srv/venv \
 && VIRTUAL_ENV=/srv/venv /srv/uv/bin/uv pip sync --no-cache --require-hashes requirements/core.txt
COPY pyproject.toml README.md LICENSE ./
COPY docs/guide docs/guide
COPY src src
RUN VIRTUAL_ENV=/srv/venv /srv/uv/bin/uv pip install --no-cache --no-deps --no-build-isolation . \
 && /srv/venv/bin/python -m compileall -q /srv/venv/lib
# Static files are gathered here once; at run time they are only read.
RUN ESSAIM_HOME=/tmp/build ESSAIM_STATIC_DIR=/srv/static /srv/venv/bin/python -m essaim.config.static

FROM python:3.11-slim-bookworm
# The PostgreSQL client makes the backups; its version must not be older than the server's.
RUN apt-get update && apt-get install -y --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/essaim --create-home essaim
COPY --from=build /srv/venv /srv/venv
COPY --from=build /srv/static /srv/static
ENV PATH=/srv/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    _RJEM_MALLOC_CONF=background_thread:true,dirty_decay_ms:500,muzzy_decay_ms:0 \
    MIMALLOC_PURGE_DELAY=500 \
    MALLOC_ARENA_MAX=2 \
    DJANGO_SETTINGS_MODULE=essaim.config.settings \
    ESSAIM_HOME=/var/lib/essaim \
    ESSAIM_STATIC_DIR=/srv/static \
    ESSAIM_LOG_JSON=1
USER essaim
WORKDIR /var/lib/essaim
VOLUME /var/lib/essaim
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-m", "essaim.config.health"]
CMD ["granian", "--interface", "rsgi", "--host", "0.0.0.0", "--port", "8000", "--workers", "2", "--no-ws", "--workers-kill-timeout", "8", "--log-level", "warning", "essaim.config.wsgi:application"]
