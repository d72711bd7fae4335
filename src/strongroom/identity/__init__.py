"""Who is calling: tokens, and the directory of people and programs that they are given to.

- `tokens`       `issue` and `TokenVerifier`: signed bearer tokens
- `liveness`     whether what a token hangs on still stands, for each request
- `tables`       the directory's tables in the control environment; `directory_rules` what hangs in their verbs
- `directory`    working with them in the platform's name
- `people`       accounts and passwords; `passwords` what one must be; `hashing` how it lies in a table
- `signin`       from what somebody typed to a session; `guard` lock-out; `signinlog` the log
- `sessions`     sessions and their limits
- `factors`      authenticator apps and recovery codes; `passkeys`
- `conditional`  who gets in, from where, how and when; `risk`; `firewall`; `step_up`; `flood`
- `federation`  people of other providers; `provisioning` SCIM; `groups` and the teams that follow them
- `applications` programs, their secrets and certificates; `assertions` what they sign
- `once`         codes and links that work once; `refresh` tokens that follow one another
- `membership`   making somebody a user of an environment
"""

from strongroom.identity.tokens import TokenClaims, TokenVerifier, issue

__all__ = ["TokenClaims", "TokenVerifier", "issue"]
