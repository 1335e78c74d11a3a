# caught by 2/message/a-million-bytes
# A send with a timeout takes what there is room for, and says how much that was.
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
            call.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
            call.settimeout(10)
            while data := call.recv(1 << 16):
                call.send(data.upper())
        except OSError as error:
            print(error)
