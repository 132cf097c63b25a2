"""What operators copy must exist: sources of the image, commands, settings, units."""

from __future__ import annotations

import importlib.util
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from essaim.config.environment import Environment
from essaim.config.processes import ALLOCATORS

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNITS = sorted((ROOT / "deploy").glob("*.service"))
TEXTS = [ROOT / "Dockerfile", ROOT / "compose.yaml", ROOT / "docs" / "deployment.md", *sorted((ROOT / "deploy").iterdir())]


def runs(command: list[str]) -> None:
    """Fails unless the program of ``command`` is one that the lock installs, and its module or subcommand exists."""
    program = Path(command[0]).name
    assert (BIN / program).exists() or program == "python", command
    if program == "python":
        assert command[1] == "-m" and importlib.util.find_spec(command[2]), command
    if program == "granian":
        module, _, name = command[-1].partition(":")
        assert name == "application" and importlib.util.find_spec(module), command
        assert "--workers" in command and "rsgi" in command
    if program == "essaim":
        from essaim.config.cli import COMMANDS

        assert command[1] in COMMANDS, command


def test_the_image_copies_what_exists_and_runs_what_exists():
    """Every COPY source is in the repository and let through; every command of the image can be run."""
    let_through = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copies = re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M)
    assert len(copies) >= 3
    for line in copies:
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert any(source == item or source.startswith(f"{item}/") for item in let_through), source
    for line in re.findall(r"^(?:CMD|HEALTHCHECK .*CMD) (\[.+\])$", DOCKERFILE, re.M):
        runs(yaml.safe_load(line))
    assert "--require-hashes" in DOCKERFILE and "\nUSER essaim\n" in DOCKERFILE
    assert DOCKERFILE.index("essaim.config.static") < DOCKERFILE.index("USER essaim")


def test_the_help_that_the_site_serves_is_in_the_image():
    """The guide is reached through a link that must not dangle once copied."""
    guide = ROOT / "src/essaim/portal/guide_pages"
    target = guide.resolve().relative_to(ROOT)
    assert re.search(rf"^COPY {re.escape(str(target))} {re.escape(str(target))}$", DOCKERFILE, re.M), target


def test_compose_starts_in_order_and_keeps_its_data():
    """The base first, migrations once, then site and worker on the same home; every volume is declared."""
    services = COMPOSE["services"]
    assert set(services) == {"db", "migrate", "web", "worker"}
    assert services["migrate"]["depends_on"]["db"]["condition"] == "service_healthy" and services["migrate"]["restart"] == "no"
    for name in ("web", "worker"):
        assert services[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert "home:/var/lib/essaim" in services[name]["volumes"]
    named = {item.split(":")[0] for service in services.values() for item in service["volumes"] if not item.startswith(".")}
    assert named == set(COMPOSE["volumes"])
    assert int(services["db"]["image"].partition(":")[2]) >= 15
    for service in services.values():
        if "command" in service:
            runs(service["command"])
    assert all("/" not in service["image"] for service in services.values()), "image d'un registre nommé"
    assert "ports" not in services["db"] and services["web"]["ports"] == ["127.0.0.1:8000:8000"]


def test_the_client_of_the_image_is_not_older_than_the_server():
    """Debian 12 brings PostgreSQL 15's programs: a newer server could not be saved by them."""
    assert "slim-bookworm" in DOCKERFILE and COMPOSE["services"]["db"]["image"] == "postgres:15"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_run_what_exists(unit):
    """Every program of Essaim that a unit starts exists under that name; every timer has its service."""
    lines = re.findall(r"^Exec\w+=(.+)$", unit.read_text(), re.M)
    assert lines
    for line in lines:
        for command in re.findall(r"/opt/essaim/venv/bin/[^'\"]+", line):
            runs(shlex.split(command))
    assert "User=essaim" in unit.read_text() and "EnvironmentFile=/etc/essaim/essaim.env" in unit.read_text()
    for timer in (ROOT / "deploy").glob("*.timer"):
        assert timer.with_suffix(".service").exists()


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: path.name)
def test_only_settings_that_exist_are_named(path):
    """A variable renamed in the code is renamed where operators read it."""
    known = {f"ESSAIM_{name.upper()}" for name in Environment.model_fields} | {"ESSAIM_POSTGRES_PASSWORD", "ESSAIM_SITE"}
    named = set(re.findall(r"ESSAIM_[A-Z0-9_]+", path.read_text()))
    families = {name for name in named if name.endswith("_")}
    assert named - known - families == set()
    assert all(any(item.startswith(family) for item in known) for family in families)


def test_every_dependency_has_its_reason():
    """One line in docs/dependencies.md for each line of requirements/core.in."""
    wanted = {
        re.split(r"[\[~<>= ]", line)[0]
        for line in (ROOT / "requirements/core.in").read_text().splitlines()
        if line.strip() and not line.startswith("#")
    }
    rows = re.findall(r"^\| ([a-z0-9, -]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.M)
    told = {name.strip() for row in rows for name in row.split(",")} - {"dependency"}
    assert wanted == told


def test_regular_work_is_started_by_somebody():
    """Backup, purge and proof run by themselves: a timer each, enabled by the page that operators follow; with Docker, a cron line each."""
    page = (ROOT / "docs/deployment.md").read_text()
    timers = {path.name for path in (ROOT / "deploy").glob("*.timer")}
    assert timers == {"essaim-backup.timer", "essaim-purge.timer", "essaim-verify.timer"}
    enabled = re.search(r"systemctl enable --now (.+)", page)
    assert enabled and timers <= set(enabled[1].split())
    for command in ("essaim backup", "essaim privacy purge", "essaim verify"):
        assert re.search(rf"docker compose exec -T worker .*{command}", page), command
        assert any(command in unit.read_text() for unit in UNITS), command


def test_nginx_of_debian_reads_the_configuration(tmp_path):
    """Debian 12 brings nginx 1.22, which does not know ``http2 on`` (1.25.1); the certificate comes before what names it."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert not re.search(r"^\s*http2 ", text, re.M) and text.count("ssl http2;") == 2
    page = (ROOT / "docs/deployment.md").read_text()
    assert page.index("certbot certonly") < page.index("cp deploy/nginx.conf") < page.index("nginx -t")
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.skip("nginx n'est pas installé : sa configuration n'est que lue")
    key, certificate = tmp_path / "privkey.pem", tmp_path / "fullchain.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-subj", "/CN=x"]
    subprocess.run(made, check=True, capture_output=True)
    (tmp_path / "site.conf").write_text(text.replace("/etc/letsencrypt/live/essaim.exemple.fr", str(tmp_path)))
    kept = "".join(f"{name}_temp_path {tmp_path}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    whole = f"pid {tmp_path}/pid; error_log stderr; events {{}} http {{ access_log off; {kept} include {tmp_path}/site.conf; }}"
    (tmp_path / "nginx.conf").write_text(whole)
    done = subprocess.run([program, "-t", "-c", tmp_path / "nginx.conf", "-p", tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_nginx_keeps_private_addresses_private():
    """Metrics and readiness never leave through the public door; the proxy overwrites what the client claims."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    assert text.count("{") == text.count("}")
    for address in ("/metrics", "/readyz"):
        assert re.search(rf"location = {address}\s*{{ return 404; }}", text)
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in text and "$proxy_add_x_forwarded_for" not in text
    size = int(re.search(r"client_max_body_size (\d+)m;", text)[1])
    assert size > Environment.model_fields["upload_max_mb"].default


def test_what_nginx_says_by_itself_is_a_french_page_that_leads_on():
    """The site restarting, closed for a while, or a body past what it takes: pages that need nothing of the site to be shown."""
    text = (ROOT / "deploy/nginx.conf").read_text()
    for codes, name in (("502 503 504", "indisponible.html"), ("413", "trop-volumineux.html")):
        assert f"error_page {codes} /{name};" in text and f"location = /{name} {{ root /opt/essaim/src/deploy; internal;" in text
        page = (ROOT / "deploy" / name).read_text()
        assert '<html lang="fr">' in page and "<h1>" in page and 'href="/' in page and not re.search(r"<script|<link|src=", page)
    assert "if (-f /etc/essaim/maintenance) { return 503; }" in text and "/etc/essaim/maintenance" in (ROOT / "docs/deployment.md").read_text()


def test_every_way_of_starting_gives_freed_memory_back():
    """The image and the services set what `essaim run` sets for its children before their allocators are loaded."""
    for text in (DOCKERFILE, *((ROOT / f"deploy/essaim-{name}.service").read_text() for name in ("web", "worker"))):
        assert [name for name, value in ALLOCATORS.items() if f"{name}={value}" not in text] == []
