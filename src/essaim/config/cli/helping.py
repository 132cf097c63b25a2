"""The help of every command, whole and in French: what click writes by itself, summaries, and examples to copy."""

from __future__ import annotations

import re
from collections.abc import Sequence

import click

# path of the command → lines of the shell.
EXAMPLES: dict[str, tuple[str, ...]] = {
    "": ("essaim run", "essaim check livraisons.xlsx --contract equipment.deliveries", "essaim --home ma-base verify"),
    "run": ("essaim run", "essaim run --no-demo --host 0.0.0.0 --port 8080"),
    "demo": ("essaim --home /tmp/essai demo --quick",),
    "register": ("essaim register fetch", "essaim register load annuaire.csv communes.csv.gz"),
    "register load": ("essaim register load annuaire.csv ips-ecoles.csv contours.geojson",),
    "register fetch": ("essaim register fetch", "essaim register fetch --into telechargements --no-load"),
    "contracts": ("essaim contracts list", "essaim contracts show equipment.deliveries"),
    "contracts list": ("essaim contracts list",),
    "contracts show": ("essaim contracts show equipment.deliveries", "essaim contracts show equipment.deliveries --table-schema > schema.json"),
    "check": (
        "essaim check livraisons.xlsx --contract equipment.deliveries --annotated annote.xlsx",
        "essaim check *.csv --contract equipment.deliveries --json > compte-rendu.json",
        "essaim check livraisons.xlsx --contract equipment.deliveries --map 'Mis à disposition=quantity' --set category=tablette",
        "essaim check livraisons.xlsx --contract equipment.deliveries --answer 'mapping:86cc3b2a41aa:C=quantity'",
    ),
    "submit": (
        "essaim submit livraisons.xlsx --contract equipment.deliveries",
        "essaim submit livraisons.xlsx --contract equipment.deliveries --as marie.durand --accept --json",
        "essaim submit livraisons.xlsx --contract equipment.deliveries --accept --map D=delivered_on --set 'category=ordinateur portable'",
        "essaim submit livraisons.xlsx --contract equipment.deliveries --accept --answers reponses.json",
    ),
    "figures": (
        "essaim figures equipment.devices_per_100_pupils --level departement --period 2026-03",
        "essaim figures equipment.late_orders --level territory --unit 02 --known-at 2026-03-31 --format xlsx --out retards.xlsx",
    ),
    "trace": (
        "essaim trace equipment.devices_per_100_pupils --level departement --unit 02 --period 2026-03",
        "essaim trace --submission 12 --json",
    ),
    "indicators": ("essaim indicators", "essaim indicators equipment.late_orders"),
    "verify": ("essaim verify",),
    "compact": ("essaim compact",),
    "backup": ("essaim backup /var/backups/essaim/2026-11-23",),
    "restore": ("essaim restore /var/backups/essaim/2026-11-23 --replace",),
    "accounts": ("essaim accounts list", "essaim accounts open marie.durand --email marie.durand@exemple.fr"),
    "accounts list": ("essaim accounts list",),
    "accounts open": ("essaim accounts open marie.durand --email marie.durand@exemple.fr --organisation 'Commune de Laon'",),
    "accounts grant": (
        "essaim accounts grant marie.durand --role administrator --scope national",
        "essaim accounts grant paul.leroy --role authority_contributor --scope owner/organisation/210204086",
    ),
    "accounts password": ("essaim accounts password marie.durand",),
    "accounts close": ("essaim accounts close marie.durand",),
    "accounts reopen": ("essaim accounts reopen marie.durand",),
    "privacy": ("essaim privacy purge",),
    "privacy purge": ("essaim privacy purge",),
    "privacy export": ("essaim privacy export marie.durand --out donnees.json",),
    "privacy erase": ("essaim privacy erase marie.durand",),
    "docs": ("essaim docs", "essaim docs --check"),
    "study": ("essaim study new plan.yaml", "essaim study run plan.yaml --data panel.parquet --out resultats"),
    "study new": ("essaim study new plan.yaml",),
    "study power": ("essaim study power plan.yaml --data panel-passe.parquet",),
    "study assign": ("essaim study assign plan.yaml --data ecoles.csv --out affectation.csv",),
    "study freeze": ("essaim study freeze plan.yaml",),
    "study run": ("essaim study run plan.yaml --data panel.parquet --out resultats",),
    "study report": ("essaim study report resultats/results.json",),
    "study replicate": ("essaim study replicate plan.yaml --data panel.parquet", "essaim study replicate replication.zip",),
}
# What a list of commands says of one whose first sentence is long.
SUMMARIES: dict[str, str] = {
    "run": "Lance le site et son ouvrier.",
    "demo": "Construit la démonstration.",
    "check": "Vérifie des fichiers sans rien enregistrer.",
    "submit": "Dépose un fichier ; l'accepte si on le demande.",
    "figures": "Donne les chiffres d'indicateurs.",
    "trace": "Remonte d'un chiffre à la ligne de l'expéditeur.",
    "indicators": "Liste ou explique les indicateurs.",
    "verify": "Prouve que le registre et le journal concordent.",
    "compact": "Regroupe les petits fichiers du registre.",
    "backup": "Copie toute l'installation, même au travail.",
    "restore": "Rétablit une sauvegarde.",
    "docs": "Écrit docs/reference.",
    "study": "Évaluer : du plan figé au rapport.",
    "register fetch": "Télécharge les données publiques et les charge.",
    "register load": "Charge des fichiers publics tels que publiés.",
    "contracts show": "Décrit un contrat de données.",
    "accounts password": "Donne un mot de passe provisoire ; débloque.",
    "accounts close": "Ferme un compte.",
    "accounts grant": "Donne un mandat.",
    "privacy purge": "Applique les durées de conservation.",
    "privacy export": "Remet à une personne ses données.",
    "privacy erase": "Efface l'identité d'une personne.",
    "study assign": "Tire au sort les bras ou les vagues.",
    "study freeze": "Fige le plan : son empreinte, les versions.",
    "study replicate": "Fait un dossier de réplication, ou le refait.",
    "study report": "Refait le rapport à partir des résultats.",
}
_HEADINGS = {"Commands": "Commandes"}
_WORDS = (
    (r"Show this message and exit\.", "Affiche cette aide."), (r"Show the version and exit\.", "Affiche la version."),
    (r"Confirm the action without prompting\.", "Ne demande pas de confirmation."),
    (r"\[default: ", "[défaut : "), (r"\brequired\]", "obligatoire]"),
)  # fmt: skip
_VALUES = (
    (r"\bTEXT\b", "TEXTE"), (r"\bINTEGER\b", "ENTIER"), (r"\bFLOAT\b", "NOMBRE"), (r"\bDIRECTORY\b", "DOSSIER"),
    (r"\b(?:FILENAME|FILE)\b", "FICHIER"), (r"\bPATH\b", "CHEMIN"),
)  # fmt: skip


class FrenchHelp(click.HelpFormatter):
    """What click writes of its own around the texts of the commands."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        super().write_usage(prog, args.replace("COMMAND [ARGS]...", "COMMANDE [ARGUMENTS]…").replace("...", "…"), prefix or "Utilisation : ")

    def write_heading(self, heading: str) -> None:
        self.write(f"{'':>{self.current_indent}}{_HEADINGS.get(heading, heading)} :\n")

    def write_dl(self, rows: Sequence[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        super().write_dl([(_said(name, _VALUES), _said(text, _WORDS)) for name, text in rows], col_max, col_spacing)


def _said(text: str, words: Sequence[tuple[str, str]]) -> str:
    for pattern, french in words:
        text = re.sub(pattern, french, text)
    return text


def helped(command: click.Command, path: str) -> click.Command:
    """``command`` and those it holds, with their summaries and examples."""
    if path in SUMMARIES:
        command.short_help = SUMMARIES[path]
    if path in EXAMPLES and command.epilog is None:
        title = "Exemple :" if len(EXAMPLES[path]) == 1 else "Exemples :"
        command.epilog = "\b\n" + "\n".join([title, *(f"  {line}" for line in EXAMPLES[path])])
    if path and isinstance(command, click.Group):
        for name, inner in command.commands.items():
            helped(inner, f"{path} {name}")
    return command
