# A process for each call.
import os
import signal
import socket
import time

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    if os.fork() > 0:
        call.close()
        continue
    server.close()
    try:
        while data := call.recv(1024):
            call.sendall(data.upper())
    except OSError as error:
        print(error)
    os._exit(0)
