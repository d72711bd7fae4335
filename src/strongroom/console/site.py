"""The console as an ASGI application: which page, for whom, and what to say when it cannot be shown."""

import logging
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from urllib.parse import urlencode, urlsplit

from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from strongroom.console import signing_in, static_files
from strongroom.console.api import Api, ApiError, Ask, text
from strongroom.console.page import Page
from strongroom.console.registry import all_pages
from strongroom.console.templating import page_text
from strongroom.console.texts import Texts, chosen_texts
from strongroom.console.visit import Person, Visit
from strongroom.environment import Environment, Environments
from strongroom.errors import InvalidRequest, StrongroomError, Unauthenticated
from strongroom.identity import TokenClaims
from strongroom.schema.model import Schema
from strongroom.signin.entering import claims_of_session
from strongroom.signin.visitor import Visitor
from strongroom.webapi import telemetry
from strongroom.webapi.addressing import origin
from strongroom.webapi.telemetry import Observation

MOST_BODY = 32 * 1024 * 1024
LANGUAGE_COOKIE = "strongroom-language"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}

logger = logging.getLogger("strongroom.console")

SchemaOf = Callable[[Environment], Awaitable[Schema]]


class Console:
    """Serves `/console` and below. `ask` is the Web API's entrance, `schema_of` reads an environment's metadata."""

    def __init__(self, environments: Environments, ask: Ask, schema_of: SchemaOf) -> None:
        self._environments = environments
        self._ask = ask
        self._schema_of = schema_of
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
        started = time.perf_counter()
        observation = Observation(self._environments.new_request_id(), scope["method"], scope["path"])
        status = 500

        async def send_guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_guarded)
        finally:
            telemetry.observe(observation, status, time.perf_counter() - started)

    # --- who looks -------------------------------------------------------------------------------------------------

    async def _first(self, request: Request) -> Response:
        """Where somebody begins: the home page, or signing in."""
        found = self._signed_in(request, None)
        return RedirectResponse(f"/console/{found[0].name}" if found else "/console/sign-in", 303)

    async def _sign_in(self, request: Request) -> Response:
        texts = _texts(request)
        refusal = None
        if request.method == "POST":
            _require_own_origin(request, self._origin(request))
            form = await request.form(max_fields=10)
            found = signing_in.by_token(self._environments, text(form.get("token")))
            if found is not None:
                environment, token, claims = found
                target = _local(text(form.get("next"))) or f"/console/{environment.name}"
                response = RedirectResponse(target, 303)
                signing_in.remember(response, token, claims, is_secure=request.url.scheme == "https")
                return response
            refusal = texts("This token opens nothing here: it may have ended, or belong to another home.")
        context = {
            "refusal": refusal,
            "next": _local(request.query_params.get("next", "")),
            "addresses": [(name, self._origin(request) + path) for name, path in self._environments.addresses()],
            "has_ended": signing_in.COOKIE in request.cookies and refusal is None,
        }
        page = page_text("sign-in.html", texts, {"visit": None, "title": texts("Sign in"), "crumbs": (), **context})
        return Response(page, 400 if refusal else 200, media_type="text/html")

    async def _sign_out(self, request: Request) -> Response:
        _require_own_origin(request, self._origin(request))
        has_session = bool(self._visitor(request).session_token)
        response = RedirectResponse("/sign-out" if has_session else "/console/sign-in", 303)
        signing_in.forget(response)
        response.headers["Clear-Site-Data"] = '"cache"'
        return response

    async def _language(self, request: Request) -> Response:
        _require_own_origin(request, self._origin(request))
        form = await request.form(max_fields=10)
        response = RedirectResponse(_local(text(form.get("next"))) or "/console", 303)
        response.set_cookie(LANGUAGE_COOKIE, text(form.get("language"))[:10], max_age=31_536_000, samesite="lax")
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
        return Visitor(request, self._environments, self._origin(request))

    # --- pages -----------------------------------------------------------------------------------------------------

    def _served(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            name = str(request.path_params["environment"])
            found = self._signed_in(request, name)
            if found is None:
                wanted = {"next": request.url.path + (f"?{request.url.query}" if request.url.query else "")}
                asked = f"?{urlencode(wanted)}" if request.method == "GET" else ""
                return RedirectResponse(f"/console/sign-in{asked}", 303)
            environment, claims = found
            visit: Visit | None = None
            try:
                if request.method != "GET":
                    _require_own_origin(request, self._origin(request))
                visit = await self._visit(request, environment, claims, page)
                return await page.handler(visit)
            except ApiError as error:
                return self._refused(request, visit, error)
            except StrongroomError as error:
                return self._refused(request, visit, ApiError(error.status, error.code, error.message))
            except HTTPException:
                raise
            except Exception as error:  # the boundary: an id for the log, nothing of the cause in the page
                number = self._environments.new_request_id()
                logger.error("unexpected error", exc_info=error, extra={"request_id": number})
                message = _texts(request)("Something went wrong here. The server's log has it as %(id)s.", id=number)
                return self._refused(request, visit, ApiError(500, "", message))

        return serve

    async def _visit(self, request: Request, environment: Environment, claims: TokenClaims, page: Page) -> Visit:
        api = Api(self._ask, environment, claims, self._origin(request))
        schema = await self._schema_of(environment)
        try:
            user = await api.get(f"systemusers({claims.user})", {"$select": "fullname"})
            name = text(user.get("fullname"))
        except ApiError as error:
            if error.status in (401, 429):
                raise
            name = ""  # nobody has to be allowed to read their own row
        texts = _texts(request)
        person = Person(claims.user, name or texts("You"))
        return Visit(request, environment, api, schema, person, texts, page.area, sorted(self._environments.names))

    def _refused(self, request: Request, visit: Visit | None, error: ApiError) -> Response:
        """The page that says why there is no page; signing in where that would help."""
        if error.status == HTTPStatus.UNAUTHORIZED:
            return RedirectResponse("/console/sign-in", 303)
        texts = _texts(request)
        context = {"visit": visit, "title": _refusal_title(texts, error.status), "error": error, "crumbs": ()}
        return Response(page_text("refused.html", texts, context), error.status, media_type="text/html")

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
        return self._refused(request, None, ApiError(status, "", message))

    def _origin(self, request: Request) -> str:
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.client.host if request.client else ""
        try:
            return origin(request.url.scheme, headers, peer, self._environments.trusted_proxies)
        except InvalidRequest as error:
            raise HTTPException(400, error.message) from None


def _texts(request: Request) -> Texts:
    return chosen_texts(request.cookies.get(LANGUAGE_COOKIE), request.headers.get("accept-language", ""))


def _refusal_title(texts: Texts, status: int) -> str:
    titles = {
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


def _require_own_origin(request: Request, own: str) -> None:
    """Refuse forms that another site sent (request forgery): browsers say where a form comes from, in one of two ways.

    Raises `HTTPException` 403 when neither header says that it was a page of ours.
    """
    site = request.headers.get("sec-fetch-site")
    came_from = request.headers.get("origin")
    if came_from is not None and came_from != "null":
        if came_from == own:
            return
    elif site == "same-origin":
        return
    raise HTTPException(403)


def _local(address: str) -> str:
    """An address of the console, empty for anything that would lead elsewhere (open redirect)."""
    parts = urlsplit(address)
    is_ours = not parts.scheme and not parts.netloc and parts.path.startswith("/console") and "\\" not in address
    return address if is_ours and address.isprintable() else ""
