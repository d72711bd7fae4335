"""What the endpoint offers (TS-731): the schemas of RFC 7643 for users and groups."""

from functools import cache

from scim2_models import AuthenticationScheme, Group, ScimProvider, ServiceProviderConfig, User
from scim2_server.service import ScimService

MOST_RESULTS = 500
MOST_BODY = 256 * 1024


@cache
def service() -> ScimService:
    """The service of one process: it holds no state."""
    return ScimService(ScimProvider([User, Group], config=_configuration()))


def _configuration() -> ServiceProviderConfig:
    """Filters, PATCH, sorting and ETags; no bulk and no passwords, which people choose themselves."""
    return ServiceProviderConfig.model_validate(
        {
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
            "patch": {"supported": True},
            "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
            "filter": {"supported": True, "maxResults": MOST_RESULTS},
            "changePassword": {"supported": False},
            "sort": {"supported": True},
            "etag": {"supported": True},
            "authenticationSchemes": [
                {
                    "type": AuthenticationScheme.Type.oauthbearertoken.value,
                    "name": "Bearer token",
                    "description": "A token of `strongroom scim add`.",
                }
            ],
        }
    )
