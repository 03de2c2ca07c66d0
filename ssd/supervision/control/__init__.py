"""The control socket: the protocol, and the server that answers on it."""
