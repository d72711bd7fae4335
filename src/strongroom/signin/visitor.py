"""What a request to the authority brings along: where it comes from, its session, its forms.

Forms are protected twice against other sites (TS-715): a token in the form must fit a cookie that only this host can
set, and browsers must say that the form came from here. The session cookie is `__Host-`, `HttpOnly` and `SameSite=Lax`
over HTTPS; over plain HTTP, which is for one's own machine, it has another name, because browsers take no `__Host-`
there.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from strongroom.environments import Environments
from strongroom.errors import InvalidRequest
from strongroom.identity.firewall import client_address
from strongroom.identity.hashing import digest, new_token
from strongroom.identity.liveness import LiveSession
from strongroom.identity.signinlog import Place
from strongroom.signin.problems import missing, repeated
from strongroom.webapi.addressing import origin

_SESSION, _FORM = "strongroom-session", "strongroom-form"
FORM_FIELD = "form"
_MOST_FIELDS = 40
_LONGEST_FIELD = 20_000
_LONGEST_NEXT = 8_000


@dataclass(frozen=True, slots=True)
class Visitor:
    """One request, from where, to which address of ours."""

    request: Request
    environments: Environments
    origin: str

    @property
    def is_secure(self) -> bool:
        """Whether the client speaks HTTPS, to us or to a proxy that we trust."""
        return self.origin.startswith("https://")

    @property
    def session_token(self) -> str:
        """What the session cookie holds; empty without one."""
        return self.request.cookies.get(self._name(_SESSION), "")

    @property
    def address(self) -> str:
        """The network address of the client; behind a proxy that is trusted, the one that it names (TS-308)."""
        peer = self.request.client.host if self.request.client else ""
        forwarded = self.request.headers.get("x-forwarded-for", "")
        return client_address(peer, forwarded, self.environments.trusted_proxies)

    def session(self) -> LiveSession | None:
        """The live session of the browser."""
        token = self.session_token
        return self.environments.liveness.session(token, self.address) if token else None

    def place(self, application: str = "", environment: str = "") -> Place:
        """Where the request comes from, for the log."""
        device = "".join(letter for letter in self.request.headers.get("user-agent", "") if letter.isprintable())
        return Place(self.address, device[:300], application, environment)

    def form_token(self) -> str:
        """The token that forms of the next page carry; it fits the cookie that `render` sets."""
        return digest(f"form:{self.form_cookie()}")

    def form_cookie(self) -> str:
        """The cookie that forms are tied to: the one there is, or a new one."""
        return self.request.cookies.get(self._name(_FORM)) or self._new_cookie()

    def remember_form(self, response: Response) -> None:
        """Give the browser the cookie that its forms are tied to."""
        self._set(response, _FORM, self.form_cookie())

    def remember_session(self, response: Response, token: str) -> None:
        """Give the browser its session."""
        self._set(response, _SESSION, token)

    def cookie(self, name: str) -> str:
        """What a cookie of ours holds; empty without one."""
        return self.request.cookies.get(self._name(name), "")

    def remember(self, response: Response, name: str, value: str) -> None:
        """Give the browser a cookie that lives as long as it runs."""
        self._set(response, name, value)

    def forget(self, response: Response, name: str) -> None:
        """Take a cookie back."""
        response.delete_cookie(self._name(name), path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def forget_session(self, response: Response) -> None:
        """Take the session from the browser."""
        self.forget(response, _SESSION)

    async def form(self) -> Mapping[str, str]:
        """The fields of a form of ours. Raises `HTTPException` 403 when it was not sent from a page of this server."""
        fields = single(await self.request.form(max_files=0, max_fields=_MOST_FIELDS))
        cookie = self.request.cookies.get(self._name(_FORM), "")
        fits = hmac.compare_digest(fields.get(FORM_FIELD, "").encode(), digest(f"form:{cookie}").encode())
        if not cookie or not fits or self.came_from_here() is False:
            raise HTTPException(403)
        return fields

    def came_from_here(self) -> bool | None:
        """Whether a page of this server sent the request; None where the browser does not say, or nobody's page did.

        Browsers tell it in one of two ways.
        """
        came_from = self.request.headers.get("origin")
        if came_from is not None and came_from != "null":
            return came_from == self.origin
        site = self.request.headers.get("sec-fetch-site", "none")
        return None if site == "none" else site == "same-origin"

    def _new_cookie(self) -> str:
        made = getattr(self.request.state, "form_cookie", None)
        if made is None:
            made = self.request.state.form_cookie = new_token()
        return str(made)

    def _set(self, response: Response, name: str, value: str) -> None:
        response.set_cookie(self._name(name), value, path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def _name(self, name: str) -> str:
        return f"__Host-{name}" if self.is_secure else name


def visitor(request: Request, environments: Environments) -> Visitor:
    """The request with its own address (WA-6). Raises `HTTPException` 400 for a Host header that is none."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    peer = request.client.host if request.client else ""
    try:
        own = origin(request.url.scheme, headers, peer, environments.trusted_proxies)
    except InvalidRequest as error:
        raise HTTPException(400, error.message) from None
    return Visitor(request, environments, own)


def single(form: FormData) -> dict[str, str]:
    """The fields of a form, each once. Raises `OAuthProblem` for one that came twice."""
    fields: dict[str, str] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str) or len(value) > _LONGEST_FIELD:
            raise HTTPException(400, "A field is too long, or a file.")
        if name in fields:
            raise repeated(name)
        fields[name] = value
    return fields


def required(fields: Mapping[str, str], name: str) -> str:
    """A field that must be there. Raises `OAuthProblem`."""
    value = fields.get(name, "")
    if not value:
        raise missing(name)
    return value


def local(address: str) -> str:
    """An address on this server, empty for whatever would lead elsewhere (open redirect)."""
    if not address.startswith("/") or address.startswith(("//", "/\\")) or len(address) > _LONGEST_NEXT:
        return ""
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and "\\" not in address and address.isprintable()
    return address if is_ours else ""
