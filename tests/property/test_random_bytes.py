"""R7 over real sockets: odd and broken HTTP, chunked bodies, Expect, requests in pieces and half-closed connections."""

from pathlib import Path

import httpx
from tests.property.campaign import MOST_SECONDS, faults_of_error
from tests.property.draws import Draw
from tests.property.raw import Answered, Sent, Wire, written
from tests.property.requests import Requests
from tests.property.witness import Witness
from tests.servers import RunningServer

from strongroom.home import open_home
from strongroom.schema.standard_tables import standard_schema

REQUESTS = 2_000
MOST_GROWTH_KIB = 64 * 1024


def test_random_bytes_are_answered_or_refused_and_the_server_stays_well(server: RunningServer) -> None:
    """R7, WA-5, WA-8, WA-33, WA-434."""
    home = open_home(server.home)
    witness = Witness(home, home.default_environment())
    address = server.address.removeprefix("http://")
    token, draw = server.token(), Draw("bytes")
    requests = Requests(draw, standard_schema(), {})
    wire = Wire(address)
    faults: list[str] = []
    resident = 0
    for number in range(REQUESTS):
        drawn = requests.next()
        sent = written(draw, drawn, address, token)
        before = witness.state() if number % 20 == 0 else None
        answer = wire.exchange(sent, drawn.method)
        faults += [f"{fault}: {sent.pieces[0][:700]!r}" for fault in _faults(sent, answer)]
        if before is not None and (answer is None or answer.status >= 400) and drawn.path != "$batch":
            assert witness.state() == before, sent.pieces
        if number == REQUESTS // 4:
            resident = _resident_kib(server)
    wire.close()
    witness.close()
    assert not faults, "\n".join([str(len(faults)), *faults[:10]])
    assert _resident_kib(server) - resident < MOST_GROWTH_KIB
    assert httpx.get(f"{server.address}/healthz").text == "ok\n"


def _faults(sent: Sent, answer: Answered | None) -> list[str]:
    if answer is None:
        return [] if sent.ends_early else ["no answer"]
    faults: list[str] = []
    if answer.status >= 500 and answer.status != 501:
        faults.append(f"{answer.status} {answer.body[:300]!r}")
    if answer.seconds > MOST_SECONDS:
        faults.append(f"{answer.seconds:.2f} s")
    if answer.status >= 400 and answer.body and not answer.headers.get("content-type", "").startswith("multipart"):
        faults += faults_of_error(answer.body)
    return faults


def _resident_kib(server: RunningServer) -> int:
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
