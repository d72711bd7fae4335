"""One request on its way through the Web API: what handlers need to know, in one place."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from strongroom.audit.refusals import Refusal
from strongroom.environment import Environment, Identity
from strongroom.errors import AccessDenied
from strongroom.query.ast import ReadContext, Select
from strongroom.query.odata import Options, split_options
from strongroom.records import RequestFacts, Session
from strongroom.records.reading_context import read_context
from strongroom.webapi.headers import Preferences, preference_name, read_preferences
from strongroom.webapi.http import Request
from strongroom.webapi.payload import Reading
from strongroom.webapi.rendering import Locale, Renderer

UNMASKED = "UnMaskedData"
"""The query option that asks for values without their masks (SM-138)."""


@dataclass(slots=True)
class Exchange:
    """A request with what was read off its head. `shared` is the session of a change set, else None."""

    environment: Environment
    request: Request
    identity: Identity
    preferences: Preferences
    options: Options
    shared: Session | None = None
    content: Callable[[str], str] = str
    lacks_proof: bool = False
    """Whether dangerous acts of this caller ask who it is first (TS-723)."""

    refusals: list[Refusal] = field(default_factory=list[Refusal])
    """What was refused and is still to be told to the trail; the parts of a change set share it (SM-6)."""

    @classmethod
    def begin(
        cls, environment: Environment, request: Request, identity: Identity, *, lacks_proof: bool = False
    ) -> "Exchange":
        """Read the parts of the head that every resource needs."""
        preferences = read_preferences(request.header("prefer"))
        options = split_options(request.query)
        return cls(environment, request, identity, preferences, options, lacks_proof=lacks_proof)

    @contextmanager
    def session(self, *, write: bool) -> Generator[Session]:
        """The unit of work of this request: the change set's, or one of its own. Reading unmasked values is audited, so
        that it writes (SM-138). Each part of a change set says for itself whether duplicates are looked for, and what
        solution it is about."""
        duplicates, solution = self._detects_duplicates(), self._solution()
        if self.shared is not None:
            whole = self.shared.request
            self.shared.request = replace(whole, detects_duplicates=duplicates, solution=solution)
            try:
                yield self.shared
            except AccessDenied as error:
                self._note(error)
                raise
            finally:
                self.shared.request = whole
            return
        custom = self.options.custom
        unmasked = custom.get(UNMASKED, "").strip().lower() == "true"
        tag = custom.get("tag", "")[:200] or None
        request = self.request
        client = request.header("user-agent")
        facts = RequestFacts(
            request.request_id,
            tag,
            unmasked,
            duplicates,
            request.peer or None,
            client,
            self.lacks_proof,
            request.header("x-sr-confirm"),
            solution,
            f"{request.method} {request.path}{'?' if request.query else ''}{request.query}",
        )
        try:
            with self.environment.session(self.identity, facts, write=write or unmasked) as session:
                yield session
        except AccessDenied as error:
            self._note(error)
            raise
        finally:
            if self.refusals:
                self.environment.tell_refusals(self.identity, facts, self.refusals, is_write=write)
                self.refusals.clear()

    def _solution(self) -> str | None:
        """The solution that what is made belongs to, by the header or the query option (WA-351, WA-424)."""
        given = self.request.header("mscrm.solutionuniquename") or self.options.custom.get("SolutionUniqueName")
        return (given or "").strip() or None

    def _detects_duplicates(self) -> bool:
        """`MSCRM.SuppressDuplicateDetection: false` of a POST or PATCH turns duplicate rules on (WA-422)."""
        suppressed = self.request.header("mscrm.suppressduplicatedetection") or ""
        return self.request.method in ("POST", "PATCH") and suppressed.strip().lower() == "false"

    def _note(self, error: AccessDenied) -> None:
        """Keep a refusal until the unit of work is undone."""
        self.refusals.append(Refusal(f"{self.request.method} {self.request.path}", error))

    def reading(self, session: Session, *, updating: bool = False) -> Reading:
        """How bodies are read in this exchange."""
        return Reading(session, updating, self.content)

    def read_context(self, session: Session) -> ReadContext:
        """What query readers need to know of the caller."""
        return read_context(session, self.options.aliases)

    def locale(self, session: Session) -> Locale:
        """How values are shown to this caller."""
        return Locale(session.caller.facts.time_zone, self.environment.currency_symbol(session.transaction))

    def renderer(self, session: Session, select: Select) -> Renderer:
        """What turns the rows of `select` into this exchange's answer."""
        root, locale, key = self.request.root, self.locale(session), self.environment.paging_key
        return Renderer(session.schema, select, self.preferences, root, locale, key)

    def applied(self, *honoured: str) -> tuple[tuple[str, str], ...]:
        """The `Preference-Applied` header (WA-39): of the preferences that were sent those named in `honoured`, which
        the answer really heeds. `RETURN`, `ANNOTATIONS` and `PAGE_SIZE` of `webapi.headers` are the names."""
        found = [text for text in self.preferences.applied if preference_name(text) in honoured]
        return (("Preference-Applied", ",".join(found)),) if found else ()

    def for_part(self, request: Request, shared: Session | None, content: Callable[[str], str]) -> "Exchange":
        """The exchange of one part of a `$batch`."""
        return replace(
            self,
            request=request,
            preferences=read_preferences(request.header("prefer")),
            options=split_options(request.query),
            shared=shared,
            content=content,
        )
