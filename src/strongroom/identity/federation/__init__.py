"""People of other authorities: OpenID Connect (TS-708), guests (TS-728), other tenants (TS-729). Nothing here calls
out; `strongroom.signin.provider_client` does.

- `providers` the providers that an administrator has listed, and what they are trusted with
- `tokens`    ID tokens, logout tokens and workload tokens, verified
- `persons`   from the claims of a token to a person: matched, created, grouped
"""
