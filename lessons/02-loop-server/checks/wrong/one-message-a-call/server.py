# caught by 2/message/several
# There is no inner loop.
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
            call.sendall(call.recv(1024).upper())
        except OSError as error:
            print(error)
