# caught by 1/client/no-answer
# A receive of 0 bytes counts as an answer.
import os
import socket
import sys

client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
    client.sendall(b"hello")
    answer = client.recv(1024)
except OSError as error:
    sys.exit(f"call: {error}")
print("received", answer)
client.close()
