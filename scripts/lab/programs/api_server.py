"""Serve nova's compute API on a port of loopback: api_server.py PORT TOKEN_FILE.

nova's own WSGI application, without keystone: a request needs the token of the file, in
X-Auth-Token, and acts as an administrator. Which files of settings there are, the environment
says: OS_NOVA_CONFIG_DIR and OS_NOVA_CONFIG_FILES. The documents about versions are open to
everyone, as nova's are.
"""

import hmac
import sys
from pathlib import Path

from serving import serve

# What keystonemiddleware's auth_token would add.
ADMINISTRATOR = {
    "HTTP_X_USER_ID": "operator",
    "HTTP_X_PROJECT_ID": "operators",
    "HTTP_X_ROLES": "admin,manager,member,reader",
}


class Guard:
    """Let in the requests that have the token."""

    def __init__(self, application, token):
        self.application = application
        self.token = token.encode()

    def __call__(self, environ, start_response):
        """Answer one request."""
        path = environ["PATH_INFO"].strip("/")
        given = environ.pop("HTTP_X_AUTH_TOKEN", "").encode("latin-1")
        if "/" in path and not hmac.compare_digest(given, self.token):
            start_response("401 Unauthorized", [("Content-Type", "text/plain")])
            return [b"the token in X-Auth-Token is not that of the lab\n"]
        return self.application({**environ, **ADMINISTRATOR}, start_response)


def main(port, token_file):
    """Serve until the process ends."""
    token = Path(token_file).read_text().strip()
    del sys.argv[1:]  # nova reads them
    from nova.wsgi.osapi_compute import application

    serve(int(port), Guard(application, token))


if __name__ == "__main__":
    main(*sys.argv[1:])
