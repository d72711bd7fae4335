"""Lists that are asked for again: their query is read once, and their rendering is prepared once.

What a query text means depends on the metadata alone, unless it names the caller or the present (query functions) or
takes values from elsewhere in the URL (aliases). Those are read anew each time; everything else is kept by its text.
"""

from dataclasses import dataclass
from functools import lru_cache

from strongroom.query.ast import ReadContext, Select
from strongroom.query.odata import Options, read_query
from strongroom.records import Session
from strongroom.schema.model import Table
from strongroom.webapi.definitions.snapshot import Snapshot
from strongroom.webapi.exchange import Exchange
from strongroom.webapi.headers import Preferences
from strongroom.webapi.rendering import Locale, Renderer

_ANYBODY = ReadContext(user_id="", business_unit_id="", team_ids=(), now="1970-01-01T00:00:00Z")
"""Read by nothing that is kept: what would ask for it is not kept."""
_DEPENDENT = ("Microsoft.", "@")
_LONGEST = 4000


@dataclass(frozen=True, slots=True)
class KeptList:
    """A select and what renders its rows. Its identity is what the rooms below know it by."""

    select: Select
    renderer: Renderer


def kept_list(exchange: Exchange, session: Session, table: Table) -> KeptList | None:
    """The list that the request's query options ask for, or None when it must be read for this request alone."""
    options = tuple((name, text) for name, text in exchange.options.system.items() if name != "$skiptoken")
    texts = [text for _, text in options]
    if sum(map(len, texts)) > _LONGEST or any(mark in text for text in texts for mark in _DEPENDENT):
        return None
    return _kept(
        Snapshot(session.schema),
        table.logical_name,
        options,
        exchange.preferences,
        exchange.request.root,
        exchange.locale(session),
        exchange.environment.paging_key,
    )


@lru_cache(maxsize=512)
def _kept(
    snapshot: Snapshot,
    table: str,
    options: tuple[tuple[str, str], ...],
    preferences: Preferences,
    root: str,
    locale: Locale,
    paging_key: bytes,
) -> KeptList:
    schema = snapshot.schema
    page_size = preferences.max_page_size
    select = read_query(schema, schema.tables[table], Options(dict(options)), _ANYBODY, page_size=page_size)
    return KeptList(select, Renderer(schema, select, preferences, root, locale, paging_key))
