"""A company in which every act of SM-161 is denied to somebody, and the changes of SM-162 made by the verbs."""

from dataclasses import dataclass

from tests.worlds import ALL_RIGHTS, World, depths, team, user

from strongroom.ids import Guid, Reference
from strongroom.records import add_members, associate
from strongroom.records.explaining_acts import NO_ACT, Act
from strongroom.schema.changes import NewColumn
from strongroom.schema.model import Cascade, ColumnType, Depth, Rights
from strongroom.store.protocol import Value

READ, WRITE, CREATE, DELETE, SHARE, ASSIGN = (
    Rights.READ,
    Rights.WRITE,
    Rights.CREATE,
    Rights.DELETE,
    Rights.SHARE,
    Rights.ASSIGN,
)


@dataclass(frozen=True)
class Asked:
    """A question: may `who` use `right` on `row` for `act`."""

    who: Reference
    row: Reference
    right: Rights
    act: Act = NO_ACT


class Acts:
    """Ann sells, and owns what she sells. Accounts have a secured column, parts that go along when they are deleted and
    assigned, and seals that keep them from being deleted."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.new_column("account", NewColumn("new_secret", ColumnType.STRING, is_secured=True))
        self.part, self.seal = world.new_table("part"), world.new_table("seal")
        world.new_relationship("parts", "account", "new_part", "whole", Cascade(assign="Cascade", delete="Cascade"))
        world.new_relationship("seals", "account", "new_seal", "sealed", Cascade(delete="Restrict"))
        self.unit = world.unit("Acts")
        tables = ("account", self.part, self.seal)
        self.seller = world.role("Seller of acts", {name: depths(Depth.BASIC) for name in tables})
        reads = {name: depths(Depth.BASIC, (READ,)) for name in tables}
        self.ann = user(world.user("Ann", self.unit, self.seller))
        self.bo = user(world.user("Bo", self.unit, self.seller))
        self.blind = user(
            world.user("Blind", self.unit, world.role("Blind", {"contact": depths(Depth.BASIC, (READ,))}))
        )
        self.off = user(world.user("Off", self.unit, self.seller))
        self.bare = user(world.user("Bare", self.unit))
        self.reader = user(world.user("Reader", self.unit, self.seller, accessmode=2))
        self.deals = team(world.team("Deals", self.unit, world.role("Deals", reads)))
        self.club = team(world.team("Club", self.unit, kind=1))
        self.profile = self._profile("Secrets", team(world.team("Keepers", self.unit)))
        self.kept = self._account("Kept", self.off)
        world.update("systemuser", self.off.id, isdisabled=True)
        self.free = self._account("Free", self.ann)
        self.plain = self._account("Plain", self.bo)
        self.sealed = self._account("Sealed", self.ann)
        self.built = self._account("Built", self.ann)
        world.create(self.seal, new_name="S", new_sealed=self.sealed, ownerid=self.bo)
        world.create(self.part, new_name="P", new_whole=self.built, ownerid=self.bo)
        self.lent = self._account("Lent", self.bo)
        world.share(self.lent, self.ann, READ | SHARE)

    def _account(self, name: str, owner: Reference) -> Reference:
        return Reference("account", self.world.create("account", name=name, ownerid=owner))

    def _profile(self, name: str, holder: Reference) -> Guid:
        profile = self.world.create("fieldsecurityprofile", name=name)
        self.world.create(
            "fieldpermission",
            entityname="account",
            attributelogicalname="new_secret",
            cancreate=4,
            canread=4,
            canupdate=4,
            fieldsecurityprofileid=Reference("fieldsecurityprofile", profile),
        )
        self._tie(holder, Reference("fieldsecurityprofile", profile))
        return profile

    def hand_profile(self, holder: Reference) -> None:
        """The profile that opens the secured column, to somebody else too."""
        self._tie(holder, Reference("fieldsecurityprofile", self.profile))

    def _tie(self, holder: Reference, profile: Reference) -> None:
        with self.world.administrating() as session:
            association = session.schema.many_to_many[f"{holder.table}profiles_association"]
            ends = (holder, profile) if association.table1 == holder.table else (profile, holder)
            associate(session, association, *ends)

    def asked(self) -> dict[str, Asked]:
        """One question, or several, for each code of SM-161, by the code and what tells them apart."""
        return {
            "user-disabled": Asked(self.off, self.kept, READ),
            "no-roles": Asked(self.bare, self.free, READ),
            "missing-privilege": Asked(self.blind, self.free, READ),
            "missing-privilege by mode": Asked(self.reader, self.free, WRITE),
            "no-access-path": Asked(self.ann, self.plain, READ),
            "no-access-path of a part": Asked(self.ann, self.built, DELETE),
            "no-access-path of an assigned part": Asked(self.ann, self.built, ASSIGN, Act(owner=self.deals)),
            "no-access-path of a new row": Asked(self.ann, self.free, CREATE, Act(owner=self.bo)),
            "does-not-exist": Asked(self.ann, Reference("account", self.unit), READ),
            "column-not-permitted": Asked(self.ann, self.free, READ, Act(column="new_secret")),
            "column-not-permitted to write": Asked(self.ann, self.free, WRITE, Act(column="new_secret")),
            "column-not-permitted to create": Asked(self.ann, self.free, CREATE, Act(column="new_secret")),
            "owner-cannot-read": Asked(self.ann, self.free, ASSIGN, Act(owner=self.blind)),
            "owner-disabled": Asked(self.ann, self.free, ASSIGN, Act(owner=self.off)),
            "owner-is-access-team": Asked(self.ann, self.free, ASSIGN, Act(owner=self.club)),
            "cannot-grant-what-you-lack": Asked(
                self.ann, self.lent, SHARE, Act(shared_with=self.blind, rights=READ | WRITE)
            ),
            "cannot-grant-what-you-lack of several": Asked(
                self.ann, self.lent, SHARE, Act(shared_with=self.blind, rights=READ | WRITE | ASSIGN)
            ),
            "share-with-owner": Asked(self.ann, self.free, SHARE, Act(shared_with=self.ann, rights=READ)),
            "delete-restricted": Asked(self.ann, self.sealed, DELETE),
        }

    # --- changes of SM-162 ---

    def make(self, change: str, asked: Asked, lacking: tuple[str, Rights], whose: Reference, row: Reference) -> None:
        """Make a proposed change as the administrator. `lacking` is what a privilege would be on, `row` the row that is
        shared or given."""
        kind, _, value = change.partition(":")
        match kind:
            case "privilege":
                table, rights = lacking
                held = depths(Depth[value.upper()], [right for right in ALL_RIGHTS if right in rights])
                self.world.give_role(self.world.role(f"New {change} {whose.id}", {table: held}), whose)
            case "share":
                self.world.share(row, whose, lacking[1])
            case "own":
                self.world.update(row.table, row.id, ownerid=whose)
            case "team":
                with self.world.administrating() as session:
                    add_members(session, self.world.rows("team", name=value)[0].id, [whose.id])
            case "profile":
                self._tie(whose, self.world.rows("fieldsecurityprofile", name=value)[0].reference())
            case "value-share":
                self._share_value(asked, whose)
            case "enable-user":
                self.world.update("systemuser", whose.id, isdisabled=False)
            case _:
                raise AssertionError(f"nobody knows how to make '{change}'")

    def _share_value(self, asked: Asked, whose: Reference) -> None:
        column = self.world.table("account").columns[asked.act.column or ""].metadata_id
        values: dict[str, Value] = {
            "attributeid": column,
            "objectid": asked.row,
            "principalid": whose,
            "readaccess": True,
            "updateaccess": True,
        }
        self.world.make("principalobjectattributeaccess", values)
