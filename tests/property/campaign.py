"""A campaign: random requests, and what must hold of every answer (R7, WA-50, WA-53, WA-434)."""

import json
import time
from collections import Counter
from dataclasses import dataclass, field

from tests.property.draws import Draw
from tests.property.requests import Drawn, Requests
from tests.property.witness import State
from tests.property.world import World

from strongroom.webapi.http import Response

MOST_SECONDS = 1.0
PEOPLE = ("admin", "admin", "admin", "admin", "admin", "seller", "seller", "stranger")
_EVERY = 50


@dataclass(slots=True)
class Findings:
    """What went wrong, with the requests that show it, and how the answers were spread."""

    seed: str
    statuses: Counter[int] = field(default_factory=Counter[int])
    faults: list[str] = field(default_factory=list[str])

    def add(self, what: str, user: str, drawn: Drawn) -> None:
        self.faults.append(f"{what} (seed {self.seed}, as {user}): {drawn}")


def run(world: World, seed: str, number: int) -> Findings:
    """Send `number` requests and judge every answer."""
    findings = Findings(seed)
    draw = Draw(seed)
    requests = Requests(draw, world.schema, world.ids)
    state = world.witness.state()
    unproven: list[tuple[str, Drawn]] = []
    for _ in range(number):
        drawn = requests.next()
        user = draw.pick(PEOPLE)
        started = time.perf_counter()
        answer = world.send(drawn, user)
        seconds = time.perf_counter() - started
        findings.statuses[answer.status] += 1
        requests.learn(drawn, answer)
        for fault in faults_of(answer, drawn):
            findings.add(fault, user, drawn)
        if seconds > MOST_SECONDS and is_slow(world, drawn, user):
            findings.add(f"took {seconds:.2f} s", user, drawn)
        if answer.status < 400 or _keeps_parts(answer):
            if world.witness.stamp() != state.stamp or drawn.method not in ("GET", "HEAD"):
                state = world.witness.state()
                unproven = []
        else:
            unproven.append((user, drawn))
            if world.witness.stamp() != state.stamp or len(unproven) >= _EVERY:
                state = _prove(world, state, unproven, findings)
                unproven = []
    _prove(world, state, unproven, findings)
    return findings


def _prove(world: World, before: State, requests: list[tuple[str, Drawn]], findings: Findings) -> State:
    after = world.witness.state()
    if after != before:
        changed = [f"{a} → {b}" for a, b in zip(before.rows, after.rows, strict=False) if a != b]
        user, drawn = requests[-1]
        findings.add(f"refused, and yet {before.stamp} → {after.stamp} {changed}", user, drawn)
    return after


def _keeps_parts(answer: Response) -> bool:
    """A batch that stopped keeps what went before the failing part (WA-291)."""
    return (answer.header("Content-Type") or "").startswith("multipart/mixed")


def is_slow(world: World, drawn: Drawn, user: str) -> bool:
    """Whether a request is slow again: once may be the machine."""
    started = time.perf_counter()
    world.send(drawn, user)
    return time.perf_counter() - started > MOST_SECONDS


def faults_of(answer: Response, drawn: Drawn) -> list[str]:
    """Everything wrong with one answer."""
    faults: list[str] = []
    if answer.status == 501 and b"does not offer" not in answer.body and b"not implement" not in answer.body:
        faults.append(f"501 without a name: {answer.body!r}")
    elif answer.status >= 500 and answer.status != 501:
        faults.append(f"{answer.status}")
    if _keeps_parts(answer):
        if b"HTTP/1.1 500" in answer.body:
            faults.append("500 inside a batch")
    elif answer.status >= 400:
        faults += faults_of_error(answer.body)
    if any("\r" in value or "\n" in value for _, value in answer.headers):
        faults.append("a line end inside a header")
    return faults


def faults_of_error(body: bytes) -> list[str]:
    """What is wrong with an error's body (WA-50, WA-54)."""
    try:
        error = json.loads(body)["error"]
        code, message = error["code"], error["message"]
    except (ValueError, KeyError, TypeError):
        return [f"not an error body: {body[:200]!r}"]
    faults: list[str] = []
    if not isinstance(code, str) or not isinstance(message, str) or not message.splitlines()[0].strip():
        faults.append(f"code or message is wrong: {body[:200]!r}")
    elif any(word in message for word in ("Traceback", 'File "', "sqlite", "psycopg", "/src/")):
        faults.append(f"the message tells of our insides: {message[:300]}")
    return faults
