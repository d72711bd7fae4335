"""A sustained mixed load from many connections: no 5xx, and memory that does not grow.

    make load SECONDS=600

A home is made for it and thrown away. Each connection goes on for as long as it is told: lists, single rows, counts,
FetchXML, creating, changing, deleting, `CreateMultiple`, batches, metadata. Every ten seconds the memory of the
server's process is read; at the end the last quarter is compared with the second. Exit status 1 when something was
wrong.
"""

import argparse
import asyncio
import json
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from urllib.parse import quote

import httpx

STRONGROOM = str(Path(sys.executable).with_name("strongroom"))
NS = "Microsoft.Dynamics.CRM"
FETCH = "<fetch count='20'><entity name='account'><attribute name='name'/><order attribute='name'/></entity></fetch>"
GROWTH = 1.2
"""How much more memory the last quarter may have than the second; in the first the caches fill."""


class Load:
    """What the connections have in common."""

    def __init__(self, api: str, token: str, ends: float) -> None:
        self.api = api
        self.headers = {"Authorization": f"Bearer {token}"}
        self.ends = ends
        self.statuses: Counter[int] = Counter()
        self.slowest_s = 0.0

    async def connection(self, number: int) -> None:
        """One client's life."""
        chance = random.Random(number)  # noqa: S311 - which request comes next is no secret
        rows: list[str] = []
        async with httpx.AsyncClient(base_url=self.api, headers=self.headers, timeout=120) as client:
            while time.monotonic() < self.ends:
                began = time.perf_counter()
                answer = await self._next(client, chance, rows)
                self.slowest_s = max(self.slowest_s, time.perf_counter() - began)
                self.statuses[answer.status_code] += 1

    async def _next(self, client: httpx.AsyncClient, chance: random.Random, rows: list[str]) -> httpx.Response:
        kind = chance.random()
        if kind < 0.15 or not rows:
            answer = await client.post("accounts", json={"name": f"Load {chance.random()}", "revenue": 5})
            if answer.status_code == 204:
                rows.append(answer.headers["OData-EntityId"][-37:-1])
            return answer
        row = chance.choice(rows)
        if kind < 0.40:
            return await client.get("accounts?$select=name,revenue&$top=50&$orderby=name")
        if kind < 0.55:
            return await client.get(f"accounts({row})?$expand=primarycontactid($select=fullname)")
        if kind < 0.65:
            return await client.patch(f"accounts({row})", json={"telephone1": str(chance.random())[:20]})
        if kind < 0.72:
            rows.remove(row)
            return await client.delete(f"accounts({row})")
        if kind < 0.78:
            return await client.get(f"accounts?fetchXml={quote(FETCH)}")
        if kind < 0.83:
            return await client.get("accounts/$count?$filter=revenue gt 1")
        if kind < 0.88:
            targets = [{"@odata.type": f"{NS}.contact", "lastname": f"L {n}"} for n in range(10)]
            return await client.post(f"contacts/{NS}.CreateMultiple", json={"Targets": targets})
        if kind < 0.93:
            return await client.post(
                "$batch", content=_batch(row), headers={"Content-Type": "multipart/mixed; boundary=b"}
            )
        if kind < 0.97:
            return await client.get("EntityDefinitions(LogicalName='account')?$select=LogicalName")
        return await client.get("$metadata")


def _batch(row: str) -> bytes:
    body = json.dumps({"fax": "1"})
    change = f"PATCH accounts({row}) HTTP/1.1\r\nContent-Type: application/json\r\n\r\n{body}"
    parts = ("GET accounts?$select=name&$top=1 HTTP/1.1\r\n\r\n", change)
    head = "--b\r\nContent-Type: application/http\r\nContent-Transfer-Encoding: binary\r\n\r\n"
    return ("".join(f"{head}{part}\r\n" for part in parts) + "--b--\r\n").encode()


def _resident_mib(process: int) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


async def _run(load: Load, connections: int, process: int) -> list[float]:
    clients = [asyncio.create_task(load.connection(number)) for number in range(connections)]
    memory: list[float] = []
    while time.monotonic() < load.ends:
        memory.append(_resident_mib(process))
        await asyncio.sleep(min(10.0, max(0.1, load.ends - time.monotonic())))
    await asyncio.gather(*clients)
    return memory


def main() -> int:
    """Run the load, and tell what was seen."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--seconds", type=float, default=600)
    arguments.add_argument("--connections", type=int, default=50)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="strongroom-load-") as folder:
        home, port = str(Path(folder, "home")), _free_port()
        subprocess.run([STRONGROOM, "init", "--home", home], check=True, capture_output=True)  # noqa: S603
        token = subprocess.run(  # noqa: S603 - the program's own commands
            [STRONGROOM, "token", "--home", home, "--user", "admin", "--minutes", "120"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        server = subprocess.Popen(  # noqa: S603
            [STRONGROOM, "serve", "--home", home, "--port", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _wait(f"http://127.0.0.1:{port}/healthz")
            load = Load(f"http://127.0.0.1:{port}/api/data/v9.2/", token, time.monotonic() + given.seconds)
            memory = asyncio.run(_run(load, given.connections, server.pid))
        finally:
            server.terminate()
            server.wait()
    return _tell(load, memory, given.seconds)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _wait(address: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(address).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.1)
    raise SystemExit("the server did not become ready")


def _tell(load: Load, memory: list[float], seconds: float) -> int:
    quarter = max(1, len(memory) // 4)
    first, last = memory[quarter : 2 * quarter] or memory, memory[-quarter:]
    growth = (sum(last) / len(last)) / (sum(first) / len(first))
    errors = sum(number for status, number in load.statuses.items() if status >= 500)
    total = sum(load.statuses.values())
    print(f"{total} requests in {seconds:.0f} s ({total / seconds:.0f}/s), slowest {load.slowest_s:.2f} s")
    print(f"statuses: {dict(sorted(load.statuses.items()))}")
    print(f"memory in MiB, every ten seconds: {' '.join(f'{each:.0f}' for each in memory)}")
    print(f"the last quarter has {growth:.2f} times the memory of the second; 5xx: {errors}")
    return 1 if errors or growth > GROWTH else 0


if __name__ == "__main__":
    sys.exit(main())
