"""`docs/clients.md` says what the tests of clients prove, no more and no less."""

from tests.clients.surface import PAGE, SOURCES, page, table


def test_the_page_has_the_table_that_the_tests_give() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text, "write it anew: python -m tests.clients.surface"
    assert all(table().count(f"| {client} |") >= 1 for client in SOURCES)
