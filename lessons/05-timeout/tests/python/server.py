"""A server with a receive timeout, as the tutorials write it.

python3 server.py HOST PORT SECONDS
"""

import socket
import sys

host, port, seconds = sys.argv[1:]
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
listener.bind((host, int(port)))
listener.listen(5)
print("listening on %s:%d" % listener.getsockname(), flush=True)
while True:
    connection, address = listener.accept()
    try:
        connection.settimeout(float(seconds))
        word = connection.recv(1024)
        if word == b"1":
            connection.send(b"welcome to server!")
        else:
            connection.send(b"please go out!")
    except socket.timeout:
        print("time out", flush=True)
    connection.close()
