"""The key hierarchy: a root key wraps the data key of each environment, the signing keys of tokens, and secrets.

- `secret`    `Secret`: a value that does not show itself
- `root`      where the root key comes from: a file, or a passphrase from outside
- `wrapping`  sealing one key under another, bound to its place
- `document`  what `keys.json` holds
- `ringfile`  `keys.json` on disk: atomic changes, rotation of the root key
- `providers` where keys live that the customer holds: file, PKCS#11, AWS KMS, Vault
- `custody`   wrapping an environment's keys under the customer's
- `customer`  adding, assigning, rotating, revoking and restoring those
- `age`       files that leave the home
- `ring`      `KeyRing`: what the rest of the program asks for
- `disk`      the file operations, replaceable so that tests can fail each of them
"""

from strongroom.keys.providers import KeyState
from strongroom.keys.ring import LONGEST_TOKEN, KeyRing, create_ring, open_ring
from strongroom.keys.root import DEFAULT_SOURCE, KeySource, SourceKind, parse_source, worker_environment
from strongroom.keys.secret import Secret

__all__ = [
    "DEFAULT_SOURCE",
    "LONGEST_TOKEN",
    "KeyRing",
    "KeySource",
    "KeyState",
    "Secret",
    "SourceKind",
    "create_ring",
    "open_ring",
    "parse_source",
    "worker_environment",
]
