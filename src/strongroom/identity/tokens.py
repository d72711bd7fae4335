"""Bearer tokens: JSON Web Tokens signed with Ed25519 by the home's key ring.

| claim | meaning |
| --- | --- |
| `iss` | the id of the home |
| `aud` | the id of the one environment that the token opens |
| `sub` | the id of the user |
| `iat`, `exp` | when it was made and when it ends, in seconds since 1970 |
| `jti` | the token's own id |
| `tid`, `oid` | the home, and the person or program in its directory (TS-713) |
| `appid`, `azp` | the client id of the program that the token was given to |
| `sid`, `cred` | the session of a person, the credential of a program: with it ends the token |
| `amr` | how the person proved who they are |
| `scp`, `roles` | what clients like to see; they give nothing |

The last five rows are in tokens of the token endpoint only, not in those of `strongroom token`.

The header names the signing key (`kid`). A token holds no right: those are looked up for each request (WA-29), and
whether the user exists and is enabled is the caller's question. Whatever is wrong with a token, the answer is one and
the same `Unauthenticated` (WA-21).
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import jwt

from strongroom.clock import Clock
from strongroom.errors import InvalidRequest, Unauthenticated
from strongroom.ids import Guid, new_guid, parse_guid
from strongroom.keys import LONGEST_TOKEN, KeyRing

_ALGORITHM = "EdDSA"
_LONGEST_TEXT = 4096
"""Characters; ours have about 500. Longer ones are refused before anything is computed."""

_END_OF_TIME = 253_402_300_800  # the year 10000


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a valid token says."""

    user: Guid
    environment: Guid
    token_id: Guid
    key_id: str
    issued_at: datetime
    expires_at: datetime
    session: Guid | None = None
    credential: Guid | None = None
    client: Guid | None = None


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token of the token endpoint is given to, and what it hangs on: a person's session or a program's
    credential. `object_id` is the person's or program's own id in the directory."""

    object_id: Guid
    client: Guid | None = None
    session: Guid | None = None
    credential: Guid | None = None
    factors: tuple[str, ...] = ()

    def claims(self, home: Guid) -> dict[str, object]:
        """The claims that say so (TS-713)."""
        found: dict[str, object] = {
            "tid": home,
            "oid": self.object_id,
            "appid": self.client,
            "azp": self.client,
            "sid": self.session,
            "cred": self.credential,
            "amr": list(self.factors),
            "scp": "user_impersonation" if self.session else None,
        }
        return {name: value for name, value in found.items() if value}


def issue(
    ring: KeyRing, environment: Guid, user: Guid, clock: Clock, lifetime: timedelta, bearer: Bearer | None = None
) -> str:
    """A new token for `user` in `environment`. Raises `InvalidRequest` for a lifetime that is not positive or longer
    than `LONGEST_TOKEN`."""
    if not timedelta(seconds=1) <= lifetime <= LONGEST_TOKEN:
        raise InvalidRequest(f"A token lives at least one second and at most {LONGEST_TOKEN.days} days.")
    key_id, private = ring.signing_key()
    issued_at = int(clock.now().timestamp())
    claims = {
        "iss": ring.home,
        "aud": environment,
        "sub": user,
        "iat": issued_at,
        "exp": issued_at + int(lifetime.total_seconds()),
        "jti": new_guid(clock),
        **(bearer.claims(ring.home) if bearer else {}),
    }
    return jwt.encode(claims, private, algorithm=_ALGORITHM, headers={"kid": key_id})


class TokenVerifier:
    """Verifies tokens for one process, and remembers the signatures that it has verified lately.

    Expiry and the signing key are checked every time, so an expired token or one of a revoked key is refused by the
    next request in every process.
    """

    def __init__(self, ring: KeyRing, clock: Clock, *, remembered: int = 4096) -> None:
        self._ring = ring
        self._clock = clock
        self._remembered = remembered
        self._cache: OrderedDict[bytes, TokenClaims] = OrderedDict()

    def verify(self, token: str, environment: Guid) -> TokenClaims:
        """The claims of a token for `environment`. Raises `Unauthenticated` for whatever is wrong with it, and
        `HomeError` when the key ring cannot be read any more."""
        self._ring.refresh()
        now = self._clock.now()
        claims = self._claims(token, now)
        is_known = claims is not None and self._ring.verifying_key(claims.key_id, now) is not None
        if claims is None or not is_known or claims.environment != environment or claims.expires_at <= now:
            raise Unauthenticated("The requested resource requires authentication.")
        return claims

    def _claims(self, token: str, now: datetime) -> TokenClaims | None:
        if len(token) > _LONGEST_TEXT or not token.isascii():
            return None
        digest = hashlib.sha256(token.encode()).digest()
        claims = self._cache.get(digest)
        if claims is not None:
            self._cache.move_to_end(digest)
            return claims
        claims = self._decoded(token, now)
        if claims is not None:
            self._cache[digest] = claims
            if len(self._cache) > self._remembered:
                self._cache.popitem(last=False)
        return claims

    def _decoded(self, token: str, now: datetime) -> TokenClaims | None:
        """The claims of a token whose signature and issuer fit; None otherwise."""
        try:
            key_id: object = jwt.get_unverified_header(token).get("kid")
            key = self._ring.verifying_key(key_id, now) if isinstance(key_id, str) else None
            if key is None or not isinstance(key_id, str):
                return None
            claims: Mapping[str, object] = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                issuer=self._ring.home,
                options={
                    "require": ["iss", "aud", "sub", "iat", "exp", "jti"],
                    # Times and audience are compared by `verify` with the home's clock, on every use of the token.
                    "verify_exp": False,
                    "verify_iat": False,
                    "verify_nbf": False,
                    "verify_aud": False,
                },
            )
        except (jwt.PyJWTError, RecursionError):  # the latter for a header of nothing but brackets
            return None
        return _typed(claims, key_id)


def _typed(claims: Mapping[str, object], key_id: str) -> TokenClaims | None:
    user, environment, token_id = (parse_guid(str(claims[name])) for name in ("sub", "aud", "jti"))
    issued_at, expires_at = _moment(claims["iat"]), _moment(claims["exp"])
    if user is None or environment is None or token_id is None or issued_at is None or expires_at is None:
        return None
    hangs_on: dict[str, Guid | None] = {}
    for name in ("sid", "cred", "appid"):
        value = claims.get(name)
        hangs_on[name] = parse_guid(value) if isinstance(value, str) else None
        if value is not None and hangs_on[name] is None:
            return None
    return TokenClaims(user, environment, token_id, key_id, issued_at, expires_at, *hangs_on.values())


def _moment(seconds: object) -> datetime | None:
    if not isinstance(seconds, int) or not 0 <= seconds < _END_OF_TIME:
        return None
    return datetime.fromtimestamp(seconds, UTC)
