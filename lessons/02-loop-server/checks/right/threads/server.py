# A thread for each call.
import os
import socket
import threading
import time

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
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    threading.Thread(target=serve, args=[call], daemon=True).start()
