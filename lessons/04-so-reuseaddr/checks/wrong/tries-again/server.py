# caught by 4/restart/left-by-another
# It tries until the minute is over.
import os
import socket
import sys
import time

ADDRESS = (os.environ["HOST"], int(os.environ["PORT"]))
server = socket.socket()
server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
while True:
    try:
        server.bind(ADDRESS)
        break
    except OSError as error:
        print(error, file=sys.stderr)
        time.sleep(0.5)
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
server.close()
call.sendall(call.recv(1024).upper())
call.close()
