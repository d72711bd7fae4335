"""What a search of the trail and one of the activity log ask in the same words."""

from strongroom.console.data.lookups import find_row
from strongroom.console.visit import Visit


async def user_and_table(visit: Visit) -> list[str]:
    """The conditions for the user and the table that were asked for. Raises `ApiError` 400 for what is none."""
    conditions: list[str] = []
    if visit.parameter("user"):
        _, user_id = await find_row(visit, ("systemuser",), visit.parameter("user"))
        conditions.append(f"_userid_value eq {user_id}")
    if visit.parameter("table"):
        conditions.append(f"objecttypecode eq '{visit.table(visit.parameter('table')).logical_name}'")
    return conditions
