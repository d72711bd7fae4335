"""The authority and the sign-in pages as an ASGI application: which path is served by what, with which headers.

Handlers touch stores and hash passwords, which takes a tenth of a second; they run in threads, so that nobody waits.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from strongroom.environments import Environments
from strongroom.errors import StrongroomError
from strongroom.signin import account, authorize, device, federation, metadata, pages, passkey_pages, tokens
from strongroom.signin.problems import OAuthProblem
from strongroom.signin.provider_client import ProviderClient
from strongroom.signin.templating import page, static_file
from strongroom.signin.texts import marked as _
from strongroom.signin.texts import texts_of, told
from strongroom.signin.token_request import TokenRequest
from strongroom.signin.visitor import Visitor, single, visitor
from strongroom.webapi.browsers import PageRules, serve_pages
from strongroom.webapi.entrance import Entrance
from strongroom.webapi.telemetry import Observation

_RULES = PageRules(
    content=(
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    referrer="no-referrer",
    most_body=64 * 1024,
)

_SCIM_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

logger = logging.getLogger("strongroom.signin")


class SignIn:
    """Serves the authority and the pages of one home."""

    def __init__(self, environments: Environments) -> None:
        self._environments = environments
        self._providers = ProviderClient(environments)
        self._entrance = Entrance(environments)
        read, both = ["GET"], ["GET", "POST"]
        oauth = "/{tenant}/oauth2"
        self._app: ASGIApp = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._configuration, methods=read),
                Route("/{tenant}/.well-known/openid-configuration", self._configuration, methods=read),
                Route("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration, methods=read),
                Route("/{tenant}/discovery/v2.0/keys", self._keys, methods=read),
                Route("/{tenant}/discovery/instance", self._instances, methods=read),
                Route(f"{oauth}/v2.0/token", partial(self._token, is_old=False), methods=["POST"]),
                Route(f"{oauth}/token", partial(self._token, is_old=True), methods=["POST"]),
                Route(f"{oauth}/v2.0/devicecode", self._device_code, methods=["POST"]),
                Route(f"{oauth}/v2.0/authorize", self._authorize, methods=read),
                Route(f"{oauth}/authorize", self._authorize, methods=read),
                Route(f"{oauth}/v2.0/logout", self._page(pages.sign_out_page), methods=read),
                Route("/sign-in/static/{name}", self._static, methods=read),
                Route("/sign-in/with/{provider}", self._federated(federation.start), methods=read),
                Route("/sign-in/back/{provider}", self._federated(federation.back), methods=read),
                Route("/sign-in/out/{provider}", self._federated(federation.leave), methods=read),
                Route("/sign-in/invitation", self._invitation, methods=read),
                Route("/sign-in/back-channel/{provider}", self._back_channel, methods=["POST"]),
                Route("/sign-in/front-channel/{provider}", self._front_channel, methods=read),
                Route("/scim/v2/{path:path}", self._scim, methods=_SCIM_METHODS),
                Route("/scim/v2", self._scim, methods=_SCIM_METHODS),
                *(Route(path, self._page(handler), methods=both) for path, handler in pages.PAGES.items()),
                *(Route(path, self._page(handler), methods=both) for path, handler in account.PAGES.items()),
                *(Route(path, self._page(handler), methods=both) for path, handler in device.PAGES.items()),
                *(Route(path, self._page(handler), methods=both) for path, handler in passkey_pages.PAGES.items()),
            ],
            exception_handlers={
                HTTPException: self._not_served,
                OAuthProblem: self._problem,
                StrongroomError: self._refused,
                Exception: self._unexpected,
            },
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        observation = Observation(self._environments.new_request_id(), scope["method"], _shown(scope["path"]))
        await serve_pages(self._app, _RULES, observation, scope, receive, send)

    # --- the authority -----------------------------------------------------------------------------------------------

    async def _configuration(self, request: Request) -> Response:
        found = visitor(request, self._environments)
        return _json(metadata.configuration(found.origin, _tenant(request)))

    async def _keys(self, _: Request) -> Response:
        return _json(await run_in_threadpool(metadata.keys, self._environments))

    async def _instances(self, request: Request) -> Response:
        return _json(metadata.instances(visitor(request, self._environments).origin, _tenant(request)))

    async def _token(self, request: Request, *, is_old: bool) -> Response:
        return _json(await run_in_threadpool(tokens.answer, await self._asked(request, is_old=is_old)))

    async def _device_code(self, request: Request) -> Response:
        return _json(await run_in_threadpool(device.begin, await self._asked(request, is_old=False)))

    async def _asked(self, request: Request, *, is_old: bool) -> TokenRequest:
        found = visitor(request, self._environments)
        fields = single(await request.form(max_files=0, max_fields=40))
        return TokenRequest(
            self._environments,
            fields,
            request.headers.get("authorization"),
            found.origin,
            _tenant(request),
            found.place(application=fields.get("client_id", "")),
            self._entrance,
            self._providers,
            is_old,
        )

    async def _authorize(self, request: Request) -> Response:
        found = visitor(request, self._environments)
        return await run_in_threadpool(self._authorized, found, _tenant(request))

    def _authorized(self, found: Visitor, tenant: str) -> Response:
        fields = dict(found.request.query_params.multi_items())
        if len(fields) != len(found.request.query_params.multi_items()):
            return self._message(found, 400, _("This address says something twice."))
        try:
            asked = authorize.asked(self._environments, fields)
        except authorize.NotForUs as refusal:
            return self._message(found, 400, str(refusal))
        try:
            code = authorize.code(self._environments, asked, found.origin, found.session())
            answer = {"code": code}
        except authorize.NeedsSignIn:
            return pages.to_sign_in(f"{found.request.url.path}?{found.request.url.query}")
        except OAuthProblem as problem:
            answer = {"error": problem.word, "error_description": problem.text}
        return RedirectResponse(asked.back(found.origin, tenant, answer), 302)

    # --- pages -------------------------------------------------------------------------------------------------------

    def _page(self, handler: pages.Handler) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            found = visitor(request, self._environments)
            fields: Mapping[str, str] | None = await found.form() if request.method == "POST" else None
            response = await run_in_threadpool(handler, found, fields)
            found.remember_form(response)
            return response

        return serve

    def _federated(
        self, handler: Callable[[Visitor, ProviderClient], Response]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            found = visitor(request, self._environments)
            return await run_in_threadpool(handler, found, self._providers)

        return serve

    async def _invitation(self, request: Request) -> Response:
        return await run_in_threadpool(federation.invitation, visitor(request, self._environments))

    async def _back_channel(self, request: Request) -> Response:
        form = single(await request.form(max_files=0, max_fields=10))
        found = visitor(request, self._environments)
        return await run_in_threadpool(federation.back_channel, found, self._providers, form)

    async def _front_channel(self, request: Request) -> Response:
        return await run_in_threadpool(federation.front_channel, visitor(request, self._environments))

    async def _scim(self, request: Request) -> Response:
        from strongroom.signin import scim  # half a second of models, which only those who provision need

        return await run_in_threadpool(scim.respond, visitor(request, self._environments), await request.body())

    async def _static(self, request: Request) -> Response:
        found = static_file(str(request.path_params["name"]))
        if found is None:
            raise HTTPException(404)
        body, media_type = found
        return Response(body, media_type=media_type, headers={"Cache-Control": "public, max-age=3600"})

    def _message(self, found: Visitor, status: int, text: str) -> Response:
        return Response(
            page("message.html", found, title=_("This did not work"), text=text), status, media_type="text/html"
        )

    # --- refusals ----------------------------------------------------------------------------------------------------

    async def _problem(self, _: Request, error: Exception) -> Response:
        if not isinstance(error, OAuthProblem):
            raise error
        number = self._environments.new_request_id()
        moment = self._environments.clock.now().strftime("%Y-%m-%d %H:%M:%SZ")
        body: dict[str, object] = {
            "error": error.word,
            "error_description": f"AADSTS{error.number}: {error.text} Trace ID: {number} Timestamp: {moment}",
            "error_codes": [error.number],
            "timestamp": moment,
            "trace_id": number,
            "correlation_id": number,
        }
        headers = {"WWW-Authenticate": 'Basic realm="strongroom"'} if error.status == 401 else {}
        return _json(body, error.status, headers)

    async def _not_served(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        text = {
            403: _(
                "This form was not sent from a page of this server, or the page is old. Open it again, send it anew."
            ),
            404: _("There is no page at this address."),
            405: _("This address takes no such request."),
            413: _("That is too much for one form."),
        }.get(status, _("The request could not be read."))
        return self._message(Visitor(request, self._environments, ""), status, text)

    async def _refused(self, request: Request, error: Exception) -> Response:
        if not isinstance(error, StrongroomError):
            raise error
        return self._message(Visitor(request, self._environments, ""), error.status, told(request, error))

    async def _unexpected(self, request: Request, error: Exception) -> Response:
        number = self._environments.new_request_id()
        logger.error("unexpected error", exc_info=error, extra={"request_id": number})
        text = texts_of(request)("Something went wrong here. The server's log has it as %(id)s.", id=number)
        return self._message(Visitor(request, self._environments, ""), 500, text)


def _tenant(request: Request) -> str:
    return metadata.checked_tenant(str(request.path_params.get("tenant", "common")))


def _json(body: Mapping[str, object], status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(body), status, {"Pragma": "no-cache", **(headers or {})}, "application/json")


def _shown(path: str) -> str:
    """A path for the log without what it names: tenants are many."""
    parts = path.split("/")
    return "/".join(["", "{tenant}", *parts[2:]]) if "oauth2" in parts or "v2.0" in parts else path
