"""Acknowledging, suppressing and closing alerts, and the evidence behind them (TS-825, TS-826)."""

import pytest
from tests.unit.monitoring.watched import Watched
from tests.worlds import depths

from strongroom.audit.merkle import includes
from strongroom.errors import AccessDenied, Conflict, InvalidRequest
from strongroom.ids import Guid
from strongroom.monitoring.alerts import acknowledge, close, evidence, suppress
from strongroom.monitoring.tables import ALERT
from strongroom.schema.model import Depth, Rights
from strongroom.store.protocol import Row


def alert_of(watch: Watched, by: Guid, *, severity: int, table: str = "account") -> Row:
    """An alert whose entry is `by`'s."""
    rule = watch.rule(filter=f"operation eq 1 and objecttypecode eq '{table}'", groupby="userid", severity=severity)
    watch.look()
    watch.world.create(table, by=by, **({"name": "X"} if table == "account" else {"subject": "X"}))
    watch.look()
    (found,) = watch.raised(rule)
    watch.world.update("alertrule", rule, isenabled=False, offreason="One alert is enough.")
    return found


def guard(watch: Watched, name: str) -> Guid:
    """Somebody who looks after alerts and makes accounts."""
    tables = {ALERT: depths(Depth.GLOBAL, (Rights.READ, Rights.WRITE))}
    accounts = {"account": depths(Depth.GLOBAL, (Rights.CREATE, Rights.READ))}
    return watch.world.user(name, None, watch.world.role(f"Guard {name}", {**tables, **accounts}))


def test_who_acknowledged_and_when_stands_on_the_alert_and_notes_add_up(watch: Watched) -> None:
    ann = guard(watch, "Ann")
    alert = alert_of(watch, ann, severity=1)
    with watch.acting(ann) as session:
        acknowledge(session, alert.id, "I look.")
    with watch.acting(ann) as session:
        close(session, alert.id, 5, "It was me, testing.")
    row = watch.world.row(ALERT, alert.id)
    assert (row.values["state"], str(row.values["note"]).count("\n")) == (5, 1)
    assert getattr(row.values["acknowledgedby"], "id", None) == ann
    with pytest.raises(Conflict, match="closed"), watch.acting(ann) as session:
        close(session, alert.id, 4, "Again.")


def test_who_caused_a_grave_alert_cannot_close_it_alone(watch: Watched) -> None:
    """TS-826: a proposal, and somebody who is not involved agrees."""
    ann, bea = guard(watch, "Causer"), guard(watch, "Other")
    alert = alert_of(watch, ann, severity=3)
    with watch.acting(ann) as session:
        close(session, alert.id, 4, "All fine.")
    assert watch.world.row(ALERT, alert.id).values["state"] == 3
    with pytest.raises(AccessDenied) as refused, watch.acting(ann) as session:
        close(session, alert.id, 4, "Really.")
    assert refused.value.details["reason"] == "own-alert"
    with watch.acting(bea) as session:
        close(session, alert.id, 4, "I have looked at it.")
    row = watch.world.row(ALERT, alert.id)
    assert row.values["state"] == 4
    assert getattr(row.values["closedby"], "id", None) == bea


def test_whoever_is_not_involved_closes_a_grave_alert(watch: Watched) -> None:
    ann, bea = guard(watch, "Ada"), guard(watch, "Ben")
    alert = alert_of(watch, ann, severity=4)
    with watch.acting(bea) as session:
        close(session, alert.id, 4, "Looked at.")
    assert watch.world.row(ALERT, alert.id).values["state"] == 4


def test_closing_takes_a_note_and_a_right(watch: Watched) -> None:
    """TS-825."""
    ann = guard(watch, "Noteless")
    alert = alert_of(watch, ann, severity=1)
    with pytest.raises(InvalidRequest, match="Note"), watch.acting() as session:
        close(session, alert.id, 4, "  ")
    with pytest.raises(InvalidRequest, match="Resolved"), watch.acting() as session:
        close(session, alert.id, 2, "Half.")
    reader = watch.world.user("Reader", None, watch.world.role("Reader", {ALERT: depths(Depth.GLOBAL, (Rights.READ,))}))
    with pytest.raises(AccessDenied), watch.acting(reader) as session:
        close(session, alert.id, 4, "Done.")
    assert watch.world.row(ALERT, alert.id).values["state"] == 1


def test_nobody_writes_an_alert_by_hand(watch: Watched) -> None:
    """TS-825: alerts are the platform's; people act on them."""
    alert = alert_of(watch, watch.world.admin, severity=1)
    watch.world.update(ALERT, alert.id, severity=4, state=4, note="Nothing to see.")
    assert watch.world.row(ALERT, alert.id).values == alert.values


def test_a_suppressed_alert_takes_up_what_its_rule_finds(watch: Watched) -> None:
    rule = watch.rule(filter="operation eq 1 and objecttypecode eq 'task'", suppressminutes=1)
    watch.look()
    watch.world.create("task", subject="1")
    watch.look()
    (alert,) = watch.raised(rule)
    with watch.acting() as session:
        suppress(session, alert.id, 600, "Data is being moved in.")
    watch.pass_time(hours=2)
    watch.world.create("task", subject="2")
    watch.look()
    (alert,) = watch.raised(rule)
    assert alert.values["hits"] == 2
    with pytest.raises(InvalidRequest, match="minutes"), watch.acting() as session:
        suppress(session, alert.id, 0, "No time.")


def test_the_entries_behind_an_alert_come_with_proofs_that_hold(watch: Watched) -> None:
    """TS-825."""
    alert = alert_of(watch, watch.world.admin, severity=1)
    with watch.acting() as session:
        (entry,) = evidence(session, alert.id)
        head = session.transaction.log.heads(newest=1)[0]
    path = [bytes.fromhex(each) for each in entry.path]
    assert entry.tree_size == head.tree_size
    assert includes(path, bytes.fromhex(entry.leaf_hash), entry.sequence, entry.tree_size, bytes.fromhex(head.root))


def test_the_history_of_alerts_stays(watch: Watched) -> None:
    """TS-003: neither an alert nor the rule behind it is removed."""
    alert = alert_of(watch, watch.world.admin, severity=1)
    rule = alert.values["alertruleid"]
    with pytest.raises(AccessDenied, match="ledger"):
        watch.world.delete(ALERT, alert.id)
    with pytest.raises(AccessDenied, match="ledger"):
        watch.world.delete("alertrule", getattr(rule, "id", alert.id))
    assert watch.world.row(ALERT, alert.id).values == alert.values
