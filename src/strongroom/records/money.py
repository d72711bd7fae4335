"""Currencies: the base currency where none is given, the exchange rate, and amounts in base currency (WA-85, WA-446).

A rate says how much of the currency one unit of the base currency buys, so base = amount / rate.
"""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import cast

from strongroom.ids import Reference
from strongroom.records.environment_facts import base_currency
from strongroom.records.lookups import Targets
from strongroom.records.session import Session
from strongroom.records.table_form import TableForm
from strongroom.store.protocol import Value

CURRENCY = "transactioncurrencyid"
RATE = "exchangerate"
_FOUR_DIGITS = Decimal("0.0001")
_ONE = Decimal(1)


def complete_money(
    session: Session, form: TableForm, targets: Targets, before: Mapping[str, Value], changes: dict[str, Value]
) -> None:
    """Add currency, rate and base amounts to `changes` when they touch money or the currency."""
    if not form.money or CURRENCY not in form.names:
        return
    touched = [pair for pair in form.money if pair[0] in changes]
    currency_changes = CURRENCY in changes
    if not touched and not currency_changes:
        return
    amounts = {name: changes.get(name, before.get(name)) for name, _ in form.money}
    currency = cast("Reference | None", changes.get(CURRENCY, before.get(CURRENCY)))
    if currency is None:
        if all(amount is None for amount in amounts.values()):
            return
        currency = base_currency(session)
        changes[CURRENCY] = currency
        currency_changes = True
    rate = before.get(RATE)
    if currency_changes or rate is None:
        rate = _ONE if currency == base_currency(session) else targets.row(currency).values.get(RATE)
        if RATE in form.names:
            changes[RATE] = rate
    for name, base in form.money if currency_changes else touched:
        if base is not None:
            changes[base] = _in_base(amounts[name], rate)


def _in_base(amount: Value, rate: Value) -> Decimal | None:
    if not isinstance(amount, Decimal):
        return None
    if rate is _ONE:
        return amount  # it has its four digits
    return (amount / rate if isinstance(rate, Decimal) else amount).quantize(_FOUR_DIGITS, ROUND_HALF_UP)
