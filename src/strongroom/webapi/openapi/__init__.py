"""`openapi.json`: the Web API of an environment as an OpenAPI 3.0 document, for tools that do not read CSDL.

`document` the whole · `rows` tables as schemas and paths · `calls` functions and actions · `parts` what they share.
The document tells of the environment's own tables and columns, so it is read with a token, like `$metadata`.
"""

from strongroom.webapi.openapi.document import render_openapi

__all__ = ["render_openapi"]
