"""The one exception by which the engine declines a question it cannot answer honestly."""

from __future__ import annotations


class Refusal(ValueError):
    """A question the engine declines. ``code`` is stable (English, kebab-case); the text is French and says what to do."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (type(self), (self.code, self.message))
