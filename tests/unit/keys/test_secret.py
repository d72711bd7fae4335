"""A secret shows itself nowhere."""

import pickle

import pytest

from strongroom.keys import Secret


def test_secret_prints_as_nothing() -> None:
    secret = Secret(b"hidden words")

    for text in (repr(secret), str(secret), f"{secret}", f"{[secret]}", f"{secret!r:>20}"):
        assert "hidden" not in text


def test_secret_does_not_leave_the_process_by_pickling() -> None:
    with pytest.raises(TypeError):
        pickle.dumps(Secret(b"hidden words"))


def test_secrets_compare_by_value_and_have_no_hash() -> None:
    assert Secret(b"a") == Secret(b"a")
    assert Secret(b"a") != Secret(b"b")
    assert Secret(b"a") != b"a"
    with pytest.raises(TypeError):
        hash(Secret(b"a"))
