"""One look at one page: who looks, at which environment, and how the answer is made."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from strongroom.console.api import Api, ApiError
from strongroom.console.templating import page_text
from strongroom.console.texts import Texts
from strongroom.environment import Environment, Identity
from strongroom.ids import Guid, parse_guid
from strongroom.schema.model import Schema, Table

MOST_FIELDS = 2000
"""Fields of one form; a table has some hundred columns, a role some thousand cells in groups."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who looks."""

    id: Guid
    name: str


@dataclass(frozen=True, slots=True)
class Crumb:
    """One step of the way to a page. The page itself has no address."""

    title: str
    address: str | None = None


@dataclass(slots=True)
class Visit:
    """A request of somebody who is signed in. `schema` is one snapshot from beginning to end."""

    request: Request
    environment: Environment
    api: Api
    schema: Schema
    person: Person
    identity: Identity
    """Who is signed in, and whom they look as: `person` is then that user."""
    texts: Texts
    zone: ZoneInfo
    """The reader's time zone."""
    area: str = ""
    environments: Sequence[str] = field(default_factory=tuple)

    @property
    def acting(self) -> Guid | None:
        """Whom the visitor looks as."""
        return self.identity.caller_id

    @property
    def is_control(self) -> bool:
        """Whether this is the home's control environment, which has the tables about all of them."""
        return "environmentoperation" in self.schema.tables

    def address(self, path: str = "", **query: object) -> str:
        """The address of a page of this environment; parameters that are None are left out."""
        asked = {name.rstrip("_"): str(value) for name, value in query.items() if value is not None}
        address = f"/console/{self.environment.name}" + (f"/{path}" if path else "")
        return f"{address}?{urlencode(asked)}" if asked else address

    def parameter(self, name: str) -> str:
        """A query parameter, stripped; empty when it is absent."""
        return self.request.query_params.get(name, "").strip()

    def named(self, name: str) -> str:
        """A part of the page's path."""
        return str(self.request.path_params[name])

    def require_control(self) -> None:
        """Raises `ApiError` 404 in an environment of business data."""
        if not self.is_control:
            raise ApiError(404, "", self.texts("This page is one of the control environment."))

    def options(self, table: str, column: str) -> Sequence[tuple[int, str]]:
        """(value, name) of a choice."""
        return [(option.value, option.label) for option in self.table(table).columns[column].options]

    def moment(self, value: str) -> str:
        """A moment of the Web API as the reader writes it, in their time zone; what is none stays as it is."""
        return self.texts.moment(value, self.zone) or value

    async def form(self) -> FormData:
        """The fields that were sent."""
        return await self.request.form(max_fields=MOST_FIELDS)

    def table(self, name: str) -> Table:
        """A table by logical name. Raises `ApiError` 404."""
        found = self.schema.tables.get(name)
        if found is None:
            raise ApiError(404, "", self.texts("There is no table '%(name)s' here.", name=name))
        return found

    def row_id(self, name: str = "id") -> Guid:
        """A row's id out of the path. Raises `ApiError` 404."""
        guid = parse_guid(self.named(name))
        if guid is None:
            raise ApiError(404, "", self.texts("This address names no row."))
        return guid

    def render(
        self,
        template: str,
        title: str,
        context: Mapping[str, object] | None = None,
        *,
        crumbs: Sequence[Crumb] = (),
        status: int = 200,
    ) -> Response:
        """The page as the answer."""
        page = {"visit": self, "title": title, "crumbs": crumbs, **(context or {})}
        return Response(page_text(template, self.texts, page), status, media_type="text/html")

    def redirect(self, path: str, **query: object) -> Response:
        """Go on at another page, after something was done."""
        return RedirectResponse(self.address(path, **query), 303)
