"""How events are written: OCSF that its models take, CEF and syslog that nobody breaks out of (TS-818, TS-819)."""

import json
import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from py_ocsf_models.events.findings.detection_finding import DetectionFinding
from tests.unit.monitoring.watched import ENVIRONMENT, Watched

from strongroom.audit.activities import Activity, Category, Outcome
from strongroom.audit.entries import Operation
from strongroom.monitoring import cef, ocsf
from strongroom.monitoring.destinations import Form
from strongroom.monitoring.events import Event, Origin, event_of
from strongroom.monitoring.reading import places
from strongroom.monitoring.sending import frame, syslog_line, text_of

ORIGIN = Origin("main", ENVIRONMENT)
EVENT = Event("e", 7, "2026-01-05T09:30:00Z", ORIGIN, "change", "delete", operation=Operation.DELETE)

_REQUIRED = {"activity_id", "category_uid", "class_uid", "type_uid", "time", "severity_id", "metadata"}
_OF_CLASS = {
    2004: {"finding_info"},
    3001: {"user"},
    3002: {"user"},
    3005: {"user", "privileges"},
    3006: {"group"},
    6003: {"actor", "api", "src_endpoint"},
}
"""What OCSF 1.5 requires of every event, and of each class besides."""


def events_of(watch: Watched) -> list[Event]:
    watch.look()
    with watch.database.read() as transaction:
        found = places(transaction, 0, 100_000)
    return [event for place in found if (event := event_of(ORIGIN, place)) is not None]


def test_an_alert_is_a_detection_finding_that_the_models_take(watch: Watched) -> None:
    """TS-818: 2004, with the severity of the rule."""
    rule = watch.rule(name="Leads", filter="operation eq 1 and objecttypecode eq 'lead'", severity=3)
    watch.look()
    watch.world.create("lead", lastname="X")
    watch.look()
    (alert,) = watch.raised(rule)
    (event,) = (each for each in events_of(watch) if each.row == alert.id)
    shown = ocsf.written(event)
    finding = DetectionFinding.model_validate(shown)
    assert (finding.class_uid, finding.severity_id.value, finding.finding_info.title) == (2004, 4, "Leads")
    assert finding.type_uid.value == 200401
    assert finding.metadata.version == ocsf.VERSION


def test_every_event_of_a_trail_has_what_its_class_requires(shipped: Watched) -> None:
    """TS-818: `type_uid` is `class_uid` × 100 + `activity_id`, and the classes are those of the table in `ocsf`."""
    world = shipped.world
    ann = world.user("Ann", None, world.role("Some"))
    world.team("Team", None, members=[ann])
    world.update("systemuser", ann, isdisabled=True)
    for what in Activity:
        shipped.tell(what, ann, address="192.0.2.1", outcome=Outcome.FAILURE)
    classes: set[int] = set()
    for event in events_of(shipped):
        shown = json.loads(text_of(Form.OCSF, event))
        classes.add(shown["class_uid"])
        assert shown.keys() >= _REQUIRED | _OF_CLASS[shown["class_uid"]]
        assert shown["type_uid"] == shown["class_uid"] * 100 + shown["activity_id"]
        assert shown["category_uid"] == shown["class_uid"] // 1000
        assert shown["metadata"]["uid"] == event.id
    assert classes >= {3001, 3002, 3005, 3006, 6003}


texts = st.text(max_size=40)


@given(what=texts, table=texts, address=texts, client=texts, environment=texts, columns=st.lists(texts, max_size=3))
def test_nothing_breaks_out_of_a_line_of_cef(
    what: str, table: str, address: str, client: str, environment: str, columns: list[str]
) -> None:
    """TS-819: head and extension can be read back as they were, whatever is in the values."""
    event = replace(
        EVENT,
        origin=Origin(environment, ENVIRONMENT),
        what=what,
        table=table,
        address=address,
        client=client,
        columns=tuple(columns),
    )
    line = cef.written(event)
    assert line.splitlines() == [line]
    assert line.startswith("CEF:0|Strongroom|Strongroom|")
    assert len(re.findall(r"(?<!\\)(?:\\\\)*\|", line.partition("|rt=")[0])) == 6


def test_an_equals_sign_a_bar_and_a_line_feed_in_a_value_are_escaped() -> None:
    """TS-819."""
    event = replace(EVENT, client="a\nforged=1 |x\\", table="t|u")
    line = cef.written(event)
    assert "requestClientApplication=a\\nforged\\=1 |x\\\\ " in line
    assert cef.in_head("a|b\\c\nd") == "a\\|b\\\\c d"


@given(what=texts, text=texts, environment=texts)
def test_a_syslog_message_is_one_frame_whatever_is_in_it(what: str, text: str, environment: str) -> None:
    """TS-819: nothing in a message begins another one, in the head or in the text."""
    event = replace(EVENT, origin=Origin(environment, ENVIRONMENT), what=what)
    line = syslog_line(event, text)
    assert b"\n" not in line
    head, mark, rest = line.partition(b"\xef\xbb\xbf")
    assert mark
    assert re.fullmatch(rb'<110>1 2026-01-05T09:30:00Z [!-~]+ strongroom - [!-~]+ \[meta sequenceId="8"\] ', head)
    assert rest.decode() == text.replace("\n", " ").replace("\x00", " ")
    framed = frame(line)
    length, _, body = framed.partition(b" ")
    assert int(length) == len(body)


@pytest.mark.parametrize("category", [None, *Category])
def test_an_event_without_anything_but_its_name_can_be_written_in_every_form(category: Category | None) -> None:
    event = replace(EVENT, kind="activity", what="command", operation=None, category=category)
    for form in Form:
        assert text_of(form, event)
