# caught by 2/message/several
# There is no inner loop.
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
            call.sendall(call.recv(1024).upper())
        except OSError as error:
            print(error)
