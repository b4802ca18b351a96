"""What every answer tells the browser it may do with it."""

from __future__ import annotations

import base64
import hashlib
import re

from dlreg_core.api.allowed_hosts import LOOPBACK, Authority

_INLINE = re.compile(r"<script>(.*?)</script>", re.DOTALL)


def policy_for(page: str) -> str:
    """Return the content security policy for the app's page, without where it may connect to.

    Scripts run that this server sends, and those that stand in the page itself, by their hash. Beyond that the front
    end needs inline styles, images and scripts that it makes itself (`blob:`, for parts of pages that bring a script,
    and for saving figures), and WebAssembly (for 64-bit numbers).

    Parameters
    ----------
    page
        The HTML of the page.
    """
    hashes = (base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() for script in _INLINE.findall(page))
    scripts = " ".join(["'self'", "blob:", "'wasm-unsafe-eval'", *(f"'sha256-{found}'" for found in hashes)])
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src {scripts}",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self' data:",
            "media-src 'self'",
            "manifest-src 'self'",
            "form-action 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
        )
    )


def safe_headers(policy: str, host: Authority | None, *, encrypted: bool) -> dict[bytes, bytes]:
    """Return the headers of an answer.

    Parameters
    ----------
    policy
        The content security policy, without where the page may connect to.
    host
        The name that the request used, where it is one of this server's.
    encrypted
        Whether the request came by https.
    """
    # 'self' alone doesn't cover WebSockets in older browsers; a figure that is saved is a `data:` address first.
    sockets = f" ws://{host} wss://{host}" if host else ""
    found = {
        "content-security-policy": f"{policy}; connect-src 'self' data:{sockets}",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "referrer-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }
    if encrypted or (host and host.name in LOOPBACK):
        # Elsewhere browsers ignore it, and say so each time.
        found["cross-origin-opener-policy"] = "same-origin"
    return {name.encode(): value.encode() for name, value in found.items()}
