"""Who is calling: tokens, and (with the rooms below) the caller behind them.

- `tokens`  `issue` and `TokenVerifier`: signed bearer tokens
"""

from strongroom.identity.tokens import TokenClaims, TokenVerifier, issue

__all__ = ["TokenClaims", "TokenVerifier", "issue"]
