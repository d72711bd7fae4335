"""Which paths are the authority's: asked of every request, so it imports nothing and looks at the beginning of most."""

_OTHERS = ("/api/", "/e/", "/console")
_PAGES = ("/sign-in", "/sign-out", "/account", "/scim/v2")
_ENDS = ("/discovery/v2.0/keys", "/discovery/instance", "/.well-known/openid-configuration")


def is_served(path: str) -> bool:
    """Whether `strongroom.signin` answers a path."""
    return not path.startswith(_OTHERS) and (path.startswith(_PAGES) or "/oauth2/" in path or path.endswith(_ENDS))
