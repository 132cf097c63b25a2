"""Amounts in euros, always exact decimals, always saying whether tax is in."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from .french import NO_BREAK_SPACE, format_number, read_number

CENT = Decimal("0.01")
STANDARD_VAT = Decimal("0.20")


class Tax(StrEnum):
    """HT: before value-added tax. TTC: tax included."""

    HT = "HT"
    TTC = "TTC"


def to_cents(amount: Decimal) -> Decimal:
    """Rounded to the cent, halves away from zero (commercial rounding, as French public accounts do)."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def to_euros(amount: Decimal) -> Decimal:
    """Rounded to the whole euro, halves away from zero."""
    return amount.quantize(Decimal(1), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True)
class Money:
    """An amount in euros, to the cent. Two amounts add or compare only under the same tax; floats are refused."""

    amount: Decimal
    tax: Tax = Tax.HT

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError("un montant est un Decimal")
        object.__setattr__(self, "amount", to_cents(self.amount))

    def _same_tax(self, other: Money) -> None:
        if self.tax is not other.tax:
            raise ValueError(f"montants {self.tax} et {other.tax} ne s'additionnent ni ne se comparent")

    def __add__(self, other: Money) -> Money:
        self._same_tax(other)
        return Money(self.amount + other.amount, self.tax)

    def __sub__(self, other: Money) -> Money:
        self._same_tax(other)
        return Money(self.amount - other.amount, self.tax)

    def __mul__(self, factor: Decimal | int) -> Money:
        return Money(self.amount * factor, self.tax)

    def __lt__(self, other: Money) -> bool:
        self._same_tax(other)
        return self.amount < other.amount

    def __le__(self, other: Money) -> bool:
        self._same_tax(other)
        return self.amount <= other.amount

    def without_tax(self, rate: Decimal = STANDARD_VAT) -> Money:
        """The HT amount at ``rate``; itself when already HT."""
        return self if self.tax is Tax.HT else Money(self.amount / (1 + rate), Tax.HT)

    def with_tax(self, rate: Decimal = STANDARD_VAT) -> Money:
        """The TTC amount at ``rate``; itself when already TTC."""
        return self if self.tax is Tax.TTC else Money(self.amount * (1 + rate), Tax.TTC)

    def __str__(self) -> str:
        return f"{format_number(self.amount, 2)}{NO_BREAK_SPACE}€ {self.tax}"


def parse_money(text: str, tax: Tax = Tax.HT) -> Money | None:
    """``12 k€`` ``1 234,50 €`` → Money under ``tax``; a written HT or TTC prevails. None when not an amount."""
    number = read_number(text)
    if number is None or number.unit not in (None, "€"):
        return None
    mark = text.upper().replace(".", "").rstrip()
    written = Tax.TTC if mark.endswith("TTC") else Tax.HT if mark.endswith("HT") else tax
    return Money(number.value, written)


def share_of(amount: Decimal, points: Decimal) -> Decimal:
    """``points`` per cent of ``amount``, to the cent."""
    return to_cents(amount * points / 100)
