"""The console as an ASGI application: which page, for whom, and what to say when it cannot be shown."""

import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import quote, unquote, urlencode, urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom.console import signing_in, static_files
from strongroom.console.acting import COOKIE as ACTING_COOKIE
from strongroom.console.acting import ENDING, acting_in, forget_acting
from strongroom.console.api import Api, ApiError, Ask, text
from strongroom.console.kept import Kept, kept_form
from strongroom.console.page import Page
from strongroom.console.reader import Reader, fixed_moments
from strongroom.console.registry import all_pages
from strongroom.console.templating import page_text
from strongroom.console.texts import Texts, chosen_texts
from strongroom.console.visit import Person, Visit
from strongroom.environment import Environment, Identity
from strongroom.environments import Environments
from strongroom.errors import StepUpRequired, StrongroomError, Unauthenticated
from strongroom.identity import TokenClaims
from strongroom.schema.model import Schema
from strongroom.signin.entering import claims_of_session
from strongroom.signin.visitor import Visitor, local, visitor
from strongroom.translation import LANGUAGE_COOKIE, ZONE_COOKIE, zone_named
from strongroom.webapi.browsers import PageRules, serve_pages
from strongroom.webapi.entrance import Coming
from strongroom.webapi.telemetry import Observation

_YEAR_S = 31_536_000
_RULES = PageRules(
    content=(
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    referrer="same-origin",
    most_body=32 * 1024 * 1024,
)

logger = logging.getLogger("strongroom.console")

SchemaOf = Callable[[Environment], Awaitable[Schema]]


class Console:
    """Serves `/console` and below. `ask` is the Web API's entrance, `schema_of` reads an environment's metadata."""

    def __init__(self, environments: Environments, ask: Ask, schema_of: SchemaOf) -> None:
        self._environments = environments
        self._ask = ask
        self._schema_of = schema_of
        self._fixed: dict[str, tuple[Schema, frozenset[str]]] = {}
        routes = [
            Route("/", self._first),
            Route("/console", self._first),
            Route("/console/static/{digest}/{name}", static_files.respond),
            Route("/console/sign-in", self._sign_in, methods=["GET", "POST"]),
            Route("/console/sign-out", self._sign_out, methods=["POST"]),
            Route("/console/language", self._language, methods=["POST"]),
            *(
                Route(f"/console/{{environment}}{page.path}", self._served(page), methods=list(page.methods))
                for page in all_pages()
            ),
        ]
        self._app: ASGIApp = Starlette(
            routes=routes,
            middleware=[Middleware(GZipMiddleware, minimum_size=1000)],
            exception_handlers={HTTPException: self._not_served},
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        observation = Observation(self._environments.new_request_id(), scope["method"], scope["path"])
        await serve_pages(self._app, _RULES, observation, scope, receive, send)

    # --- who looks -------------------------------------------------------------------------------------------------

    async def _first(self, request: Request) -> Response:
        """Where somebody begins: the home page, or signing in."""
        found = self._signed_in(request, None)
        return RedirectResponse(f"/console/{found[0].name}" if found else "/console/sign-in", 303)

    async def _sign_in(self, request: Request) -> Response:
        texts = _texts(request)
        refusal = None
        if request.method == "POST":
            _require_own_origin(self._visitor(request))
            form = await request.form(max_fields=10)
            found = signing_in.by_token(self._environments, text(form.get("token")))
            if found is not None:
                environment, token, claims = found
                target = _local(text(form.get("next"))) or f"/console/{environment.name}"
                response = RedirectResponse(target, 303)
                signing_in.remember(response, token, claims, is_secure=self._visitor(request).is_secure)
                return response
            refusal = texts("This token opens nothing here: it may have ended, or belong to another home.")
        context = {
            "refusal": refusal,
            "next": _local(request.query_params.get("next", "")),
            "addresses": [
                (name, self._visitor(request).origin + path) for name, path in self._environments.addresses()
            ],
            "has_ended": signing_in.COOKIE in request.cookies and refusal is None,
        }
        page = page_text("sign-in.html", texts, {"visit": None, "title": texts("Sign in"), "crumbs": (), **context})
        return Response(page, 400 if refusal else 200, media_type="text/html")

    async def _sign_out(self, request: Request) -> Response:
        _require_own_origin(self._visitor(request))
        has_session = bool(self._visitor(request).session_token)
        response = RedirectResponse("/sign-out" if has_session else "/console/sign-in", 303)
        signing_in.forget(response)
        forget_acting(response)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def _language(self, request: Request) -> Response:
        _require_own_origin(self._visitor(request))
        form = await request.form(max_fields=10)
        response = RedirectResponse(_local(text(form.get("next"))) or "/console", 303)
        response.set_cookie(LANGUAGE_COOKIE, text(form.get("language"))[:10], max_age=_YEAR_S, samesite="lax")
        zone = zone_named(text(form.get("zone")).strip()).key
        response.set_cookie(ZONE_COOKIE, quote(zone, safe=""), max_age=_YEAR_S, samesite="lax")
        return response

    def _signed_in(self, request: Request, name: str | None) -> tuple[Environment, TokenClaims] | None:
        try:
            return signing_in.who(self._environments, request.cookies.get(signing_in.COOKIE), name)
        except Unauthenticated:
            pass  # no token, or one that has ended: a session may still stand
        try:
            live = self._visitor(request).session()
            return None if live is None else claims_of_session(self._environments, live, name)
        except Unauthenticated:
            return None

    def _visitor(self, request: Request) -> Visitor:
        return visitor(request, self._environments)

    # --- pages -----------------------------------------------------------------------------------------------------

    def _served(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            name = str(request.path_params["environment"])
            visit: Visit | None = None
            try:
                if request.method != "GET":
                    _require_own_origin(self._visitor(request))  # first of all: refusals give back what was typed
                found = self._signed_in(request, name)
                if found is None:
                    return await self._signed_out(request)
                environment, claims = found
                visit = await self._visit(request, environment, claims, page)
                return await page.handler(visit)
            except ApiError as error:
                return await self._refused(request, visit, error)
            except StrongroomError as error:
                return await self._refused(request, visit, ApiError(error.status, error.code, error.message))
            except HTTPException:
                raise
            except Exception as error:  # the boundary: an id for the log, nothing of the cause in the page
                number = self._environments.new_request_id()
                logger.error("unexpected error", exc_info=error, extra={"request_id": number})
                message = _texts(request)("Something went wrong here. The server's log has it as %(id)s.", id=number)
                return await self._refused(request, visit, ApiError(500, "", message))

        return serve

    async def _visit(self, request: Request, environment: Environment, claims: TokenClaims, page: Page) -> Visit:
        acting = acting_in(request, environment.name)
        texts = _texts(request)
        schema = await self._schema_of(environment)
        zone = zone_named(unquote(request.cookies.get(ZONE_COOKIE, "")))
        reader = Reader(texts, zone, self._fixed_in(environment.name, schema))
        origin, coming = self._visitor(request).origin, _coming(request)
        if acting is not None and page.path == ENDING:
            api = Api(self._ask, environment, claims, origin, coming=coming, reader=reader)
        else:
            api = Api(self._ask, environment, claims, origin, acting, coming, reader)
            if acting is not None:
                await api.send("GET", "WhoAmI")  # may one still look so?
                if request.method != "GET":
                    raise ApiError(403, "", texts("Nothing can be changed while you look as somebody else."))
        shown = acting or claims.user
        try:
            user = await api.get(f"systemusers({shown})", {"$select": "fullname"})
            name = text(user.get("fullname"))
        except ApiError as error:
            if error.status in (401, 429) or error.code in _KEPT_OUT:
                raise
            name = ""  # nobody has to be allowed to read their own row
        person = Person(shown, name or texts("You"))
        names = sorted(self._environments.names)
        identity = Identity(claims.user, caller_id=acting)
        return Visit(request, environment, api, schema, person, identity, texts, zone, page.area, names)

    def _fixed_in(self, name: str, schema: Schema) -> frozenset[str]:
        known = self._fixed.get(name)
        if known is None or known[0] is not schema:
            known = self._fixed[name] = schema, fixed_moments(schema)
        return known[1]

    async def _signed_out(self, request: Request) -> Response:
        """To the door, and from there back; what was typed into a form stays with the reader."""
        if request.method == "GET":
            wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            return RedirectResponse(f"/console/sign-in?{urlencode({'next': wanted})}", 303)
        kept = await kept_form(request)
        came_from = _own_page(request.headers.get("referer", ""))
        way = f"/console/sign-in?{urlencode({'next': came_from})}" if came_from else "/console/sign-in"
        if kept is None:
            return RedirectResponse(way, 303)
        texts = _texts(request)
        error = ApiError(401, "", texts("Your session has ended."))
        return self._refusal(request, None, error, kept, way)

    async def _refused(self, request: Request, visit: Visit | None, error: ApiError) -> Response:
        """The page that says why there is no page, with what was typed; showing who one is where that would help."""
        if error.status == HTTPStatus.UNAUTHORIZED and error.code != StepUpRequired.default_code:
            return await self._signed_out(request)
        is_form = request.method != "GET"
        kept = await kept_form(request) if is_form and error.status in _MAY_BE_SENT_AGAIN else None
        way = ""
        if error.status == HTTPStatus.UNAUTHORIZED:
            following = request.headers.get("referer", "") if is_form else request.url.path
            way = f"/account/prove?{urlencode({'next': _own_page(following)})}"
            if kept is None:
                return RedirectResponse(way, 303)
        return self._refusal(request, visit, error, kept, way)

    def _refusal(
        self, request: Request, visit: Visit | None, error: ApiError, kept: Kept | None = None, way: str = ""
    ) -> Response:
        texts = _texts(request)
        title = _refusal_title(texts, error.status)
        context = {"visit": visit, "title": title, "error": error, "crumbs": (), "kept": kept, "way": way}
        response = Response(page_text("refused.html", texts, context), error.status, media_type="text/html")
        if visit is None and request.method == "GET" and ACTING_COOKIE in request.cookies:
            forget_acting(response)  # who may not look as that user any more is oneself again
        return response

    async def _not_served(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        texts = _texts(request)
        message = {
            404: texts("There is no page at this address."),
            405: texts("This address takes no such request."),
            403: texts(
                "This form was not sent from a page of this server. Open the page again and send it from there."
            ),
            413: texts("That is too much for one form."),
        }.get(status, texts("The form could not be read."))
        return self._refusal(request, None, ApiError(status, "", message))


_MAY_BE_SENT_AGAIN = frozenset({401, 403, 409, 429, 500, 503})
"""Answers that may be others later: what was typed is given back with them."""

_KEPT_OUT = frozenset({"0x80072560", "0x80095ffe"})
"""Codes of who may not enter at all: no member, a policy that blocks, the firewall of the environment."""


def _coming(request: Request) -> Coming:
    return Coming(request.client.host if request.client else "", request.headers.get("x-forwarded-for", ""))


def _texts(request: Request) -> Texts:
    return chosen_texts(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def _refusal_title(texts: Texts, status: int) -> str:
    titles = {
        401: texts("Show who you are"),
        403: texts("You may not see this"),
        404: texts("Not here"),
        409: texts("Not possible now"),
        412: texts("Somebody else was faster"),
        413: texts("Too much"),
        429: texts("Too many requests"),
        500: texts("Something went wrong"),
        503: texts("Not ready"),
    }
    return titles.get(status, texts("That did not work"))


def _require_own_origin(found: Visitor) -> None:
    """Refuse forms that another site sent (request forgery), and those of which nobody says who did.

    Raises `HTTPException` 403.
    """
    if found.came_from_here() is not True:
        raise HTTPException(403)


def _own_page(address: str) -> str:
    """The path of a page of the console, of an address that a browser gives whole."""
    parts = urlsplit(address)
    return _local(parts.path + (f"?{parts.query}" if parts.query else ""))


def _local(address: str) -> str:
    """An address of the console, empty for anything that would lead elsewhere (open redirect)."""
    found = local(address)
    return found if found.startswith("/console") else ""
