"""Programs that prove themselves by a token of another authority: federated credentials (TS-717, RFC 7523, RFC 8693).

The token names its issuer and subject. Only a credential of *this* program that names both is looked for, and the token
is verified with the keys of that listed provider, so a token can bring in neither another issuer nor another program.
"""

from collections.abc import Sequence

from strongroom.identity.assertions import AssertionRefused
from strongroom.identity.directory import Directory, text
from strongroom.identity.federation.providers import Provider, by_id
from strongroom.identity.federation.tokens import Expected, TokenRefused, UnknownKey, issuer_of, workload_token
from strongroom.ids import Reference
from strongroom.signin.provider_client import ProviderClient, ProviderUnreachable
from strongroom.store.protocol import Row


def is_foreign(assertion: str, client: str) -> bool:
    """Whether an assertion is of another authority than the program itself."""
    try:
        return issuer_of(assertion).lower() != client
    except TokenRefused:
        return False


def credential_of(assertion: str, credentials: Sequence[Row], directory: Directory, client: ProviderClient) -> Row:
    """The federated credential that a token of a workload proves. Raises `AssertionRefused`."""
    try:
        issuer = issuer_of(assertion)
        for row in credentials:
            provider = _provider(directory, row)
            if provider is not None and provider.issuer == issuer:
                claims = _claims(assertion, provider, text(row, "audience"), directory, client)
                if claims == text(row, "subject"):
                    return row
    except (TokenRefused, ProviderUnreachable) as error:
        raise AssertionRefused(str(error)[:80]) from None
    raise AssertionRefused("unknown-subject")


def _claims(assertion: str, provider: Provider, audience: str, directory: Directory, client: ProviderClient) -> str:
    """The subject of a token for one audience; empty for a token that is for another."""
    expected = Expected(provider.issuer, audience, directory.now())
    try:
        try:
            return str(workload_token(assertion, client.keys(provider), expected)["sub"])
        except UnknownKey:
            return str(workload_token(assertion, client.keys(provider, anew=True), expected)["sub"])
    except TokenRefused as error:
        if str(error) == "wrong-audience":
            return ""
        raise


def _provider(directory: Directory, row: Row) -> Provider | None:
    reference = row.values.get("identityproviderid")
    if not isinstance(reference, Reference):
        return None
    with directory.reading() as transaction:
        return by_id(transaction, reference.id)
