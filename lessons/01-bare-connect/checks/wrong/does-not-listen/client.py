# caught by 1/client/answer
# It sends, and does not receive.
import os
import socket
import sys

client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
except OSError as error:
    sys.exit(f"connect: {error}")
client.sendall(b"hello")
client.close()
