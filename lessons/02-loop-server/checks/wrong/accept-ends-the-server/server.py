# caught by 2/forced/accept-fails
# One accept that fails ends the program.
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
            while data := call.recv(1024):
                call.sendall(data.upper())
        except OSError as error:
            print(error)
