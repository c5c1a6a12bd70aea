from helpers.local_server import checkpoint, server  # noqa: F401
