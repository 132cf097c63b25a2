"""Values compared by identity, to remember what follows from them."""

from __future__ import annotations

from typing import Generic, TypeVar

Value = TypeVar("Value")


class Same(Generic[Value]):
    """A value equal to itself only: what holds mappings does not hash, and hashing what holds hundreds of names at each use would
    cost more than the use. It keeps the value alive, so that no other can take its identity."""

    __slots__ = ("value",)

    def __init__(self, value: Value) -> None:
        self.value = value

    def __hash__(self) -> int:
        return id(self.value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and other.value is self.value
