"""Credentials in ordinary columns: looked for in what callers write, refused while a switch is on (TS-611, TS-1809).

The switch is `organization.blockcredentials`, off at first. What is found is named by its kind and its column, never
shown. Vendor patterns, private keys, tokens and addresses with a password are those of `detect-secrets`, whose plugins
look at one text and call nothing; passwords beside their names, as in connection strings, are ours. References to a
vault, places to fill in (`${…}`, `<…>`, `{{…}}`) and values that are plainly examples are no credentials.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING

from strongroom.errors import InvalidRequest
from strongroom.schema.model import Table
from strongroom.store.protocol import Value

if TYPE_CHECKING:
    from detect_secrets.plugins.base import RegexBasedDetector as Plugin

LONGEST_LINE = 20_000
"""Characters that are looked at together: a line that is longer is looked at in pieces that overlap."""

_OVERLAP = 500
_SHORTEST = 8
_NAMED = re.compile(
    r"""(?ix) (?<![a-z0-9]) (?: password | passwd | pwd | passphrase | secret | client[_-]?secret | api[_-]?key |
    access[_-]?key | account[_-]?key | shared[_-]?access[_-]?key | auth[_-]?token | access[_-]?token | private[_-]?key )
    ["']? \s* (?: = | := | :(?!//) ) \s* (?: "([^"\r\n]{4,200})" | '([^'\r\n]{4,200})' | ([^\s;,"'<>&]{6,200}) )"""
)
_EXAMPLE = re.compile(
    r"(?i)^(?:.*(?:example|changeme|change-me|placeholder|dummy|sample|redacted|your[_-]).*|[x*•.#_-]+|(?:true|false|null|none|"
    r"required|optional|hidden|unknown|string|text|secret|password)|[0-9]{1,7})$"
)
_REFERENCE = re.compile(r"(?i)^(?:@?\$?\{|\{\{|<|%|@microsoft\.keyvault|@keyvault|@secret|vault/|env:|file:)")
_VARIABLE = re.compile(r"^[A-Za-z_$][\w$]*(?:\.[\w$]+)+(?:\(.*)?$|^[A-Za-z_]\w*\(.*$|^\$\w+$")
_BASE64_COLUMNS = frozenset({("webresource", "content")})


def refuse_credentials(table: Table, values: Mapping[str, Value]) -> None:
    """400 `credential-in-data` for a text among the written values that holds a credential."""
    for name, value in values.items():
        column = table.columns.get(name)
        if not isinstance(value, str) or column is None or not column.type.is_text or len(value) < _SHORTEST:
            continue
        kind = credential_in(_decoded(value) if (table.logical_name, name) in _BASE64_COLUMNS else value)
        if kind is not None:
            raise InvalidRequest(
                f"The value of '{name}' of '{table.logical_name}' looks like a credential ({kind}). Keep it in a"
                " vault, and put a reference to it here.",
                details={
                    "reason": "credential-in-data",
                    "rule": "TS-611",
                    "column": name,
                    "target": name,
                    "detector": kind,
                },
            )


def credential_in(text: str) -> str | None:
    """The kind of the first credential in a text; None when there is none."""
    for piece in _pieces(text):
        for kind, found in _detectors():
            if any(_counts(each) for each in found(piece)):
                return kind
        for match in _NAMED.finditer(piece):
            value = next(group for group in match.groups() if group is not None)
            if _counts(value) and not _VARIABLE.match(value):
                return "Password beside its name"
    return None


def _counts(value: str) -> bool:
    return not _EXAMPLE.match(value) and not _REFERENCE.match(value)


def _pieces(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for start in range(0, max(len(line), 1), LONGEST_LINE):
            yield line[max(start - _OVERLAP, 0) : start + LONGEST_LINE]


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return value


@cache
def _detectors() -> tuple[tuple[str, Callable[[str], list[str]]], ...]:
    """Kinds and what finds them. Read when the switch is first on: the library is not small."""
    from detect_secrets.plugins.aws import AWSKeyDetector
    from detect_secrets.plugins.azure_storage_key import AzureStorageKeyDetector
    from detect_secrets.plugins.base import RegexBasedDetector
    from detect_secrets.plugins.basic_auth import BasicAuthDetector
    from detect_secrets.plugins.discord import DiscordBotTokenDetector
    from detect_secrets.plugins.github_token import GitHubTokenDetector
    from detect_secrets.plugins.gitlab_token import GitLabTokenDetector
    from detect_secrets.plugins.jwt import JwtTokenDetector
    from detect_secrets.plugins.mailchimp import MailchimpDetector
    from detect_secrets.plugins.npm import NpmDetector
    from detect_secrets.plugins.openai import OpenAIDetector
    from detect_secrets.plugins.private_key import PrivateKeyDetector
    from detect_secrets.plugins.pypi_token import PypiTokenDetector
    from detect_secrets.plugins.sendgrid import SendGridDetector
    from detect_secrets.plugins.slack import SlackDetector
    from detect_secrets.plugins.square_oauth import SquareOAuthDetector
    from detect_secrets.plugins.stripe import StripeDetector
    from detect_secrets.plugins.telegram_token import TelegramBotTokenDetector
    from detect_secrets.plugins.twilio import TwilioKeyDetector

    plugins: tuple[type[RegexBasedDetector], ...] = (
        AWSKeyDetector,
        AzureStorageKeyDetector,
        BasicAuthDetector,
        DiscordBotTokenDetector,
        GitHubTokenDetector,
        GitLabTokenDetector,
        JwtTokenDetector,
        MailchimpDetector,
        NpmDetector,
        OpenAIDetector,
        PrivateKeyDetector,
        PypiTokenDetector,
        SendGridDetector,
        SlackDetector,
        SquareOAuthDetector,
        StripeDetector,
        TelegramBotTokenDetector,
        TwilioKeyDetector,
    )
    return tuple((str(plugin.secret_type), _finding(plugin())) for plugin in plugins)


def _finding(plugin: "Plugin") -> Callable[[str], list[str]]:
    return lambda text: list(plugin.analyze_string(text))
