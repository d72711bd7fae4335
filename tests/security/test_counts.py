"""Counts know what lists know, whatever they are counted from."""

from tests.security.realm import Realm


def test_a_share_adds_nothing_to_the_count_of_who_reads_everything(realm: Realm) -> None:
    """SM-5: `$count`, totals and lists agree."""
    realm.share("account", realm.ids["account of bob"], "rex", "ReadAccess")
    rows = realm.get("rex", "accounts?$select=accountid&$count=true")
    total = realm.get("rex", "RetrieveTotalRecordCount(EntityNames=['account'])")
    assert rows.json["@odata.count"] == len(rows.rows)
    assert int(realm.get("rex", "accounts/$count").text.lstrip("\ufeff")) == len(rows.rows)
    assert total.json["EntityRecordCountCollection"]["Values"] == [len(rows.rows)]
