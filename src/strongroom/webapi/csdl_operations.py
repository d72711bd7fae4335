"""Functions and actions in `$metadata`, and the types that they use (WA-65, WA-410)."""

from collections.abc import Iterable

from strongroom.webapi.operations_model import ListedOperation


def operation_types(listed: Iterable[ListedOperation], *, own: bool = False) -> str:
    """The enumerations, then the complex types, each once: those of the namespace `Strongroom`, or all others."""
    enums: dict[str, str] = {}
    complexes: dict[str, str] = {}
    for operation in listed:
        for enum in () if own else operation.enum_types:
            members = "".join(f'<Member Name="{name}" Value="{value}"/>' for name, value in enum.members)
            flags = ' IsFlags="true"' if enum.is_flags else ""
            enums[enum.name] = f'<EnumType Name="{enum.name}"{flags}>{members}</EnumType>'
        for complex_ in operation.complex_types:
            if complex_.is_own is not own:
                continue
            properties = "".join(f'<Property Name="{name}" Type="{type_}"/>' for name, type_ in complex_.properties)
            complexes[complex_.name] = f'<ComplexType Name="{complex_.name}">{properties}</ComplexType>'
    return "".join((*enums.values(), *complexes.values()))


def operations(listed: Iterable[ListedOperation]) -> str:
    """One `Function` or `Action` element each, sorted by name."""
    return "".join(_operation(operation) for operation in _sorted(listed))


def operation_imports(listed: Iterable[ListedOperation]) -> str:
    """How the unbound ones are reached from the service root."""
    imports: list[str] = []
    for operation in _sorted(listed):
        if operation.is_bound:
            continue
        kind = "Function" if operation.is_function else "Action"
        namespace = "Strongroom" if operation.is_own else "Microsoft.Dynamics.CRM"
        name = operation.import_name or operation.name
        imports.append(f'<{kind}Import Name="{name}" {kind}="{namespace}.{operation.name}"/>')
    return "".join(imports)


def _operation(operation: ListedOperation) -> str:
    kind = "Function" if operation.is_function else "Action"
    bound = ' IsBound="true"' if operation.is_bound else ""
    parts = [f'<{kind} Name="{operation.name}"{bound}>']
    if operation.binding_type is not None:
        parts.append(f'<Parameter Name="entity" Type="{operation.binding_type}" Nullable="false"/>')
    for parameter in operation.parameters:
        nullable = "" if parameter.is_nullable else ' Nullable="false"'
        parts.append(f'<Parameter Name="{parameter.name}" Type="{parameter.type}"{nullable}/>')
    if operation.return_type is not None:
        parts.append(f'<ReturnType Type="{operation.return_type}" Nullable="false"/>')
    parts.append(f"</{kind}>")
    return "".join(parts)


def _sorted(listed: Iterable[ListedOperation]) -> list[ListedOperation]:
    return sorted(listed, key=lambda operation: (operation.name, operation.binding_type or ""))
