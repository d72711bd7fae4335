"""Image columns of a solution: whether they keep the image besides its thumbnail comes along (WA-370, WA-405)."""

import pytest
from tests.unit.solutions.exports import small
from tests.worlds import World

from strongroom.solutions import Archive, Verdict, export_solution, import_solution, open_archive, plan_import
from strongroom.solutions import read_solution as read
from strongroom.store.protocol import Database

ROOTS = '<RootComponent type="1" schemaName="new_person" behavior="0"/>'


def _solution(*full: str, says: bool = True) -> Archive:
    """Two image columns, those of `full` with the image itself; an export that says nothing has no section."""
    columns = "".join(
        f'<attribute PhysicalName="{name}"><Type>{kind}</Type><IsCustomField>1</IsCustomField>'
        f"<DisplayMask>{mask}</DisplayMask></attribute>"
        for name, kind, mask in (
            ("new_Name", "nvarchar", "PrimaryName"),
            ("new_Face", "image", "ValidForForm"),
            ("new_Pass", "image", "ValidForForm"),
        )
    )
    configs = "".join(
        f"<AttributeImageConfig><attributelogicalname>{name}</attributelogicalname><parententitylogicalname>new_person"
        f"</parententitylogicalname><canstorefullimage>{int(name in full)}</canstorefullimage></AttributeImageConfig>"
        for name in ("new_face", "new_pass")
    )
    section = f"<AttributeImageConfigs>{configs}</AttributeImageConfigs>" if says else ""
    entity = (
        '<Entities><Entity><Name>new_person</Name><EntityInfo><entity Name="new_person"><attributes>'
        f"{columns}</attributes></entity></EntityInfo></Entity></Entities>"
    )
    return small(entity + section, roots=ROOTS)


@pytest.fixture
def world(database: Database) -> World:
    return World(database)


def _kept(world: World) -> list[bool]:
    columns = world.table("new_person").columns
    return [columns[name].can_store_full_image for name in ("new_face", "new_pass")]


def test_whether_an_image_is_kept_comes_with_the_solution_and_goes_out_again(world: World) -> None:
    """Imported, exported, imported again without a difference, and changed by a later version."""
    archive = _solution("new_face")
    with world.administrating() as session:
        import_solution(session, read(archive), archive)
    assert _kept(world) == [True, False]
    with world.administrating() as session:
        again = open_archive("again.zip", export_solution(session, "small", as_managed=False))
        assert {each.verdict for each in plan_import(session, read(again)).steps} == {Verdict.SAME}
        changed = _solution("new_face", "new_pass")
        import_solution(session, read(changed), changed)
    assert _kept(world) == [True, True]


def test_an_export_that_says_nothing_keeps_images(world: World) -> None:
    archive = _solution(says=False)
    with world.administrating() as session:
        import_solution(session, read(archive), archive)
    assert _kept(world) == [True, True]
