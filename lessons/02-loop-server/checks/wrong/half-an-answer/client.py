# caught by 2/client/end-in-mid-answer
# The end of the stream is no error to it.
import os
import socket
import sys


def talk(client, message):
    sent, answer = 0, b""
    while len(answer) < len(message):
        part = message[sent : len(answer) + 4096]
        client.sendall(part)
        sent += len(part)
        data = client.recv(len(message) - len(answer))
        if not data:
            break
        answer += data
    print(answer)


client = socket.socket()
try:
    client.connect((os.environ["HOST"], int(os.environ["PORT"])))
    for line in sys.stdin.buffer:
        talk(client, line.rstrip(b"\r\n"))
except OSError as error:
    sys.exit(str(error))
client.close()
