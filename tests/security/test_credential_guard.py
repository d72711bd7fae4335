"""TS-611, TS-1809: what looks like a credential is refused in ordinary columns, by its kind and column."""

import base64

import pytest
from tests.worlds import World

from strongroom.errors import InvalidRequest
from strongroom.records.credentials import credential_in
from strongroom.store.protocol import Database

# Made up for these tests, in pieces, so that no scanner of repositories takes them for real ones.
AWS = "AKIA" + "Q3EGRTYUIOPLKJHG"
CREDENTIALS = (
    AWS,
    f"key is {AWS} for the bucket",
    "gh" + "p_" + "aB3dE5fG7hJ9kL1mN3pQ5rS7tU9vW1xY3zA5",
    "xox" + "b-123456789012-123456789012-abcdefghijklmnopqrstuvwx",
    "sk_" + "live_a1B2c3D4e5F6g7H8i9J0k1L2",
    "SG." + "aBcDeFgHiJkLmNoPqRsTuV.wXyZaBcDeFgHiJkLmNoPqRsTuVwXyZaBcDeFgHiJkLm",
    "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
    "-----BEGIN " + "OPENSSH PRIVATE KEY-----",
    "https://robot:Tr0ub4dor@files.contoso.com/in",
    "DefaultEndpointsProtocol=https;AccountName=a;AccountKey="
    + "lJzRc1YdHaAA2KCNJJ1tkYwFKK6Ygw0NGe170Xu592euJv2wYUtBlV8zqnlcNQSnIYVTkLWntUO1F8j8rQ==",
    "Server=db;Database=crm;User Id=sa;Password=Kaf3e-und-Kuchen;Encrypt=true",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
    '{"client_secret": "q8R~zZ4mTn1Kx7Vb2Lp9"}',
    "api_key = 9f8e7d6c5b4a39281706f5e4d3c2b1a0",
    "const apiKey = 'f3Jq9sLm2Xw8Zr5T';",
    "The pwd: Winter-Sonne-99!",
    "Endpoint=sb://bus;SharedAccessKeyName=Root;SharedAccessKey=Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6",
)
PLAIN = (
    "Meeting about the password policy on Monday",
    "Password: ",
    "password=${DB_PASSWORD}",
    "Password=@Microsoft.KeyVault(SecretUri=https://v/s)",
    "vault/apps/secrets/smtp",
    "secret: vault/apps/secrets/smtp/2",
    "api_key=<your key here>",
    "api_key = YOUR_API_KEY_EXAMPLE",
    "client_secret: xxxxxxxxxxxxxxxx",
    "const token = context.secret('smtp');",
    "var password = settings.password;",
    "password: required",
    "https://www.contoso.com/path?x=1",
    "mailto:ann@contoso.com",
    "Order 4500012345 of 2026-03-01",
    "550e8400-e29b-41d4-a716-446655440000",
    "DE89370400440532013000",
    "The secret of good tea: hot water and patience",
    "+49 151 000 7421",
    "d41d8cd98f00b204e9800998ecf8427e",
    "Passwort vergessen? Bitte melden",
    "<fetch><entity name='account'><attribute name='name'/></entity></fetch>",
    "https://{{user}}:{{password}}@host/x",
    "AKIAIOSFODNN7EXAMPLE",
)


@pytest.mark.parametrize("text", CREDENTIALS, ids=range(len(CREDENTIALS)))
def test_credentials_are_found(text: str) -> None:
    """TS-1809: alone, and in a sentence among lines."""
    kind = credential_in(text)
    assert kind
    assert credential_in(f"first line\nsee {text}\nlast line") == kind


@pytest.mark.parametrize("text", PLAIN, ids=range(len(PLAIN)))
def test_references_examples_and_ordinary_texts_are_not(text: str) -> None:
    """TS-1809."""
    assert credential_in(text) is None


def test_long_texts_are_looked_at_whole_and_in_little_time() -> None:
    """TS-1809: also at the border of two pieces of one line."""
    filling = "lorem ipsum dolor sit amet "
    for length in (19_990, 20_000, 20_010, 500_000):
        line = (filling * (length // len(filling) + 1))[:length]
        assert credential_in(line) is None
        assert credential_in(f"{line} {AWS} and more") == "AWS Access Key"


@pytest.fixture
def world(database: Database) -> World:
    """A world with the guard on."""
    made = World(database)
    made.update("organization", made.rows("organization")[0].id, blockcredentials=True)
    return made


def test_a_write_with_a_credential_is_refused_by_column_and_kind_and_changes_nothing(world: World) -> None:
    """TS-611: on create and update, in every table, never with the value."""
    row = world.create("account", name="Contoso", description="an ordinary note")
    for act in (
        lambda: world.create("contact", lastname="Ann", description=f"use {AWS}"),
        lambda: world.update("account", row, description=f"use {AWS}"),
    ):
        with pytest.raises(InvalidRequest) as refused:
            act()
        assert refused.value.details["reason"] == "credential-in-data"
        assert refused.value.details["column"] == "description"
        assert refused.value.details["detector"] == "AWS Access Key"
        assert AWS not in refused.value.message
    assert world.row("account", row).values["description"] == "an ordinary note"
    assert world.rows("contact") == []
    assert AWS not in "".join(str(entry.values) for entry in world.rows("audit"))


def test_variables_and_scripts_are_looked_at_too(world: World) -> None:
    """TS-611: a plain environment variable, and the source of a script behind its base64."""
    with pytest.raises(InvalidRequest, match="'defaultvalue'"):
        world.create("environmentvariabledefinition", schemaname="new_key", type=100000000, defaultvalue=CREDENTIALS[4])
    script = base64.b64encode(b"const apiKey = 'f3Jq9sLm2Xw8Zr5T';").decode()
    with pytest.raises(InvalidRequest, match="'content'"):
        world.create("webresource", name="new_script", webresourcetype=3, content=script)
    world.create(
        "environmentvariabledefinition", schemaname="new_ref", type=100000005, defaultvalue="vault/apps/secrets/a"
    )


def test_off_at_first_and_off_again_nothing_is_looked_for(database: Database) -> None:
    """TS-611."""
    world = World(database)
    world.create("account", name="A", description=AWS)
    switch = world.rows("organization")[0].id
    world.update("organization", switch, blockcredentials=True)
    with pytest.raises(InvalidRequest):
        world.create("account", name="B", description=AWS)
    world.update("organization", switch, blockcredentials=False)
    world.create("account", name="C", description=AWS)
