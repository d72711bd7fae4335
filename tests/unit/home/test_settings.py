"""Settings come from the file, variables win, and whatever is not known is an error."""

import re
from pathlib import Path

import pytest

from strongroom.errors import HomeError
from strongroom.settings import Described, Settings, default_file, described, load_settings

REFERENCE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"


def load(tmp_path: Path, text: str = "", **environ: str) -> Settings:
    (tmp_path / "strongroom.toml").write_text(text)
    return load_settings(tmp_path, environ)


def test_missing_file_and_first_file_mean_the_defaults(tmp_path: Path) -> None:
    assert load_settings(tmp_path, {}) == Settings()
    assert load(tmp_path, default_file()) == Settings()


def test_first_file_with_every_line_in_force_means_the_defaults_too(tmp_path: Path) -> None:
    lines = [re.sub(r"^# (?=[a-z_]+ = )", "", line) for line in default_file().splitlines()]

    assert load(tmp_path, "\n".join(lines)) == Settings()
    assert sum(" = " in line for line in lines) == len(described())


def test_file_sets_values_and_variables_override_them(tmp_path: Path) -> None:
    text = 'default_environment = "test"\n[server]\nport = 9000\ntrusted_proxies = ["10.0.0.1"]\n'

    settings = load(tmp_path, text, STRONGROOM_SERVER_PORT="9001", STRONGROOM_SERVER_PROTECT="true")

    assert settings.server.port == 9001
    assert settings.server.protect is True
    assert settings.server.trusted_proxies == ("10.0.0.1",)
    assert settings.default_environment == "test"


def test_list_in_a_variable_is_separated_by_commas(tmp_path: Path) -> None:
    assert load(tmp_path, STRONGROOM_SERVER_TRUSTED_PROXIES="a, b,").server.trusted_proxies == ("a", "b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[server]\nprot = 1", "'server.prot' is no setting; did you mean server.port?"),
        ("[sever]\nport = 1", "'sever.port' is no setting; did you mean server.port?"),
        ("wholly_unknown = 1", "'wholly_unknown' is no setting. Known are: key_provider"),
        ('server = "x"', "'server' is no setting"),
        ('[server]\nport = "1"', 'server.port must be a whole number, not "1"'),
        ("[server]\nport = true", "server.port must be a whole number, not true"),
        ("[server]\nport = 70000", "server.port must be between 0 and 65535, not 70000"),
        ("[server]\nprotect = 1", "server.protect must be true or false, not 1"),
        ('[server]\ntrusted_proxies = "x"', "server.trusted_proxies must be a list of texts"),
        ('[server]\ntls_cert = "x"', "server.tls_cert and server.tls_key go together"),
        ('[server]\ntls_cert = "x"\ntls_key = "y"\ntls_self_signed = true', "makes its own certificate"),
        ('[log]\nlevel = "loud"', "log.level must be one of debug, info, warning, error, not 'loud'"),
        ("[server", "is not valid TOML"),
    ],
)
def test_wrong_setting_in_the_file_is_refused_with_what_would_be_right(
    tmp_path: Path, text: str, expected: str
) -> None:
    with pytest.raises(HomeError, match=re.escape(expected)):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("variable", "value", "expected"),
    [
        ("STRONGROOM_SERVER_PROT", "1", "STRONGROOM_SERVER_PROT is no setting; did you mean STRONGROOM_SERVER_PORT?"),
        ("STRONGROOM_SERVER_PORT", "many", "STRONGROOM_SERVER_PORT must be a whole number"),
        ("STRONGROOM_SERVER_PROTECT", "perhaps", "STRONGROOM_SERVER_PROTECT must be true or false"),
        ("STRONGROOM_TOKENS_MINUTES", "0", "STRONGROOM_TOKENS_MINUTES must be between 1 and 43200"),
    ],
)
def test_wrong_variable_is_refused_by_its_name(tmp_path: Path, variable: str, value: str, expected: str) -> None:
    with pytest.raises(HomeError, match=re.escape(expected)):
        load(tmp_path, "", **{variable: value})


@pytest.mark.parametrize(
    "variable",
    ["STRONGROOM_HOME", "STRONGROOM_PASSPHRASE_NEW", "STRONGROOM_SERVICE_HOST", "STRONGROOM_PORT_8000_TCP", "PATH"],
)
def test_variable_that_is_for_something_else_is_left_alone(tmp_path: Path, variable: str) -> None:
    assert load(tmp_path, "", **{variable: "x"}) == Settings()


@pytest.mark.parametrize("setting", described(), ids=lambda setting: setting.name)
def test_reference_page_names_every_setting_with_its_variable(setting: Described) -> None:
    page = REFERENCE.read_text()

    assert f"`{setting.name}`" in page
    assert f"`{setting.variable}`" in page
