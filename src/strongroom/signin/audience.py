"""Which environment a scope or resource means (WA-28, TS-714).

`https://HOST/.default` is the environment behind that host: the default one, or the one that the host's first label
names; `https://HOST/e/NAME/.default` is one by name; the id of an environment may stand in place of its address. The
host must be the one that the client talks to: nobody gets a token for another server here.
"""

from dataclasses import dataclass
from urllib.parse import urlsplit

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import HomeError
from strongroom.ids import parse_guid
from strongroom.signin.problems import missing, wrong_scope
from strongroom.webapi.addressing import environment_of_host

_ABOUT_PEOPLE = frozenset({"openid", "profile", "email", "offline_access"})
_RIGHTS = (".default", "user_impersonation")
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Audience:
    """What is asked for: an environment, and whether an id token and a refresh token come along."""

    environment: Environment
    scope: str
    wants_id: bool = False
    wants_refresh: bool = False


def of_scope(environments: Environments, scope: str, own: str, *, needs_resource: bool) -> Audience:
    """What a `scope` means. Raises `OAuthProblem` invalid_scope."""
    words = scope.split()
    if len(scope) > _LONGEST:
        raise wrong_scope(scope, own)
    resources = [word for word in words if word not in _ABOUT_PEOPLE]
    found = {_of_word(environments, word, own).name for word in resources}
    if len(found) > 1 or (needs_resource and not found):
        raise wrong_scope(scope, own) if found else missing("scope")
    environment = environments.named(found.pop()) if found else environments.default()
    return Audience(environment, scope, "openid" in words, "offline_access" in words)


def of_resource(environments: Environments, resource: str, own: str) -> Audience:
    """What a `resource` of the older form means. Raises `OAuthProblem` invalid_scope."""
    return Audience(_named(environments, resource, own), resource)


def _of_word(environments: Environments, word: str, own: str) -> Environment:
    for right in _RIGHTS:
        if word.endswith(f"/{right}"):
            return _named(environments, word.removesuffix(right), own)
    raise wrong_scope(word, own)


def _named(environments: Environments, resource: str, own: str) -> Environment:
    name: str | None = None
    plain = resource.rstrip("/")
    guid = parse_guid(plain.removeprefix("api://"))
    parts = urlsplit(plain)
    path = parts.path.strip("/").split("/")
    if guid is not None:
        name = environments.name_of(guid)
    elif f"{parts.scheme}://{parts.netloc}".lower() == own.lower() and not parts.query and not parts.fragment:
        if path == [""]:
            name = environment_of_host(own, environments.names) or environments.default().name
        elif len(path) == 2 and path[0] == "e" and path[1] in environments.names:
            name = path[1]
    if name is None:
        raise wrong_scope(resource, own)
    try:
        return environments.named(name)
    except HomeError:
        raise wrong_scope(resource, own) from None
