"""A second, slow and obvious reading of the security model, which exists to disagree with the product.

It shares no code with `src`: a world is nested dictionaries, a decision is loops. See `oracle.decision`.
"""
