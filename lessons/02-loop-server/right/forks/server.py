# A process for each call.
import os
import signal
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    call, peer = server.accept()
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
