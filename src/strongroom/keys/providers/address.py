"""The address of a customer's key, and the PINs and tokens that it names."""

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

from strongroom.errors import HomeError
from strongroom.keys.disk import Disk
from strongroom.keys.secret import Secret


@dataclass(frozen=True, slots=True)
class ProviderAddress:
    """`kind:value?option=…&option=…`, taken apart."""

    kind: str
    value: str
    options: Mapping[str, str]

    def __str__(self) -> str:
        options = f"?{urlencode(self.options, safe=':/')}" if self.options else ""
        return f"{self.kind}:{self.value}{options}"

    def option(self, name: str) -> str:
        """An option that must be there."""
        value = self.options.get(name)
        if not value:
            raise HomeError(f"The key address '{self.kind}:{self.value}' needs the option {name}=….")
        return value

    def secret(self, name: str) -> Secret:
        """The PIN or token that an option names by `env:NAME` or `file:PATH`."""
        kind, _, where = self.option(name).partition(":")
        if kind == "env":
            text = os.environ.get(where, "").encode()
        elif kind == "file" and Path(where).is_file():
            Disk().require_owner_only(Path(where))
            text = Path(where).read_bytes().rstrip(b"\r\n")
        elif kind == "file":
            text = b""
        else:
            raise HomeError(f"The option {name} must name where the secret is: env:NAME or file:PATH, not the secret.")
        if not text:
            raise HomeError(f"{kind}:{where} holds nothing; it must hold the {name} of the key provider.")
        return Secret(text)

    def require_only(self, *known: str) -> None:
        """Raise `HomeError` for an option that the kind does not know."""
        unknown = sorted(self.options.keys() - set(known))
        if unknown:
            said = ", ".join(known) or "none"
            raise HomeError(f"A key of the kind '{self.kind}' has no option {unknown[0]}; it has: {said}.")


def parse_address(text: str, kinds: Collection[str]) -> ProviderAddress:
    """The address that `text` is. Raises `HomeError`."""
    kind, _, rest = text.partition(":")
    value, _, query = rest.partition("?")
    if kind not in kinds or not value:
        raise HomeError(f"'{kind}:…' is no address of a key; it would begin with {', '.join(f'{k}:' for k in kinds)}.")
    pairs = parse_qsl(query, keep_blank_values=True)
    return ProviderAddress(kind, value, dict(pairs))
