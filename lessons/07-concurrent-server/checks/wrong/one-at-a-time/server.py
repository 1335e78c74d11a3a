# caught by 7/callers/one-silent
# The next caller waits until this one has hung up.
import os
import socket
import time


def serve(call):
    with call:
        try:
            while data := call.recv(65536):
                call.sendall(data.upper())
        except OSError as error:
            print(error)


server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(512)
print("listening on %s:%d" % server.getsockname(), flush=True)
while True:
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    serve(call)
