"""What clients read before they ask: discovery documents, keys, and the list of authorities (WA-25, TS-714).

A tenant is any name of one path segment: a home is one tenant, and programs that come from elsewhere keep the id that
they have. The id of the home, `common` and `organizations` are as good as any other.
"""

import base64
import re

from strongroom.environments import Environments
from strongroom.errors import NotFound

_TENANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.\-]{0,99}")
ID_TOKEN_ALGORITHM = "EdDSA"  # noqa: S105 - the name of an algorithm
TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"  # noqa: S105 - the name of a grant
GRANTS = (
    "authorization_code",
    "refresh_token",
    "client_credentials",
    "urn:ietf:params:oauth:grant-type:device_code",
    TOKEN_EXCHANGE,
)


def checked_tenant(tenant: str) -> str:
    """A tenant as it stands in paths. Raises `NotFound` for what cannot be one."""
    if not _TENANT.fullmatch(tenant):
        raise NotFound("This is no tenant.")
    return tenant


def issuer(own: str, tenant: str) -> str:
    """Who says so, in the form of the published service."""
    return f"{own}/{tenant}/v2.0"


def token_endpoint(own: str, tenant: str) -> str:
    """Where tokens are had."""
    return f"{own}/{tenant}/oauth2/v2.0/token"


def configuration(own: str, tenant: str) -> dict[str, object]:
    """The discovery document."""
    oauth = f"{own}/{tenant}/oauth2/v2.0"
    return {
        "issuer": issuer(own, tenant),
        "authorization_endpoint": f"{oauth}/authorize",
        "token_endpoint": token_endpoint(own, tenant),
        "device_authorization_endpoint": f"{oauth}/devicecode",
        "end_session_endpoint": f"{oauth}/logout",
        "jwks_uri": f"{own}/{tenant}/discovery/v2.0/keys",
        "response_types_supported": ["code"],
        "response_modes_supported": ["query", "fragment"],
        "grant_types_supported": list(GRANTS),
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": [ID_TOKEN_ALGORITHM],
        "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS256", "PS256", "ES256"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "claims_supported": [
            "sub",
            "iss",
            "aud",
            "exp",
            "iat",
            "oid",
            "tid",
            "name",
            "preferred_username",
            "amr",
            "sid",
        ],
        "authorization_response_iss_parameter_supported": True,
        "tenant_region_scope": None,
        "cloud_instance_name": own.split("://", 1)[1],
    }


def keys(environments: Environments) -> dict[str, object]:
    """The public keys that verify tokens: the newest one, and those that were retired lately."""
    environments.keys.refresh()
    now = environments.clock.now()
    found: list[dict[str, object]] = []
    for stored in environments.keys.document.signing:
        if environments.keys.verifying_key(stored.id, now) is not None:
            public = base64.urlsafe_b64encode(stored.public).rstrip(b"=").decode()
            found.append({"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": stored.id, "x": public})
    return {"keys": found}


def instances(own: str, tenant: str) -> dict[str, object]:
    """The list of authorities that clients ask for before they trust one: this one."""
    host = own.split("://", 1)[1]
    return {
        "tenant_discovery_endpoint": f"{issuer(own, tenant)}/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
    }
