"""Versions of rows over the Web API (TS-810)."""

import httpx
from tests.servers import RunningServer


def test_a_version_is_shown_previewed_and_restored(server: RunningServer) -> None:
    """TS-810: `RetrieveRecordVersion` shows, `RestoreRecordVersion` previews and writes."""
    headers = {"Authorization": f"Bearer {server.token('admin')}", "Prefer": "return=representation"}
    root = f"{server.address}/api/data/v9.2"
    with httpx.Client(headers=headers, timeout=30) as client:
        row = client.post(f"{root}/accounts?$select=accountid", json={"name": "Before"}).json()["accountid"]
        client.patch(f"{root}/accounts({row})", json={"name": "After"})
        entries = f"{root}/audits?$filter=_objectid_value eq {row} and operation eq 2&$select=auditid"
        (entry,) = client.get(entries).json()["value"]
        target = {"@odata.type": "Microsoft.Dynamics.CRM.account", "accountid": row}
        body = {"Target": target, "AuditId": entry["auditid"]}

        preview = client.post(f"{root}/RestoreRecordVersion", json={**body, "Preview": True})
        restored = client.post(f"{root}/RestoreRecordVersion", json={**body, "Columns": ["name"]})
        at = "Target=@t,At='2099-01-01T00:00:00Z'"
        version = client.get(f"{root}/RetrieveRecordVersion({at})", params={"@t": f"{{'@odata.id':'accounts({row})'}}"})

        assert preview.status_code == 200, preview.text
        assert preview.json()["Changes"] == [{"Column": "name", "From": "After", "To": "Before"}]
        assert restored.json()["Changes"] == preview.json()["Changes"]
        assert client.get(f"{root}/accounts({row})?$select=name").json()["name"] == "Before"
        assert version.status_code == 200, version.text
        assert {"Column": "name", "Value": "Before"} in version.json()["Columns"]
