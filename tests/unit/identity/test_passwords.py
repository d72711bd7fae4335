"""What a password must be (TS-702)."""

import pytest

from strongroom.errors import InvalidRequest
from strongroom.identity.hashing import is_outdated, matches, no_ones_hash, slow_hash
from strongroom.identity.passwords import demand_good_password
from strongroom.keys import Secret

OWN = ("ada.byron@contoso.example", "Ada Byron", "ada@contoso.example")


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("short-one", "fewer than 12"),
        ("x" * 257, "more than 256"),
        ("qwertyuiop123456", "too easy"),
        ("Contoso-otter-granite", "part of your name"),
        ("BYRON-otter-granite", "part of your name"),
        ("aaaaaaaaaaaaaaaa", "too easy"),
        ("strongroomstrongroom", "too easy"),
        ("Password1234", "common passwords"),
    ],
)
def test_a_password_falls_short_and_is_told_why(password: str, why: str) -> None:
    with pytest.raises(InvalidRequest, match=why) as refused:
        demand_good_password(password, OWN)
    assert refused.value.details["reason"] == "password-policy"


@pytest.mark.parametrize("password", ["lantern-oxide-parsley", "правильный конь батарея", "π² otter granite violin"])
def test_long_passwords_of_any_script_are_taken_without_rules_of_composition(password: str) -> None:
    demand_good_password(password, OWN)


def test_one_of_the_last_ten_is_not_taken_again() -> None:
    used = "lantern-oxide-parsley"

    with pytest.raises(InvalidRequest, match="last 10"):
        demand_good_password(used, OWN, [slow_hash(Secret(used.encode()))])


def test_hashes_are_argon2id_with_a_salt_and_their_parameters() -> None:
    secret = Secret(b"lantern-oxide-parsley")
    one, other = slow_hash(secret), slow_hash(secret)

    assert one.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert one != other
    assert matches(one, secret)
    assert not matches(one, Secret(b"lantern-oxide-parsleY"))
    assert not matches(no_ones_hash(), secret)
    assert not matches("no hash at all", secret)
    assert not matches(one, Secret(b"x" * 2000))
    assert not is_outdated(one)
    assert is_outdated("$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$" + "A" * 43)
