"""Errors of the authority in the words of RFC 6749, with the numbers that the published clients know (WA-27,
TS-714)."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(eq=False)
class OAuthProblem(Exception):
    """A refusal. `word` is the RFC's, `number` the one of the published service's error list, `text` for people."""

    word: str
    number: int
    text: str
    status: int = 400


def wrong_client() -> OAuthProblem:
    """Whatever is wrong with a program's proof: one and the same answer (TS-717)."""
    text = "The client could not be authenticated: it is not registered, or its secret or assertion is not valid."
    return OAuthProblem("invalid_client", 7000215, text, 401)


def missing(name: str) -> OAuthProblem:
    """A parameter that must be given."""
    return OAuthProblem("invalid_request", 900144, f"The request must contain the parameter '{name}'.")


def repeated(name: str) -> OAuthProblem:
    """A parameter that came twice (RFC 6749, section 3.1)."""
    return OAuthProblem("invalid_request", 9000411, f"The parameter '{name[:40]}' is given more than once.")


def wrong_grant(number: int = 70008) -> OAuthProblem:
    """A code or refresh token that is unknown, used, ended or somebody else's."""
    return OAuthProblem("invalid_grant", number, "The code or refresh token is not valid, or was used already.")


def wrong_scope(shown: str, own: str) -> OAuthProblem:
    """A scope that names no environment of this server (WA-28)."""
    return OAuthProblem(
        "invalid_scope",
        70011,
        f"The scope '{shown[:200]}' names no environment of this server. Ask for {own}/.default, or for "
        f"{own}/e/NAME/.default.",
    )


def kept_out() -> OAuthProblem:
    """A policy that blocks (TS-723)."""
    text = "Access has been blocked by a conditional access policy of the organization."
    return OAuthProblem("access_denied", 53003, text, 403)


def needs_more(required: Sequence[str]) -> OAuthProblem:
    """A policy that asks for more than was shown; the program sends the person to sign in again (TS-723)."""
    text = f"A policy of the organization asks for more than the sign-in shows: {', '.join(required)}."
    return OAuthProblem("interaction_required", 50076, text)


def not_a_user(environment: str) -> OAuthProblem:
    """Somebody who is known here and may not enter this environment (WA-23)."""
    return OAuthProblem(
        "access_denied", 50105, f"The caller is no enabled user of the environment '{environment}'.", 403
    )
