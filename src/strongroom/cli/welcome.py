"""What `strongroom serve` says when it listens: addresses, and ready-to-paste ways in."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from strongroom.home import Home
    from strongroom.home.personas import Persona

_PYTHON = """\
import json, subprocess, urllib.request
token = subprocess.check_output({command!r}, text=True).strip()
request = urllib.request.Request({url!r}, headers={{"Authorization": "Bearer " + token}})
print(json.load(urllib.request.urlopen(request{context}))["value"])"""


def welcome(home: "Home", address: str, trust: Path | None, tls_port: int | None = None) -> list[str]:
    """The lines for a person: what is served at `address`. `trust` is the certificate to trust, when one was made;
    `tls_port` is where HTTPS is served when `address` is plain HTTP beside it."""
    from strongroom.home.personas import read_personas

    default = home.default_environment().name
    lines = [f"Strongroom serves {home.path} at {address}", f"  Web API      {address}/api/data/v9.2/   ({default})"]
    lines.insert(1, f"  Console      {address}/   (with the token of a persona, or an account: strongroom users add)")
    for record in home.environments():
        if record.name != default:
            lines.append(f"               {address}/e/{record.name}/api/data/v9.2/")
    if tls_port is not None:
        lines.append(f"  HTTPS        https://localhost:{tls_port}/api/data/v9.2/")
    if trust is not None:
        lines.append(f"  Certificate  {trust}")
    if home.is_test_home:
        lines.append("  TEST HOME    its clock can be moved; never keep real data in it")
    personas = read_personas(home.path)
    width = max((len(persona.login) for persona in personas), default=0)
    for number, persona in enumerate(personas):
        head = "  Personas     " if number == 0 else " " * 15
        lines.append(f"{head}{persona.login:<{width}}  {persona.name} sees {persona.sees}")
    lines += _ways_in(home, address, trust if tls_port is None else None, personas)
    return [*lines, "Ctrl-C stops it."]


def _ways_in(home: "Home", address: str, trust: Path | None, personas: "tuple[Persona, ...]") -> list[str]:
    """A request with curl and the same with Python, as the first persona or the administrator."""
    user = personas[0].login if personas else "admin"
    command = [_program(), "token", "--home", str(home.path), "--user", user]
    url = f"{address}/api/data/v9.2/accounts?$select=name&$top=5"
    cacert = "" if trust is None else f"--cacert {shlex.quote(str(trust))} "
    context = "" if trust is None else f", context=__import__('ssl').create_default_context(cafile={str(trust)!r})"
    script = _PYTHON.format(command=command, url=url, context=context)
    return [
        "",
        "With curl:",
        f'  curl -s {cacert}-H "Authorization: Bearer $({shlex.join(command)})" {shlex.quote(url)}',
        "",
        "With Python:",
        *(f"  {line}" for line in script.splitlines()),
        "",
    ]


def _program() -> str:
    """How the person can call this program again: by its name if that finds it, else by its path."""
    called = sys.argv[0]
    found = shutil.which("strongroom")
    return "strongroom" if found is not None and Path(found).resolve() == Path(called).resolve() else called
