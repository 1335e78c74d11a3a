# It prints ten thousand lines before it answers.
import os
import socket

server = socket.socket()
server.bind((os.environ["HOST"], int(os.environ["PORT"])))
server.listen(5)
print("listening on %s:%d" % server.getsockname(), flush=True)
call, peer = server.accept()
data = call.recv(1024)
for number in range(10_000):
    print("line", number)
call.sendall(data.upper())
call.close()
server.close()
