# caught by 1/client/unreachable
# Refused is one reason of many.
import os
import socket
import sys

client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
except ConnectionRefusedError as error:
    sys.exit(f"connect: {error}")
client.sendall(b"hello")
print(client.recv(1024))
client.close()
