"""Who has shown nothing fills no table (TS-306, TS-703, TS-733)."""

import pytest
from tests.signin.realm import Realm, sign_in
from tests.signin.test_administration import Administrator

from strongroom.identity.directory import number
from strongroom.identity.flood import attempts_to_tell


def rows(realm: Realm, table: str) -> int:
    with realm.directory.reading() as transaction:
        return len(transaction.rows_where(transaction.schema.tables[table], {}))


def test_a_flood_of_failures_leaves_few_rows_that_say_how_many_there_were(realm: Realm) -> None:
    """The log grows with the logarithm of a flood, for one network and for all together."""
    with realm.directory.writing() as session:
        told = [attempts_to_tell(session, "198.51.100.7") for _ in range(1000)]
        everywhere = [attempts_to_tell(session, f"10.{number}.0.1") for number in range(250)]

    assert told[:20] == [1] * 20
    assert [each for each in told[20:] if each] == [20, 40, 80, 160, 320]
    assert sum(told) >= 640
    assert sum(1 for each in everywhere if each) <= 250


def test_made_up_names_leave_no_rows_that_count_them(realm: Realm) -> None:
    """TS-703: a name that is nobody's counts for its network only, and is refused in the same words."""
    before = rows(realm, "signinguard")
    answers = {sign_in(realm.browser(), f"nobody{each}@home", "x" * 14).text.count("not right") for each in range(23)}

    assert answers == {1}
    assert rows(realm, "signinguard") - before <= 3
    assert rows(realm, "signinlog") <= 21


def test_what_counts_nothing_any_more_goes(realm: Realm) -> None:
    """Ever new networks fill no table either: old rows are removed in passing."""
    for each in range(6):
        sign_in(realm.browser(f"198.51.{each}.7"), "nobody@home", "x")
    realm.pass_time(hours=3)

    for _ in range(2):
        sign_in(realm.browser("203.0.113.1"), "nobody@home", "x")

    assert rows(realm, "signinguard") <= 3


def test_looking_at_a_link_writes_nothing(realm: Realm, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GET of the page for a new password opens no unit of work that writes."""
    path = Administrator(realm).act("CreatePasswordLink", UserId=realm.people["bo@home"])["Path"]

    with realm.directory.reading() as transaction:
        before = transaction.stamp
    with monkeypatch.context() as patched:
        patched.setattr(realm.directory, "writing", None)  # whoever opens one fails
        shown, unknown = realm.browser().get(path), realm.browser().get("/sign-in/new-password?token=unknown")
    with realm.directory.reading() as transaction:
        after = transaction.stamp

    assert (shown.status_code, unknown.status_code) == (200, 400)
    assert before == after


def test_a_lock_that_strangers_cause_is_low_risk_only(realm: Realm) -> None:
    """TS-727: whoever fails on purpose must not be able to have somebody blocked as a high risk."""
    for _ in range(11):
        sign_in(realm.browser("198.51.100.9"), "bo@home", "wrong")
    with realm.directory.reading() as transaction:
        events = transaction.rows_where(transaction.schema.tables["riskevent"], {})

    assert [number(row, "level") for row in events] == [1]
