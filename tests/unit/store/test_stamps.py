"""The stamp of a moment, read for less than a snapshot costs (SM-4)."""

from strongroom.store.database import StoreDatabase


def test_the_stamp_of_the_moment_is_that_of_the_next_snapshot(database: StoreDatabase) -> None:
    """SM-4: what is remembered under an epoch is void from the commit of a change on, and not before."""
    with database.read() as transaction:
        before = transaction.stamp
    assert database.stamp() == before

    with database.write() as transaction:
        transaction.bump_security_epoch()

    after = database.stamp()
    assert after.security_epoch == before.security_epoch + 1
    with database.read() as transaction:
        assert transaction.stamp == after
