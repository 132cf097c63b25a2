"""Keys written twice in one JSON object: readers keep the last value without a word, so a file whose two values differ is refused."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any

from ..tables import FileRefused

_NESTED = frozenset((dict, list))


def check_keys(content: bytes, document: Any) -> None:
    """Refuses JSON text of which ``document`` lost a value. Text and document have as many keys when none is repeated: only others,
    and texts that hold what looks like a key, are read again more slowly."""
    keys, told = _keys(document), content.count(b'":')
    if told != keys and told + content.count(b'" :') != keys:
        for piece in [content] if _is_one(content) else content.splitlines():
            if piece.strip():
                json.loads(piece, object_pairs_hook=_each_once)


def _keys(document: Any) -> int:
    """How many keys a document has, level by level: a call an object would take longer than reading it."""
    total, level = 0, [document]
    while kinds := _NESTED.intersection(map(type, level)):
        objects = [value for value in level if type(value) is dict] if dict in kinds else []
        lists = [value for value in level if type(value) is list] if list in kinds else []
        total += sum(map(len, objects))
        level = [*chain.from_iterable(map(dict.values, objects)), *chain.from_iterable(lists)]
    return total


def _is_one(content: bytes) -> bool:
    try:
        json.loads(content)
    except ValueError:
        return False
    return True


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        for key, value in pairs:
            if found[key] != value:
                raise FileRefused(
                    "json_repeated_key",
                    f"La clé « {key[:60]} » est écrite deux fois dans un même enregistrement, avec deux valeurs différentes : "
                    f"« {_short(value)} » et « {_short(found[key])} ». Gardez la bonne, puis renvoyez le fichier.",
                )
    return found


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 40 else f"{text[:40]}…"
