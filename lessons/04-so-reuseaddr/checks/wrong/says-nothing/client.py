# caught by 4/client/says-who
# It waits for the end of the stream, and does not say that it came.
import os
import socket
import sys

for line in sys.stdin.buffer:
    client = socket.socket()
    try:
        client.connect((os.environ["HOST"], int(os.environ["PORT"])))
        client.sendall(line.strip())
        print(client.recv(1024))
        client.recv(1)
    except OSError as error:
        sys.exit(str(error))
    client.close()
