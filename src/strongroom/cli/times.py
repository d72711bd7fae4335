"""Times as options of commands."""

from datetime import datetime

import click


class Moment(click.ParamType[datetime]):
    """A time with its zone, such as 2026-05-01T10:15:00Z."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment."""
        from strongroom.clock import moment_of

        if isinstance(value, datetime):
            return value
        moment = moment_of(str(value))
        if moment is None:
            self.fail(f"'{value}' is no time with its zone, such as 2026-05-01T10:15:00Z.", param, ctx)
        return moment


MOMENT = Moment()
