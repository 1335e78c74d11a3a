"""A connection to a port at which nobody listens."""

import socket

with socket.socket() as reserved:
    reserved.bind(("127.0.0.1", 0))
    with socket.socket() as client:
        try:
            client.connect(reserved.getsockname())
        except ConnectionRefusedError:
            pass
