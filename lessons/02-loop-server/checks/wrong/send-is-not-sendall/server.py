# caught by 2/forced/short-writes
# send says how many bytes it took, and nobody asks.
import os
import socket
import time

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    with call:
        try:
            while data := call.recv(1024):
                call.send(data.upper())
        except OSError as error:
            print(error)
