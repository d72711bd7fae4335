"""The edge where people and programs get in: an OAuth 2.0 / OpenID Connect authority, and the pages on which people
sign in and keep their account. No rule lives here; those are in `strongroom.identity`.

- `paths`      which paths are its own
- `site`       which path is served by what, with which headers
- `metadata`   discovery documents and keys
- `tokens`     the token endpoint: one function for each grant
- `clients`    which program asks, and how it proves it
- `audience`   which environment a scope means
- `token_request`  what a token request is, and how it is answered
- `device`     signing in on another device
- `workloads`  programs with a token of another authority
- `federation` signing in by another provider; `provider_client` talking to it
- `scim`       provisioning by another system
- `authorize`  the authorization endpoint (code with PKCE)
- `pages`      signing in, second steps, recovery
- `passkey_pages`  passkeys, with the only script
- `account`    one's sessions, password and factors
- `visitor`    cookies, forms and where a request comes from
- `entering`   from a session to the caller of an environment
- `problems`   errors in the words of OAuth
"""
