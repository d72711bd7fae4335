"""Addresses: paths, hosts, proxies (WA-1, WA-2, WA-4, WA-6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.errors import QueryError, ResourceNotFound, StrongroomError
from strongroom.webapi.addressing import environment_in, environment_of_host, origin, read_address
from strongroom.webapi.paths import Segment, split_path
from strongroom.webapi.telemetry import Observation


def test_segments_keep_slashes_inside_quotes_and_parentheses() -> None:
    assert split_path("accounts(name='a/b')/Account_Tasks/$ref") == (
        Segment("accounts", "name='a/b'"),
        Segment("Account_Tasks"),
        Segment("$ref"),
    )
    assert (
        split_path("contacts(firstname='O''Neil',lastname=%27x%2Fy%27)")[0].key == "firstname='O''Neil',lastname='x/y'"
    )
    assert split_path("") == split_path("/") == ()


@pytest.mark.parametrize("path", ["accounts(", "accounts('x", "accounts(1)x", "a/" * 30])
def test_paths_that_do_not_close_are_refused(path: str) -> None:
    with pytest.raises(QueryError):
        split_path(path)


@given(st.text(max_size=80))
def test_random_paths_are_split_or_refused(path: str) -> None:
    try:
        split_path(path)
    except StrongroomError as error:
        assert error.status in (400, 404)


def test_versions_and_environments_are_read_from_the_path() -> None:
    """WA-1."""
    plain, named = read_address("/api/data/v9.0/accounts(1)"), read_address("/e/contoso/api/data/v9.2")

    assert plain is not None
    assert named is not None
    assert (plain.environment, plain.version, plain.path) == (None, "v9.0", "accounts(1)")
    assert (named.environment, named.version, named.path) == ("contoso", "v9.2", "")
    assert environment_in("/e/contoso/x") == "contoso"
    assert read_address("/other") is None
    with pytest.raises(ResourceNotFound, match="v10"):
        read_address("/api/data/v10/accounts")


def test_forwarded_headers_count_from_trusted_peers_only() -> None:
    """WA-6."""
    headers = {"host": "inner:8000", "x-forwarded-proto": "https", "x-forwarded-host": "crm.example"}

    assert origin("http", headers, "127.0.0.1", frozenset()) == "https://crm.example"
    assert origin("http", headers, "192.0.2.1", frozenset()) == "http://inner:8000"
    assert origin("http", headers, "192.0.2.1", frozenset({"192.0.2.1"})) == "https://crm.example"
    assert origin("http", {"host": "a", "forwarded": 'proto=https;host="b"'}, "::1", frozenset()) == "https://b"


def test_a_host_that_is_none_is_refused() -> None:
    with pytest.raises(StrongroomError, match="Host"):
        origin("http", {"host": "a b<script>"}, "192.0.2.1", frozenset())


def test_the_first_label_of_the_host_may_name_an_environment() -> None:
    assert environment_of_host("https://contoso.crm.example", frozenset({"contoso"})) == "contoso"
    assert environment_of_host("https://crm.example", frozenset({"contoso"})) is None
    assert environment_of_host("http://localhost:8000", frozenset({"localhost"})) is None


def test_logs_keep_the_shape_of_a_path_and_no_values() -> None:
    seen = Observation("id", "GET", "/api/data/v9.2/contacts(emailaddress1='ada@x.org')/fullname")

    assert seen.shape == "/api/data/v9.2/contacts(…)/fullname"
    assert seen.resource == "data"
    assert "ada" not in Observation("id", "GET", "/api/data/v9.2/contacts%28emailaddress1='ada@x.org'%29").shape
    assert Observation("id", "GET", "/api/data/v9.2/$batch").resource == "batch"
    assert Observation("id", "GET", "/healthz").resource == "health"
