# It takes and sends three bytes at a time.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    call, peer = server.accept()
    with call:
        try:
            while data := call.recv(3):
                call.sendall(data.upper())
        except OSError as error:
            print(error)
