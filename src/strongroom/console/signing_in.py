"""Signing in with a token, and the cookie that remembers it.

The cookie holds the token itself: it is signed, names one user and one environment, ends by itself, and each request
checks it anew. Scripts cannot read it, and other sites cannot make a browser send it.
"""

from starlette.responses import Response

from strongroom.environment import Environment
from strongroom.environments import Environments
from strongroom.errors import Unauthenticated
from strongroom.identity import TokenClaims

COOKIE = "strongroom-token"


def by_token(environments: Environments, token: str) -> tuple[Environment, str, TokenClaims] | None:
    """What a pasted token opens, in whichever environment it is for; None when it opens nothing."""
    wanted = token.strip().removeprefix("Bearer ").strip()
    for name in sorted(environments.names):
        try:
            environment, claims = environments.authenticate(name, f"Bearer {wanted}")
        except Unauthenticated:
            continue
        return environment, wanted, claims
    return None


def who(environments: Environments, token: str | None, name: str | None) -> tuple[Environment, TokenClaims]:
    """Whose cookie it is, in the environment `name` or the one it is for. Raises `Unauthenticated`."""
    if not token:
        raise Unauthenticated("Nobody is signed in.")
    if name is not None:
        return environments.authenticate(name, f"Bearer {token}")
    found = by_token(environments, token)
    if found is None:
        raise Unauthenticated("Nobody is signed in.")
    return found[0], found[2]


def remember(response: Response, token: str, claims: TokenClaims, *, is_secure: bool) -> None:
    """Give the browser the cookie, for as long as the token lives."""
    response.set_cookie(COOKIE, token, expires=claims.expires_at, secure=is_secure, httponly=True, samesite="lax")


def forget(response: Response) -> None:
    """Take the cookie back."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax")
