"""The ring wraps what it holds, opens only with its root key, and follows the changes of other processes."""

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from strongroom.clock import TestClock
from strongroom.errors import Conflict, HomeError
from strongroom.ids import Guid
from strongroom.keys import LONGEST_TOKEN, KeyRing, Secret, create_ring, open_ring, parse_source
from strongroom.keys.disk import Disk
from strongroom.keys.document import RingDocument, to_bytes
from strongroom.keys.root import read_key_file
from strongroom.keys.wrapping import authenticate, expand

HOME = Guid("00000000-0000-7000-8000-000000000001")
FIRST = Guid("00000000-0000-7000-8000-000000000002")
SECOND = Guid("00000000-0000-7000-8000-000000000003")


@pytest.fixture
def clock() -> TestClock:
    return TestClock(datetime(2026, 1, 1, tzinfo=UTC))


@pytest.fixture
def ring(tmp_path: Path, clock: TestClock) -> KeyRing:
    return create_ring(tmp_path, HOME, parse_source("file"), clock)


def key_of(ring: KeyRing, environment: Guid = FIRST) -> Secret:
    return ring.open_environment(environment, lambda key: key)


def test_each_environment_has_its_own_random_key_of_32_bytes(ring: KeyRing, clock: TestClock) -> None:
    first, second = ring.add_environment(FIRST, clock), ring.add_environment(SECOND, clock)

    assert len(first.reveal()) == 32
    assert first != second
    assert key_of(ring, SECOND) == second


def test_no_key_lies_in_the_files_in_clear(ring: KeyRing, clock: TestClock, tmp_path: Path) -> None:
    key = ring.add_environment(FIRST, clock).reveal()
    private = ring.signing_key()[1].private_bytes_raw()
    ring.seal("database", Secret(b"postgresql://user:pass@host/db"))
    text = (tmp_path / "keys.json").read_text()

    for value in (key, private, b"postgresql"):
        assert base64.b64encode(value).decode() not in text
        assert value.hex() not in text


def test_second_key_for_the_same_environment_is_refused(ring: KeyRing, clock: TestClock) -> None:
    ring.add_environment(FIRST, clock)

    with pytest.raises(Conflict):
        ring.add_environment(FIRST, clock)


def test_removed_environment_has_no_key_any_more(ring: KeyRing, clock: TestClock) -> None:
    ring.add_environment(FIRST, clock)
    ring.remove_environment(FIRST)

    with pytest.raises(HomeError, match="no data key"):
        key_of(ring)


def test_rotation_rewraps_every_key_and_the_old_root_key_opens_nothing(
    ring: KeyRing, clock: TestClock, tmp_path: Path
) -> None:
    key = ring.add_environment(FIRST, clock)
    ring.seal("name", Secret(b"value"))
    old_root, old_id = (tmp_path / "root.key").read_bytes(), ring.document.root.id

    assert ring.rotate() != old_id
    reopened = open_ring(tmp_path)
    assert key_of(reopened) == key
    assert reopened.unseal("name") == Secret(b"value")
    (tmp_path / "root.key").write_bytes(old_root)
    with pytest.raises(HomeError, match="root key of another home or an older one"):
        open_ring(tmp_path)


def test_rotation_moves_a_home_from_a_key_file_to_a_passphrase_and_back(
    ring: KeyRing, clock: TestClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = ring.add_environment(FIRST, clock)
    monkeypatch.setenv("HOME_WORDS", "correct horse battery")

    ring.rotate(parse_source("env:HOME_WORDS"))
    assert not (tmp_path / "root.key").exists()
    assert key_of(open_ring(tmp_path)) == key
    open_ring(tmp_path).rotate(parse_source("file"))
    monkeypatch.delenv("HOME_WORDS")
    assert key_of(open_ring(tmp_path)) == key


def test_rotation_of_a_passphrase_asks_where_the_new_one_is(
    tmp_path: Path, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME_WORDS", "correct horse battery")
    ring = create_ring(tmp_path, HOME, parse_source("env:HOME_WORDS"), clock)

    with pytest.raises(HomeError, match="--new-key-provider"):
        ring.rotate()


def test_another_process_that_has_the_ring_open_follows_a_rotation(
    ring: KeyRing, clock: TestClock, tmp_path: Path
) -> None:
    other = open_ring(tmp_path)
    key = ring.add_environment(FIRST, clock)
    ring.rotate()

    assert key_of(other) == key
    assert other.signing_key()[0] == ring.signing_key()[0]


def test_open_ring_of_a_process_fails_when_the_file_goes_bad(ring: KeyRing, clock: TestClock, tmp_path: Path) -> None:
    ring.add_environment(FIRST, clock)
    (tmp_path / "keys.json").write_text("{}")

    with pytest.raises(HomeError, match="damaged"):
        key_of(ring)


def test_interrupted_rekey_keeps_both_keys_until_one_has_opened_the_store(ring: KeyRing, clock: TestClock) -> None:
    old = ring.add_environment(FIRST, clock)
    tried: list[Secret] = []

    def fail(_: Secret) -> None:
        raise HomeError("The disk is full.")

    def only_old(key: Secret) -> str:
        tried.append(key)
        if key != old:
            raise HomeError("The key does not fit.")
        return "open"

    with pytest.raises(HomeError, match="disk is full"):
        ring.rekey(FIRST, fail, clock)
    with pytest.raises(Conflict, match="interrupted"):
        ring.rekey(FIRST, fail, clock)
    assert ring.open_environment(FIRST, only_old) == "open"
    assert len(tried) == 2
    assert ring.document.environments[FIRST].pending is None


def test_opening_while_another_process_reencrypts_does_not_settle_the_matter(
    ring: KeyRing, clock: TestClock, tmp_path: Path
) -> None:
    old = ring.add_environment(FIRST, clock)
    other = open_ring(tmp_path)
    applied: list[Secret] = []

    def only_old(key: Secret) -> Secret:
        if key != old:
            raise HomeError("The key does not fit.")
        return key

    def reencrypt(key: Secret) -> None:
        assert other.open_environment(FIRST, only_old) == old
        assert other.document.environments[FIRST].pending is not None
        with pytest.raises(Conflict, match="Another process"):
            other.rekey(FIRST, applied.append, clock)
        applied.append(key)

    ring.rekey(FIRST, reencrypt, clock)

    assert [key_of(other)] == applied
    assert other.document.environments[FIRST].active.version == 2


def test_wrapped_key_that_was_moved_to_another_environment_does_not_open(
    ring: KeyRing, clock: TestClock, tmp_path: Path
) -> None:
    """TS-501: the associated data binds a wrapped key to its place, even for someone who can write a valid seal."""
    ring.add_environment(FIRST, clock)
    ring.add_environment(SECOND, clock)
    material = read_key_file(Disk(), tmp_path / "root.key")
    assert material is not None
    document = ring.document
    moved = {FIRST: document.environments[SECOND], SECOND: document.environments[FIRST]}
    forged = RingDocument(document.home, False, document.root, moved, document.signing)
    (tmp_path / "keys.json").write_bytes(to_bytes(forged, expand(material)))

    with pytest.raises(HomeError, match="altered or moved"):
        key_of(open_ring(tmp_path))


@pytest.mark.parametrize("is_test_home", [True, False])
def test_mark_of_a_test_home_cannot_be_edited_away(tmp_path: Path, clock: TestClock, is_test_home: bool) -> None:
    """TS-006: a test home never becomes an ordinary one, nor the other way round."""
    create_ring(tmp_path, HOME, parse_source("file"), clock, is_test_home=is_test_home)
    path = tmp_path / "keys.json"
    document = json.loads(path.read_text())
    document["ring"]["is_test_home"] = not is_test_home
    path.write_text(json.dumps(document))

    with pytest.raises(HomeError, match="altered"):
        open_ring(tmp_path)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "damaged"),
        ("[1]", "damaged"),
        ('{"ring": {"format": 1}, "mac": ""}', "damaged"),
        ('{"ring": {"format": 2}, "mac": ""}', "format 2"),
        ('{"ring": [], "mac": ""}', "damaged"),
        ('{"ring": {"format": 1, "root": {"id": 5}}, "mac": ""}', "damaged"),
        ('{"ring": {"format": 1, "root": {"id": "", "source": "file", "scrypt": {"salt": "", "n": ""}}}}', "damaged"),
    ],
)
def test_file_that_is_no_ring_is_named_as_damaged(ring: KeyRing, tmp_path: Path, content: str, expected: str) -> None:
    (tmp_path / "keys.json").write_text(content)

    with pytest.raises(HomeError, match=expected):
        open_ring(tmp_path)


@pytest.mark.parametrize(
    ("name", "value"), [("home", "x"), ("signing", {}), ("environments", []), ("sealed", {"a": "not base64"})]
)
def test_sealed_ring_of_a_wrong_shape_is_named_as_damaged(
    ring: KeyRing, tmp_path: Path, name: str, value: object
) -> None:
    material = read_key_file(Disk(), tmp_path / "root.key")
    assert material is not None
    path = tmp_path / "keys.json"
    body = json.loads(path.read_text())["ring"] | {name: value}
    compact = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    path.write_text(json.dumps({"ring": body, "mac": authenticate(expand(material), compact).hex()}))

    with pytest.raises(HomeError, match="damaged"):
        open_ring(tmp_path)


def test_every_flipped_bit_of_the_file_is_found(ring: KeyRing, clock: TestClock, tmp_path: Path) -> None:
    ring.add_environment(FIRST, clock)
    path = tmp_path / "keys.json"
    good = path.read_bytes()
    opened = 0
    for position in range(0, len(good), 7):
        path.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        try:
            assert open_ring(tmp_path).document == ring.document
            opened += 1
        except HomeError:
            pass

    assert opened < len(good) // 7 // 2, "most flips are no mere white space"


def test_retired_signing_key_verifies_until_no_token_of_it_can_be_alive(ring: KeyRing, clock: TestClock) -> None:
    old = ring.signing_key()[0]
    new = ring.rotate_signing_key(clock)

    assert ring.signing_key()[0] == new
    assert ring.verifying_key(old, clock.now()) is not None
    clock.move_to(clock.now() + LONGEST_TOKEN + timedelta(seconds=1))
    assert ring.verifying_key(old, clock.now()) is None
    assert ring.verifying_key(new, clock.now()) is not None
    ring.rotate_signing_key(clock)
    assert next(key.id for key in ring.document.signing) == new


def test_revoking_rotation_drops_all_older_signing_keys(ring: KeyRing, clock: TestClock) -> None:
    old = ring.signing_key()[0]
    ring.rotate_signing_key(clock, revoke=True)

    assert ring.verifying_key(old, clock.now()) is None


def test_second_ring_in_the_same_folder_is_refused(ring: KeyRing, clock: TestClock, tmp_path: Path) -> None:
    with pytest.raises(HomeError, match="already"):
        create_ring(tmp_path, HOME, parse_source("file"), clock)
