"""`GET /`: a plain page that says what is here and how to connect."""

from base64 import b64encode
from hashlib import sha256
from html import escape

from strongroom.environments import Environments
from strongroom.webapi.http import Response

_STYLE = (
    ":root{color-scheme:light dark}"
    "body{font:1rem/1.6 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1.2rem}"
    "h1{margin-bottom:.2rem}pre{padding:.9rem 1rem;overflow-x:auto;border:1px solid;border-radius:.4rem}"
    "code{font-family:ui-monospace,monospace}dt{font-weight:600;margin-top:.6rem}"
)


def render(address: str, environments: Environments) -> Response:
    """The page for a client that reached the server at `address` (`http://127.0.0.1:8000`)."""
    rows = "".join(
        f"<dt>{escape(name)}</dt><dd><code>{escape(address)}{escape(path)}</code></dd>"
        for name, path in environments.addresses()
    )
    example = f'curl -H "Authorization: Bearer $(strongroom token --user admin)" {address}/api/data/v9.2/WhoAmI'
    body = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Strongroom</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head><body>'
        "<main><h1>Strongroom</h1><p>A trusted business-data platform. It speaks the Dataverse Web API, so a Dataverse "
        "client works here once it has this address and a token.</p>"
        f"<h2>Web API</h2><dl>{rows}</dl>"
        "<h2>Connect</h2><p>Make a token on the machine that holds the home, then send it with each request:</p>"
        f'<pre tabindex="0"><code>{escape(example)}</code></pre>'
        "<p>Each environment describes itself at <code>$metadata</code>. Readiness is at <code>/healthz</code>, "
        "measurements are at <code>/metrics</code>.</p></main></body></html>"
    )
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = (("Content-Type", "text/html; charset=utf-8"), ("Content-Security-Policy", policy))
    return Response(200, headers, body.encode())
