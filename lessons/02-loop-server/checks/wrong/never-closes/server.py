# caught by 2/callers/hundred-in-a-row
# A list keeps all connections open. The end of the stream is said by shutdown.
import os
import socket
import time

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
calls = []
while True:
    try:
        call, peer = server.accept()
    except OSError as error:
        print(error)
        time.sleep(0.1)
        continue
    calls.append(call)
    try:
        while data := call.recv(1024):
            call.sendall(data.upper())
        call.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        print(error)
