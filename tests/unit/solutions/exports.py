"""The published exports that tests read, and small ones made by hand."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from strongroom.solutions import Archive, open_archive

FOLDER = Path(__file__).parents[2] / "data" / "solutions"
PUBLISHED = tuple(sorted(path.name for path in FOLDER.glob("*.zip")))

_MANIFEST = """<ImportExportXml><SolutionManifest><UniqueName>{name}</UniqueName>
<LocalizedNames><LocalizedName description="{name}" languagecode="1033"/></LocalizedNames>
<Version>{version}</Version><Managed>{managed}</Managed>
<Publisher><UniqueName>{publisher}</UniqueName><CustomizationPrefix>{prefix}</CustomizationPrefix>
<CustomizationOptionValuePrefix>10000</CustomizationOptionValuePrefix></Publisher>
<RootComponents>{roots}</RootComponents><MissingDependencies/></SolutionManifest></ImportExportXml>"""


def manifest(
    *, name: str, version: str, managed: str, publisher: str = "maker", roots: str = "", prefix: str = "new"
) -> str:
    """A solution.xml."""
    return _MANIFEST.format(
        name=name, version=version, managed=managed, publisher=publisher, roots=roots, prefix=prefix
    )


def published(name: str) -> Archive:
    """One of the published exports."""
    return open_archive(name, (FOLDER / name).read_bytes())


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    """A zip of these files."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def small(
    body: str,
    *,
    name: str = "small",
    version: str = "1.0.0.0",
    managed: str = "0",
    publisher: str = "maker",
    roots: str = "",
    prefix: str = "new",
) -> Archive:
    """An export with this inside of its customizations.xml."""
    files = {
        "solution.xml": manifest(
            name=name, version=version, managed=managed, publisher=publisher, roots=roots, prefix=prefix
        ),
        "customizations.xml": f"<ImportExportXml>{body}</ImportExportXml>",
    }
    return open_archive("small.zip", zipped(files))


def role_xml(role_id: str, name: str, **privileges: str) -> str:
    """A role with privileges by name and level."""
    held = "".join(f'<RolePrivilege name="{key}" level="{level}"/>' for key, level in privileges.items())
    return f'<Roles><Role id="{{{role_id}}}" name="{name}"><RolePrivileges>{held}</RolePrivileges></Role></Roles>'
