# A thread for each call.
import os
import socket
import threading

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)


def serve(call):
    with call:
        try:
            while data := call.recv(1024):
                call.sendall(data.upper())
        except OSError as error:
            print(error)


while True:
    call, peer = server.accept()
    threading.Thread(target=serve, args=[call], daemon=True).start()
